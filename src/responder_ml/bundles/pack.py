"""Pack a bundle: gather a fitted model and what is known about it after a run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, cast

from responder_ml.bundles.bundle import Bundle
from responder_ml.bundles.manifest import (
    FORMAT_VERSION,
    PLAIN_VERSION,
    CalibrationDescription,
    CovariateDescription,
    EndpointDescription,
    LeastCoverage,
    Manifest,
    describe_features,
    describe_training,
)
from responder_ml.cohort.alignment import LEAST_GENES, LEAST_WEIGHT
from responder_ml.cohort.covariates import covariates_of
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.gene_ids import kind_of
from responder_ml.cohort.units import Units
from responder_ml.evaluation.applicability import TrainingProfile
from responder_ml.evaluation.batch_alignment import BatchReference
from responder_ml.evaluation.calibration import CalibrationScores
from responder_ml.evaluation.calibration_line import CalibrationLine
from responder_ml.evaluation.composition import markers_of
from responder_ml.evaluation.fingerprints import Fingerprints
from responder_ml.evaluation.held_out_features import HeldOutFeatures
from responder_ml.evaluation.marker_check import MarkerCheck
from responder_ml.evaluation.metrics import OutOfFold
from responder_ml.search.mean_model import MeanClassifier, ScoringModel
from responder_ml.search.search_data import SearchData


def pack_bundle(
    model: ScoringModel,
    labelled: LabelledCohort,
    result: Mapping[str, Any],
    *,
    limits: Sequence[str] = (),
    threshold: float = 0.0,
    outer_models: Sequence[ScoringModel] = (),
    held_out_features: HeldOutFeatures | None = None,
    held_out_classifiers: Sequence[MeanClassifier] = (),
    fingerprints: Fingerprints | None = None,
    out_of_fold: OutOfFold | None = None,
    columns: Mapping[str, str] | None = None,
    least_weight: float = LEAST_WEIGHT,
    least_genes: float = LEAST_GENES,
) -> Bundle:
    """Gather the content of a bundle; nothing is written.

    Parameters
    ----------
    model
        Fitted to all samples of ``labelled``.
    labelled
        Training samples.
    result
        The content of a run's ``result.json``; name, simulated, endpoint, n, headline, null, verdict and versions are kept.
    limits
        What the model is not for, one sentence each (species, region, platform).
    threshold
        Decision above which a sample is called positive.
    outer_models
        Models of the outer folds of one repeat, for scores and their intervals.
    held_out_features, held_out_classifiers
        Features of the rows that the outer models of all repeats did not see, and the classifiers of these.
    fingerprints
        Of the training samples; those of the rows of ``labelled`` by default.
    out_of_fold
        Held-out decisions on the training subjects, for calibration and prediction sets.
    columns
        Canonical name: its name in the job's sample sheet, so that a sheet of the same words is understood when scoring.
    least_weight, least_genes
        Coverage below which a table is refused.
    """
    units = cast(Units, str(labelled.cohort.uns["units"]))
    genes = model.genes_.tolist()
    reference = TrainingProfile.learn(model, SearchData.of(labelled), units, labelled.sample_labels)
    scores = line = None
    if out_of_fold is not None:
        decisions = out_of_fold.decisions.mean(axis=0)
        scores = CalibrationScores.of(decisions, out_of_fold.labels)
        line = CalibrationDescription(**asdict(CalibrationLine.learn(decisions, out_of_fold.labels)))
    if fingerprints is None:
        fingerprints = Fingerprints.of(labelled)
    endpoint = labelled.endpoint
    covariates = describe_covariates(labelled, genes)
    classes: dict[str, Any] = {"column": endpoint.column, "positive": endpoint.positive, "negative": endpoint.negative}
    if endpoint.rule is not None:
        classes["rule"] = {"column": labelled.measured, **asdict(endpoint.rule)}
    manifest = Manifest(
        format_version=FORMAT_VERSION if covariates else PLAIN_VERSION,
        covariates=covariates,
        name=str(result["name"]),
        simulated=bool(result["simulated"]),
        versions=dict(result["versions"]),
        endpoint=EndpointDescription(**{**result["endpoint"], **classes}),
        units=units,
        genes=genes,
        gene_ids=kind_of(genes),
        features=describe_features(model),
        coverage=LeastCoverage(weight=float(least_weight), genes=float(least_genes)),
        training=describe_training(result),
        limits=[str(limit) for limit in limits],
        threshold=float(threshold),
        prevalence=float(labelled.labels.mean()),
        calibration=line,
        columns={str(name): str(column) for name, column in (columns or {}).items()},
        reference={
            "samples": labelled.n_samples,
            "subjects": len(labelled.subjects),
            "least_correlation": reference.least_correlation,
            "greatest_distance": reference.greatest_distance,
            "least_library": reference.least_library,
            "held_out_subjects": 0 if scores is None else len(scores.positive) + len(scores.negative),
            "outer_models": len(outer_models),
        },
        check={},
    )
    bundle = Bundle(
        model=model,
        manifest=manifest,
        reference=reference,
        calibration_scores=scores,
        outer_models=tuple(outer_models),
        held_out_features=held_out_features,
        held_out_classifiers=tuple(held_out_classifiers),
        markers=MarkerCheck.learn(labelled.expression, genes, reference.profile_genes, len(labelled.subjects)),
        batch=BatchReference.learn(labelled.expression, units),
        fingerprints=fingerprints,
    )
    return replace(bundle, manifest=manifest.model_copy(update={"check": bundle.check_values()}))


def describe_covariates(labelled: LabelledCohort, genes: Sequence[str]) -> list[CovariateDescription]:
    """Return what features are adjusted for, as a manifest holds it.

    Parameters
    ----------
    labelled
        Training samples.
    genes
        Names of the model's genes.
    """
    return [
        CovariateDescription(
            name=covariate.name,
            kind=covariate.kind,
            levels=list(covariate.levels),
            least=covariate.least,
            greatest=covariate.greatest,
            markers=list(markers_of(covariate.name, genes, labelled.cohort.obs)),
        )
        for covariate in covariates_of(labelled)
    ]
