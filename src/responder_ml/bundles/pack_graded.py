"""Pack a bundle of a graded outcome: gather a fitted model and what is known about it after a run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from responder_ml.bundles.graded_bundle import KIND, GradedBundle, GradedManifest
from responder_ml.bundles.manifest import GRADED_VERSION, LeastCoverage, describe_features
from responder_ml.bundles.pack import describe_covariates
from responder_ml.cohort.alignment import LEAST_GENES, LEAST_WEIGHT
from responder_ml.cohort.gene_ids import kind_of
from responder_ml.cohort.graded_outcome import GradedCohort
from responder_ml.cohort.units import Units
from responder_ml.evaluation.applicability import TrainingProfile
from responder_ml.records.graded import GradedRecord
from responder_ml.search.outcome_model import OutcomeModel
from responder_ml.search.search_data import SearchData


def pack_graded(
    model: OutcomeModel,
    graded: GradedCohort,
    result: GradedRecord,
    *,
    limits: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
) -> GradedBundle:
    """Gather the content of a bundle; nothing is written.

    Parameters
    ----------
    model
        Fitted to all samples of ``graded``.
    graded
        Training samples with their outcome.
    result
        The content of the run's ``graded.json``.
    limits
        What the model is not for, one sentence each.
    columns
        Canonical name: its name in the job's sample sheet.
    """
    labelled = graded.labelled
    units = cast(Units, str(labelled.cohort.uns["units"]))
    genes = model.genes_.tolist()
    outcome_of_samples = graded.outcome[labelled.subject_of]
    reference = TrainingProfile.learn(model, SearchData.of(labelled), units, outcome_of_samples)
    content = result.model_dump(mode="json")
    manifest = GradedManifest(
        format_version=GRADED_VERSION,
        kind=KIND,
        name=result.name,
        simulated=result.simulated,
        versions=dict(result.versions),
        outcome=content["outcome"],
        units=units,
        genes=genes,
        gene_ids=kind_of(genes),
        features=describe_features(model),
        coverage=LeastCoverage(weight=float(LEAST_WEIGHT), genes=float(LEAST_GENES)),
        training=result.training(),
        limits=[str(limit) for limit in limits],
        columns={str(name): str(column) for name, column in (columns or {}).items()},
        covariates=describe_covariates(labelled, genes),
        check={},
    )
    bundle = GradedBundle(model, manifest, reference)
    return replace(bundle, manifest=manifest.model_copy(update={"check": bundle.check_values()}))
