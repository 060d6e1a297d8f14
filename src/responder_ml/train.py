"""Train: from a job's configuration to a run folder and a bundle, in one straight line."""

import hashlib
import json
from pathlib import Path

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.build import PreparedJob, build_rival_plan, build_workers, prepare_job
from responder_ml.bundles.bundle import BUNDLE_FOLDER, Bundle, write_bundle
from responder_ml.bundles.pack import pack_bundle
from responder_ml.cohort.audit import require_accepted
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.config import JobConfig
from responder_ml.errors import RunError, TrackingError
from responder_ml.evaluation.early_gene_ablation import ablate_early_genes
from responder_ml.evaluation.evidence import assess_evidence
from responder_ml.evaluation.extrapolation import LearningCurve
from responder_ml.evaluation.held_out_features import held_out_features, outer_models
from responder_ml.evaluation.learning_curve import learning_curve
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.rivals import RivalResult, compare_rivals
from responder_ml.explanation.explain import explain_run
from responder_ml.features.normalise import log2_expression
from responder_ml.forecast import EARLY_GENE_STAGE, EXPLANATION_STAGE, REFIT_STAGE, SEARCH_STAGE, plan_training
from responder_ml.job_size import size_note
from responder_ml.progress import Clock, Progress
from responder_ml.records.digests import data_digest
from responder_ml.records.files import named_folder
from responder_ml.records.job_lock import LOCKS, JobLock, find_lock
from responder_ml.records.job_register import REGISTER, AskedJob, JobCount, register_job
from responder_ml.records.label_ceiling_record import LabelCeilingRecord
from responder_ml.records.outcome import Outcome, compose_result, limits_of
from responder_ml.records.ownership import check_apart, digest_of_folder
from responder_ml.records.result import Result
from responder_ml.records.run import CARD, CARD_FILE, REPORT, RUN_FOLDER, Run, read_run, write_run
from responder_ml.records.tables import run_tables
from responder_ml.report.card import render_card
from responder_ml.report.card_facts import CardFacts
from responder_ml.report.card_json import render_card_json
from responder_ml.report.html import render_report
from responder_ml.search.candidate import classifier_notes
from responder_ml.search.checkpoints import RunCheckpoint, run_checkpoint
from responder_ml.search.search_data import SearchData
from responder_ml.search.unit_store import code_version
from responder_ml.search.workers import Workers
from responder_ml.tracking.mlflow import send
from responder_ml.tracking.store import resolve_store

SERVING = "responder_ml.serve"
"""Module that MLflow loads to serve a bundle."""


