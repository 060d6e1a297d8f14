"""Train: from a job's configuration to a run folder and a bundle, in one straight line."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from anndata import AnnData

from responder_ml.build import build_candidates, build_cohort, build_endpoint, build_workers
from responder_ml.bundles.bundle import write_bundle
from responder_ml.bundles.pack import pack_bundle
from responder_ml.cohort.audit import audit
from responder_ml.cohort.endpoint import LabelledCohort, label_cohort
from responder_ml.cohort.findings import Finding
from responder_ml.config import JobConfig
from responder_ml.errors import TrackingError
from responder_ml.evaluation.early_gene_ablation import ablate_early_genes
from responder_ml.evaluation.evidence import assess_evidence, power_note
from responder_ml.evaluation.held_out_features import held_out_features, outer_models
from responder_ml.evaluation.permutation import NullPlan
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.small_n import FeasiblePlan, fit_plan_to_n, pairs_are_few
from responder_ml.explanation.explain import explain_run
from responder_ml.features.normalise import log2_expression
from responder_ml.progress import Progress
from responder_ml.records import tables
from responder_ml.records.files import named_folder
from responder_ml.records.result import Clock, compose_result, data_digest, limits_of
from responder_ml.records.run import Run, check_folder, read_run, write_run
from responder_ml.report.card import render_card
from responder_ml.report.html import render_report
from responder_ml.search.candidate import classifier_notes
from responder_ml.search.checkpoints import RunCheckpoint, run_checkpoint
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData, context_of
from responder_ml.search.unit_store import code_version
from responder_ml.tracking.mlflow import send

SERVING = "responder_ml.serve"
"""Module that MLflow loads to serve a bundle."""


@dataclass(frozen=True)
class Prepared:
    """A job whose data have been read and whose size has been looked at; nothing is trained yet."""

    labelled: LabelledCohort
    findings: tuple[Finding, ...]
    feasible: FeasiblePlan
    null: NullPlan
    power_note: str


def prepare(job: JobConfig, cohort: AnnData | None = None) -> Prepared:
    """Check the job against its targets, read its cohort, audit it and say what its size allows.

    Parameters
    ----------
    job
        Configuration.
    cohort
        The job's rows, where they have been read already.

    Raises
    ------
    ResponderError
        Anything the user can mend.
    """
    candidates = build_candidates(job)
    cohort = build_cohort(job.cohort, job.seed) if cohort is None else cohort
    labelled = label_cohort(cohort, build_endpoint(job.endpoint))
    for candidate in candidates:
        candidate.builder.check(context_of(labelled))
    builders = {candidate.builder_name: candidate.builder for candidate in candidates}
    notes = [f"{name}: {note}" for name, builder in builders.items() for note in builder.notes(labelled.genes)]
    notes += classifier_notes(candidates)
    positive = int(labelled.labels.sum())
    plan = SearchPlan(job.search.folds, job.search.inner_folds, job.search.trials, job.seed)
    feasible = fit_plan_to_n(plan, candidates, positive, len(labelled.labels) - positive)
    null = NullPlan(
        job.null.permutations, min(job.null.repeats, job.search.repeats), job.null.stop_after, job.null.alpha, job.seed
    )
    feasible = replace(feasible, notes=(*feasible.notes, *notes))
    return Prepared(labelled, tuple(audit(labelled)), feasible, null, power_note(labelled, null))


def train(
    job: JobConfig, out: Path, bundle: Path, progress: Progress | None = None, kept: RunCheckpoint | None = None
) -> Run:
    """Search, test against the null, explain, refit and write; what an interrupted call finished is not done again.

    Parameters
    ----------
    job
        Configuration.
    out, bundle
        Folders of the run and of the bundle.
    progress
        Is told about long work.
    kept
        The run folder's finished units, for a caller that still has something to do before they may go.

    Raises
    ------
    ResponderError
        Anything the user can mend; nothing is left half-written.
    """
    if kept is None:
        with run_checkpoint(out) as kept:
            return train(job, out, bundle, progress, kept)
    progress, clock = progress or Progress(), Clock()
    check_folder(out)
    prepared = prepare(job)
    labelled, feasible = prepared.labelled, prepared.feasible
    for note in (*classifier_notes(feasible.candidates), prepared.power_note):
        progress.say(note)
    units, key = kept.unit_store(), run_key(job, labelled)
    if kept.is_written(key):
        return read_run(out)
    with clock.lap("search_s"), progress.stage("Nested search") as on_progress:
        workers = build_workers(job.compute, units)
        procedure = Procedure(SearchData.of(labelled), feasible.candidates, feasible.plan, workers)
        observed = procedure.observe(labelled.labels, job.search.repeats, on_progress)
    pairs = None
    if pairs_are_few(int(labelled.labels.sum()), int(np.sum(labelled.labels == 0))):
        with clock.lap("pairs_s"), progress.stage("Leave-pair-out") as on_progress:
            pairs = procedure.leave_pair_out(labelled.labels, on_progress)
    with clock.lap("null_s"), progress.stage("Null") as on_progress:
        log2 = log2_expression(labelled.expression, job.cohort.units)
        evidence = assess_evidence(procedure, observed, labelled, prepared.null, log2, on_progress)
    with clock.lap("markers_s"):
        without = ablate_early_genes(procedure, observed)
    with clock.lap("explain_s"):
        carriers = explain_run(procedure, observed, labelled, log2, prepared.null, evidence.null)
    with clock.lap("refit_s"):
        refit = procedure.refit(labelled.labels)
    found = tables.all_tables(
        {
            "out_of_fold": tables.out_of_fold_table(labelled, observed, procedure),
            "candidates": tables.candidate_table(observed, procedure, job.seed),
            "folds": tables.fold_table(observed, procedure, carriers.folds),
            "trials": tables.trial_table(observed, procedure),
            "genes": carriers.genes,
            "modules": carriers.modules,
            "signatures": carriers.signatures,
            "contributions": tables.contribution_table(carriers.contributions, carriers.genes, labelled, log2),
            "null": tables.null_table(evidence),
            "baselines": tables.baseline_table(evidence),
            "samples": tables.sample_table(labelled),
        }
    )
    result = compose_result(
        name=job.name,
        where=dict(job.cohort.where),
        repeats=job.search.repeats,
        labelled=labelled,
        findings=prepared.findings,
        notes=feasible.notes,
        procedure=procedure,
        observed=observed,
        pairs=pairs,
        evidence=evidence,
        explained=carriers.contributions,
        without=without,
        refit=refit,
        timings=clock.read(),
        seed=job.seed,
    )
    run = Run(result, found, job.resolved())
    outer = outer_models(procedure, observed, labelled)
    packed = pack_bundle(
        refit.model,
        labelled,
        result,
        outer_models=outer,
        held_out_features=held_out_features(outer, observed, labelled),
        limits=limits_of(job.cohort.where),
        threshold=float(np.median(observed.auto.thresholds)),
        out_of_fold=observed.auto,
    )
    card = render_card(run)
    write_bundle(packed, bundle, {"card.md": card})
    write_run(run, out, {"report.html": render_report(run), "card.md": card})
    kept.mark_written(key)
    return run


def record(job: JobConfig, run: Run, out: Path, bundle: Path, progress: Progress | None = None) -> str | None:
    """Send a run to the job's MLflow store; a store that fails loses nothing, and the way to try again is said.

    Returns
    -------
    MLflow's id of the run, or None if it was not sent.
    """
    progress = progress or Progress()
    if not job.tracking.enabled:
        return None
    try:
        run_id = send(run, out, bundle, loader=SERVING, uri=job.tracking.uri, experiment=job.tracking.experiment)
    except TrackingError as problem:
        progress.say(f"Not tracked: {problem}\nTo send it later: python -m responder_ml track {out} --bundle {bundle}")
        return None
    progress.say(f"Tracked in MLflow as {run_id}; see it with `python -m responder_ml ui`.")
    return run_id


def run_key(job: JobConfig, labelled: LabelledCohort) -> str:
    """Return what names a run whole: its configuration, its data and this code."""
    parts = (json.dumps(job.resolved(), sort_keys=True), data_digest(labelled), code_version())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def default_folders(job: JobConfig) -> tuple[Path, Path]:
    """Return the run folder, named after the job and a digest of its configuration, and the bundle folder."""
    return named_folder("runs", job.name, job.resolved()), Path("models") / job.name
