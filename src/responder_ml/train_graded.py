"""Train on a graded outcome: from a job's configuration to a run folder and a bundle, in one straight line."""

from pathlib import Path

import numpy as np

from responder_ml.build import build_workers
from responder_ml.bundles.bundle import BUNDLE_FOLDER
from responder_ml.bundles.graded_bundle import write_graded_bundle
from responder_ml.bundles.pack_graded import pack_graded
from responder_ml.cohort.audit import require_accepted
from responder_ml.config import JobConfig
from responder_ml.errors import TrackingError
from responder_ml.evaluation.graded_evidence import assess_graded
from responder_ml.evaluation.graded_procedure import GradedProcedure
from responder_ml.explanation.attribution import explain_auto, gather_contributions
from responder_ml.prepare_graded import PreparedGraded, prepare_graded
from responder_ml.progress import Clock, Progress
from responder_ml.records.graded import GRADED_FOLDER, GradedRun, write_graded
from responder_ml.records.graded_outcome import GradedFacts, compose_graded, graded_tables
from responder_ml.records.outcome import limits_of
from responder_ml.records.ownership import check_apart
from responder_ml.records.run import CARD, CARD_FILE
from responder_ml.report.card import render_card
from responder_ml.report.card_json import render_card_json
from responder_ml.report.graded import render_graded
from responder_ml.report.graded_card import describe_graded
from responder_ml.search.checkpoints import run_checkpoint
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.tracking.graded_record import send_graded
from responder_ml.tracking.store import resolve_store
from responder_ml.train import count_jobs


def train_graded(
    job: JobConfig, out: Path, bundle: Path, progress: Progress | None = None, register: Path | None = None
) -> GradedRun:
    """Search, test against relabelled outcomes, explain, refit and write; an interrupted call is resumed by the next.

    Parameters
    ----------
    job
        Configuration whose endpoint has ``kind: score``.
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
    progress, clock = progress or Progress(), Clock()
    check_apart({"--out": out, "--bundle": bundle})
    GRADED_FOLDER.check(out)
    BUNDLE_FOLDER.check(bundle)
    if job.tracking.enabled:
        resolve_store(job.tracking.uri)
    prepared = prepare_graded(job)
    require_accepted(prepared.graded.findings, job.accept)
    for note in (*prepared.feasible.notes, prepared.power_note):
        progress.say(note)
    with run_checkpoint(out) as checkpoint:
        workers = build_workers(job.compute, checkpoint.unit_store())
        facts = run_graded(prepared, workers, progress, clock)
        graded = prepared.graded
        result = compose_graded(
            facts,
            jobs_on_data=count_jobs(job, graded.labelled, register or out.parent, progress, graded.outcome),
            name=job.name,
            where=dict(job.cohort.where),
            alpha=job.null.alpha,
            timings=clock.read(),
            seed=job.seed,
            taken=job.cohort.tissue_taken,
            block=job.endpoint.block,
        )
        run = GradedRun(result, graded_tables(facts), job.resolved())
        limits = limits_of(result.where, result.taken)
        packed = pack_graded(facts.refit.model, facts.graded, result, limits=limits, columns=job.cohort.columns)
        facts_of_card = describe_graded(run)
        card = render_card(facts_of_card)
        write_graded_bundle(packed, bundle, {CARD: card})
        write_graded(run, render_graded(run), out, {CARD: card, CARD_FILE: render_card_json(facts_of_card)})
    return run


def record_graded(
    job: JobConfig, run: GradedRun, out: Path, bundle: Path, progress: Progress | None = None
) -> str | None:
    """Send a run to the job's MLflow store; if the store fails nothing is lost, and that is said.

    Returns
    -------
    MLflow's id of the run, or None if it was not sent.
    """
    if not job.tracking.enabled:
        return None
    progress = progress or Progress()
    try:
        run_id = send_graded(run, out, bundle, uri=job.tracking.uri, experiment=job.tracking.experiment)
    except TrackingError as problem:
        progress.say(f"Not tracked: {problem}\nTo send it later: python -m responder_ml track {out} --bundle {bundle}")
        return None
    progress.say(f"Tracked in MLflow as {run_id}; see it with `python -m responder_ml ui`.")
    return run_id


def run_graded(prepared: PreparedGraded, workers: Workers, progress: Progress, clock: Clock) -> GradedFacts:
    """Search, test, explain and refit, in this order.

    Parameters
    ----------
    prepared
        The data and the plan.
    workers
        Where units of work run.
    progress, clock
        Are told about every stage.
    """
    graded, feasible = prepared.graded, prepared.feasible
    labelled, outcome = graded.labelled, graded.outcome
    procedure = GradedProcedure(SearchData.of(labelled), feasible.candidates, feasible.plan, workers, graded.cut)
    with clock.lap("search_s"), progress.stage("Nested search") as on_progress:
        observed = procedure.observe(outcome, on_progress)
    with clock.lap("null_s"):
        evidence = assess_graded(procedure, observed, graded, prepared.null_plan, progress)
    with clock.lap("explain_s"), progress.stage("Explanation"):
        # Towards the upper half for subjects of it, towards the lower for the others.
        contributions = gather_contributions(
            explain_auto(observed.results), np.asarray(labelled.genes), labelled.sample_labels
        )
    with clock.lap("refit_s"), progress.stage("Final fit"):
        refit = procedure.refit(outcome)
    return GradedFacts(graded, feasible.notes, procedure, observed, evidence, contributions, refit)