def train(
    job: JobConfig, out: Path, bundle: Path, progress: Progress | None = None, register: Path | None = None
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
    register
        Folder of the register that counts the jobs on these data; that of the run folder by default.

    Raises
    ------
    ResponderError
        Anything the user can mend; nothing is left half-written.
    """
    with run_checkpoint(out) as checkpoint:
        return run_job(job, out, bundle, checkpoint, progress or Progress(), register)


def run_job(
    job: JobConfig,
    out: Path,
    bundle: Path,
    checkpoint: RunCheckpoint,
    progress: Progress,
    register: Path | None = None,
    prepared: PreparedJob | None = None,
) -> Run:
    """Do what `train` does within an open checkpoint, for a caller that has more to do before its units are cleared.

    ``prepared`` is what `prepare_job` returns, where the caller knows it already.
    """
    check_before_work(job, out, bundle)
    clock, early_note = Clock(), size_note(job)
    if early_note:
        progress.say(early_note)
    prepared = prepare_job(job) if prepared is None else prepared
    require_accepted(prepared.findings, job.accept)
    for note in (*classifier_notes(prepared.feasible.candidates), prepared.power_note):
        progress.say(note)
    workers, key = build_workers(job.compute, checkpoint.unit_store()), run_key(job, prepared.labelled)
    late_note = "" if early_note else size_note(job, prepared.labelled.cohort.shape)
    if late_note:
        progress.say(late_note)
    if checkpoint.is_written(key, _digests(out, bundle)):
        return read_run(out)
    outcome = run_procedure(job, prepared, workers, progress, clock)
    register = register or out.parent
    # Before the run is counted as one, since a lock must be older than the first.
    lock = find_job_lock(job, prepared.labelled, register)
    stated = job.endpoint.reliability
    result = compose_result(
        outcome,
        name=job.name,
        where=dict(job.cohort.where),
        timings=clock.read(),
        seed=job.seed,
        jobs_on_data=count_jobs(job, prepared.labelled, register, progress),
        lock=lock,
        taken=job.cohort.tissue_taken,
        ceiling=None if stated is None else LabelCeilingRecord.of(prepared.labelled, stated.value, stated.source),
    )
    run = Run(result, run_tables(outcome), job.resolved())
    facts = CardFacts.of(run)
    card = render_card(facts)
    write_bundle(pack_outcome(outcome, result, job, prepared), bundle, {CARD: card})
    write_run(run, out, {REPORT: render_report(run), CARD: card, CARD_FILE: render_card_json(facts)})
    checkpoint.mark_written(key, _digests(out, bundle))
    return run


def check_before_work(job: JobConfig, out: Path, bundle: Path) -> None:
    """Refuse folders that may not be written, and a tracking store that is none, before data are read.

    Raises
    ------
    RunError, BundleError
        A folder holds what this program did not write, or both overlap.
    TrackingError
        The store's address is none.
    """
    check_apart({"--out": out, "--bundle": bundle})
    RUN_FOLDER.check(out)
    BUNDLE_FOLDER.check(bundle)
    if job.tracking.enabled:
        resolve_store(job.tracking.uri)


def _digests(*folders: Path) -> dict[str, str | None]:
    return {str(folder.absolute()): digest_of_folder(folder) for folder in folders}


def run_procedure(job: JobConfig, prepared: PreparedJob, workers: Workers, progress: Progress, clock: Clock) -> Outcome:
    """Search, test, leave out early genes, explain and refit, in this order.

    Parameters
    ----------
    job, prepared
        Configuration, and the data and plan made from it.
    workers
        Where units of work run.
    progress, clock
        Are told about every stage.
    """
    labelled, feasible = prepared.labelled, prepared.feasible
    labels = labelled.labels
    log2 = log2_expression(labelled.expression, str(labelled.cohort.uns["units"]))
    with progress.work(plan_training(prepared, workers.count)):
        with clock.lap("search_s"), progress.stage(SEARCH_STAGE) as on_progress:
            procedure = Procedure(SearchData.of(labelled), feasible.candidates, feasible.plan, workers)
            observed = procedure.observe(labels, on_progress=on_progress)
        with clock.lap("null_s"):
            evidence = assess_evidence(procedure, observed, labelled, prepared.null_plan, log2, progress)
        rivals: tuple[RivalResult, ...] = ()
        rival_plan = build_rival_plan(job)
        if rival_plan is not None:
            with clock.lap("rivals_s"), progress.stage("Rival explanations") as on_progress:
                plan, candidates = feasible.plan, feasible.candidates
                rivals = compare_rivals(labelled, candidates, plan, rival_plan, log2, workers, on_progress)
        curve: LearningCurve | None = None
        n_sizes = job.search.learning_curve
        if n_sizes is not None:
            with clock.lap("curve_s"), progress.stage("Learning curve") as on_progress:
                plan, candidates, data = feasible.plan, feasible.candidates, procedure.search_data
                curve = learning_curve(data, labels, candidates, plan, observed, n_sizes, workers, on_progress)
        with clock.lap("markers_s"), progress.stage(EARLY_GENE_STAGE) as on_progress:
            ablation = ablate_early_genes(procedure, observed, on_progress)
        with clock.lap("explain_s"), progress.stage(EXPLANATION_STAGE) as on_progress:
            null, null_plan = evidence.null, prepared.null_plan
            explanation = explain_run(procedure, observed, labelled, log2, null_plan, null, on_progress)
        with clock.lap("refit_s"), progress.stage(REFIT_STAGE):
            refit = procedure.refit(labels)
    return Outcome(
        labelled,
        prepared.findings,
        feasible.notes,
        log2,
        procedure,
        observed,
        evidence,
        ablation,
        explanation,
        refit,
        rivals,
        curve,
    )


def pack_outcome(outcome: Outcome, result: Result, job: JobConfig, prepared: PreparedJob) -> Bundle:
    """Pack the refitted model with what scoring needs to know about its training, and about the words of its sheet."""
    labelled, observed = outcome.labelled, outcome.observed
    models = outer_models(outcome.procedure, observed, labelled)
    classifiers, features = held_out_features(observed, labelled)
    return pack_bundle(
        outcome.refit.model,
        labelled,
        result.content(),
        outer_models=models,
        held_out_features=features,
        held_out_classifiers=classifiers,
        limits=limits_of(result.endpoint.where, result.endpoint.taken),
        threshold=float(np.median(observed.auto.thresholds)),
        out_of_fold=observed.auto,
        columns=job.cohort.columns,
        fingerprints=prepared.fingerprints,
    )


def record(job: JobConfig, run: Run, out: Path, bundle: Path, progress: Progress | None = None) -> str | None:
    """Send a run to the job's MLflow store; if the store fails nothing is lost, and the way to try again is said.

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


def count_jobs(
    job: JobConfig, labelled: LabelledCohort, register: Path, progress: Progress, outcome: Floats | None = None
) -> JobCount | None:
    """Enter a job, now that its result is known, in the register of jobs, and count those on its data.

    A register that cannot be used, or has damaged lines, is reported and stops nothing.

    Parameters
    ----------
    job, labelled
        The job and its data.
    register
        Folder of the register.
    progress
        Is told about problems.
    outcome
        A graded outcome of each subject; None where classes are told apart.
    """
    about = {"name": job.name, "seed": job.seed}
    try:
        count = register_job(register, AskedJob.of(labelled, job.without_defaults(), outcome), about)
    except RunError as problem:
        progress.say(f"Jobs on these data were not counted: {problem}")
        return None
    if count.damaged_lines:
        progress.say(
            f"{count.damaged_lines} damaged line(s) of {register / REGISTER} were not counted: more jobs than "
            f"{count.jobs} may have been asked of these data."
        )
    return count


def find_job_lock(job: JobConfig, labelled: LabelledCohort, register: Path) -> JobLock | None:
    """Return the lock of a job, None where it has none."""
    # To know a job, all of its expression is hashed.
    if not (register / LOCKS).is_file():
        return None
    settings = job.without_defaults()
    return find_lock(register, AskedJob.of(labelled, settings), settings, code_version())


def run_key(job: JobConfig, labelled: LabelledCohort) -> str:
    """Return what identifies a run: its configuration, its data and this code."""
    parts = (json.dumps(job.resolved(), sort_keys=True), data_digest(labelled), code_version())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def default_folders(job: JobConfig) -> tuple[Path, Path]:
    """Return the run folder, named after the job and a digest of its configuration, and the bundle folder."""
    return named_folder("runs", job.name, job.resolved()), Path("models") / job.name
