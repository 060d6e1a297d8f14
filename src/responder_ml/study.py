"""Study: from a grid of jobs to one answer, in one straight line."""

import hashlib
import json
from pathlib import Path

from responder_ml.build import build_candidates, build_cohort, build_workers
from responder_ml.errors import TrackingError
from responder_ml.evaluation.joint_null import JointRelabelling, run_joint_null
from responder_ml.progress import Progress
from responder_ml.records.result import Clock
from responder_ml.records.study import Study, check_folder, study_table, write_study
from responder_ml.report.study import render_study
from responder_ml.search.candidate import classifier_notes
from responder_ml.search.checkpoints import RunCheckpoint, run_checkpoint
from responder_ml.studies.fused import fuse_columns
from responder_ml.studies.jobs import enter_job, tested
from responder_ml.studies.summary import compose_study, job_rows, null_rows, sentence_of
from responder_ml.studies.transfers import carry_over
from responder_ml.study_config import StudyConfig
from responder_ml.tracking.mlflow import send_study
from responder_ml.train import train


def study(config: StudyConfig, out: Path, progress: Progress | None = None, kept: RunCheckpoint | None = None) -> Study:
    """Search every job of the grid, test all of them together, and write; what an interrupted call finished is not done again.

    Parameters
    ----------
    config
        Configuration.
    out
        Folder of the study.
    progress
        Is told about long work.
    kept
        Finished units of the folder, for a caller that still has something to do before they may go.

    Raises
    ------
    ResponderError
        Anything the user can mend; nothing is left half-written.
    """
    if kept is None:
        with run_checkpoint(out) as kept:
            return study(config, out, progress, kept)
    check_folder(out)
    progress, clock, base = progress or Progress(), Clock(), config.base
    for note in classifier_notes(build_candidates(base)):
        progress.say(note)
    cells, cohort, entered = list(config.cells()), build_cohort(base.cohort, base.seed), []
    workers = build_workers(base.compute, kept.unit_store())
    with clock.lap("search_s"), progress.stage("Search") as on_progress:
        for cell in cells:
            entered.append(enter_job(cell, cohort, workers))
            on_progress(len(entered), len(cells), cell.key)
    with clock.lap("fusion_s"), progress.stage("Fusion") as on_progress:
        fused = fuse_columns(config, cells, cohort, workers, on_progress)
        entered += [each for column in fused for each in column.entered]
    contenders = tested(entered)
    joint = JointRelabelling({key: each.subjects for key, each in contenders.items()})
    with clock.lap("null_s"), progress.stage("Null of all jobs") as on_progress:
        statistics = {key: each.statistic for key, each in contenders.items()}
        family = run_joint_null(statistics, joint, base.null.permutations, base.seed, on_progress)
    with clock.lap("verdicts_s"):
        jobs = job_rows(entered, family, base.seed)
    with clock.lap("transfer_s"), progress.stage("Transfer") as on_progress:
        evidence = set(jobs["job"][jobs["verdict"] == "evidence"])
        carried = carry_over(config, contenders, family.members, evidence, workers, on_progress)
    comparisons = [row for column in fused for row in column.comparisons]
    tables = {
        "jobs": jobs,
        "null": null_rows(family),
        "transfer": study_table("transfer", carried),
        "fusion": study_table("fusion", comparisons),
    }
    simulated = any(each.simulated for each in contenders.values())
    result = compose_study(
        name=config.name,
        alpha=base.null.alpha,
        jobs=jobs,
        tables=tables,
        family=family,
        n_blocks=joint.n_blocks,
        simulated=simulated,
        sentence=sentence_of(jobs, family, base.null.alpha, simulated),
        fused=[column.notes for column in fused if column.notes is not None],
        timings=clock.read(),
        seed=base.seed,
    )
    found = Study(result, tables, config.resolved())
    write_study(found, render_study(found), out)
    return found


def train_jobs(config: StudyConfig, found: Study, out: Path, progress: Progress) -> list[Path]:
    """Train every job that was not refused, as `train` does: its run in ``out/runs``, its bundle in ``out/models``.

    A run's p is the job's own, not corrected for the others.

    Returns
    -------
    The run folders.
    """
    refused = set(found.tables["jobs"].query("verdict == 'refused'")["job"])
    folders = []
    for cell in config.cells():
        if cell.key not in refused:
            progress.say(f"Training {cell.key}")
            folders.append(out / "runs" / cell.job.name)
            train(cell.job, folders[-1], out / "models" / cell.job.name, progress)
    return folders


def record_study(config: StudyConfig, found: Study, out: Path, progress: Progress) -> str | None:
    """Send a study to its MLflow store; a store that fails loses nothing, and the way to try again is said.

    Returns
    -------
    MLflow's id of the study, or None if it was not sent.
    """
    tracking = config.base.tracking
    if not tracking.enabled:
        return None
    try:
        run_id = send_study(found, out, uri=tracking.uri, experiment=tracking.experiment)
    except TrackingError as problem:
        progress.say(f"Not tracked: {problem} The study is complete in {out}.")
        return None
    progress.say(f"Tracked in MLflow as {run_id}; see it with `python -m responder_ml ui`.")
    return run_id


def default_folder(config: StudyConfig) -> Path:
    """Return the study's folder, named after it and a digest of its configuration."""
    digest = hashlib.sha256(json.dumps(config.resolved(), sort_keys=True).encode()).hexdigest()[:8]
    return Path("studies") / f"{config.name}-{digest}"
