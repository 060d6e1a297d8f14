"""Test gene sets on the subjects of a job: does a set differ between the classes at all, and more than other genes do?

No model is trained and nothing is predicted. Both questions are answered from one linear model of every expressed gene with the
class, its strata and its covariates; `roast` answers the first, `camera` the second.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from responder_ml.arrays import Indices
from responder_ml.build import build_candidates, prepare_job
from responder_ml.cohort.audit import require_accepted
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.config import JobConfig
from responder_ml.contrasts.gene_effects import GeneEffects
from responder_ml.contrasts.gene_set_table import tabulate_sets
from responder_ml.contrasts.roast import ROTATIONS
from responder_ml.errors import ConfigError
from responder_ml.evaluation.class_model import ClassModel
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.membership import Membership
from responder_ml.progress import Progress
from responder_ml.records.files import named_folder
from responder_ml.records.sets import SETS_FOLDER, SetsResult, SetsRun, write_sets
from responder_ml.report.sets import render_sets
from responder_ml.report.words import conclusion
from responder_ml.versions import versions_of

FDR = 0.05
"""Level of the false discovery rate at which the sentence counts sets."""


def sets(
    job: JobConfig,
    out: Path,
    files: Sequence[Path] = (),
    *,
    rotations: int = ROTATIONS,
    correlation: float | None = None,
    progress: Progress | None = None,
) -> SetsRun:
    """Test gene sets, and write the folder.

    Parameters
    ----------
    job
        Configuration of two classes.
    out
        Folder to write.
    files
        GMT files; those of the job's ``gene_sets`` builders by default.
    rotations
        Random rotations of `roast`; the smallest p is one over their number plus one.
    correlation
        As for `camera`.
    progress
        Is told about long work.

    Raises
    ------
    ResponderError
        Anything the user can mend; nothing is left half-written.
    """
    progress = progress or Progress()
    SETS_FOLDER.check(out)
    job.endpoint.require_two_classes("A test of gene sets")
    if rotations < 1:
        raise ConfigError(f"--rotations is {rotations}. Give 1 or more; 9,999 is usual.")
    if correlation is not None and not -1.0 < correlation < 1.0:
        raise ConfigError(
            f"--correlation is {correlation:g}. Give a number between -1 and 1, such as 0.01, or leave it out."
        )
    builders = _builders(job, files)
    prepared = prepare_job(job)
    require_accepted(prepared.findings, job.accept)
    labelled = prepared.labelled
    matched = match_sets(builders, labelled)
    effects, genes = fit_genes(labelled)
    with progress.stage("Gene sets") as on_progress:
        table = tabulate_sets(effects, genes, matched, rotations, correlation, job.seed)
        on_progress(len(table), len(table), "")
    held_constant, not_held_constant = nuisances_in_model(job)
    endpoint, simulated = labelled.endpoint, bool(labelled.cohort.uns.get("simulated", False))
    result = SetsResult(
        name=job.name,
        simulated=simulated,
        taken=job.cohort.tissue_taken,
        positive=endpoint.positive,
        negative=endpoint.negative,
        n_positive=int(np.sum(labelled.labels == 1)),
        n_negative=int(np.sum(labelled.labels == 0)),
        genes=len(genes),
        adjusted=held_constant,
        not_adjusted=not_held_constant,
        files={path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in _paths(builders)},
        dropped={name: reason for of_file in matched for name, reason in of_file.dropped.items()},
        rotations=rotations,
        needed_rotations=needed_rotations(len(table)),
        preset_correlation=correlation,
        fdr=FDR,
        sentence=describe_sets(table, endpoint.positive, endpoint.negative, simulated),
        versions=versions_of(),
        seed=job.seed,
    )
    run = SetsRun(result, {"sets": table}, job.resolved())
    write_sets(run, render_sets(run), out)
    return run


def default_folder(job: JobConfig) -> Path:
    """Return the folder, named after the job and a digest of what the tests depend on."""
    resolved = job.resolved()
    return named_folder("sets", job.name, [resolved[key] for key in ("cohort", "endpoint", "builders", "seed")])


def match_sets(builders: Sequence[GeneSets], labelled: LabelledCohort) -> list[Membership]:
    """Match the sets of every file to the genes.

    Raises
    ------
    FeatureError
        A file cannot be read, or has no set with enough of its genes in the data.
    """
    return [membership for builder in builders if (membership := builder.match_sets(labelled.genes)) is not None]


def fit_genes(labelled: LabelledCohort) -> tuple[GeneEffects, Indices]:
    """Fit the linear model of class, strata and covariates to every expressed gene.

    Parameters
    ----------
    labelled
        One row per subject.

    Returns
    -------
    The model, and the positions of its genes in the cohort.

    Raises
    ------
    ContrastError
        The class cannot be told from strata or covariates, or too few subjects remain.
    """
    model = ClassModel.of(labelled)
    return GeneEffects.of(model.log2, model.design), model.genes


def nuisances_in_model(job: JobConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the linear model holds constant, and the nuisance columns of the job that it does not."""
    endpoint = job.endpoint
    alone = [name for name in (endpoint.pairs, endpoint.block) if name is not None]
    held_constant = tuple(dict.fromkeys([*endpoint.strata, *alone, *endpoint.adjust]))
    return held_constant, tuple(name for name in endpoint.nuisance if name not in held_constant)


def describe_sets(table: pd.DataFrame, positive: str, negative: str, simulated: bool) -> str:
    """Return the conclusion in one sentence."""
    total, words = len(table), f"{positive} and {negative}"
    differing = table["fdr"] <= FDR
    beyond = differing & (table["camera_fdr"] <= FDR)
    mixed = int(np.sum((table["mixed_fdr"] <= FDR) & ~differing))
    if not differing.any() and not mixed:
        sentence = (
            f"no evidence that any of {total:,} gene sets differs between {words} (false discovery rate {FDR:g})."
        )
    else:
        sentence = (
            f"{int(differing.sum()):,} of {total:,} gene sets differ between {words} in one direction (false discovery rate "
            f"{FDR:g}), {int(beyond.sum()):,} of them more than the other genes do."
        )
        sentence += f" {mixed:,} further sets differ in both directions." if mixed else ""
    return conclusion(sentence, simulated)


def needed_rotations(n_sets: int) -> int:
    """Return how many rotations let one set alone reach the level of the false discovery rate."""
    return int(np.ceil(n_sets / FDR)) - 1


def _builders(job: JobConfig, files: Sequence[Path]) -> list[GeneSets]:
    if files:
        return [GeneSets(path=str(path), units=job.cohort.units) for path in files]
    builders = {candidate.builder_name: candidate.builder for candidate in build_candidates(job)}
    of_job = [builder for builder in builders.values() if isinstance(builder, GeneSets) and builder.path is not None]
    if not of_job:
        raise ConfigError("The job names no gene sets. Give files with --sets, or a builder `gene_sets` with a `path`.")
    return of_job


def _paths(builders: Sequence[GeneSets]) -> list[str]:
    return sorted({str(builder.path) for builder in builders})
