"""Study: from a grid of jobs to one answer."""

from collections.abc import Sequence
from pathlib import Path

from responder_ml.build import build_candidates, build_cohort, build_workers
from responder_ml.errors import TrackingError
from responder_ml.evaluation.joint_null import JointRelabelling, check_relabellings, run_joint_null
from responder_ml.progress import Clock, Progress
from responder_ml.records.files import named_folder
from responder_ml.records.job_register import JobCount
from responder_ml.records.study import STUDY_FOLDER, Study, write_study
from responder_ml.report.study import render_study
from responder_ml.search.candidate import classifier_notes
from responder_ml.search.checkpoints import RunCheckpoint, run_checkpoint
from responder_ml.studies.forecast import JOINT_NULL_STAGE, TRANSFER_STAGE, plan_study_tests
from responder_ml.studies.jobs import RefusedJob, RegionJob, StudyJob, jobs_to_test, search_jobs
from responder_ml.studies.region_fusion import fuse_regions, fusion_table
from responder_ml.studies.summary import compose_result, job_table, null_table
from responder_ml.studies.transfers import transfer_table
from responder_ml.study_config import StudyConfig
from responder_ml.tracking.study_record import send_study
from responder_ml.train import count_jobs, train


def study(config: StudyConfig, out: Path, progress: Progress | None = None) -> Study:
    """Search every job of the grid, test all of them together, and write; an interrupted call is resumed by the next.

    Parameters
    ----------
    config
        Configuration.
    out
        Folder of the study.
    progress
        Shows the progress of long work.

    Raises
    ------
    ResponderError
        Anything the user can correct; nothing is left half-written.
    """
    with run_checkpoint(out) as checkpoint:
        return run_study(config, out, checkpoint, progress or Progress())


def run_study(config: StudyConfig, out: Path, checkpoint: RunCheckpoint, progress: Progress) -> Study:
    """Do what `study` does within an open checkpoint, for a caller that has more to do before its units are cleared."""
    STUDY_FOLDER.check(out)
    clock, base = Clock(), config.base
    check_relabellings(base.null.permutations, base.null.alpha)
    for note in classifier_notes(build_candidates(base)):
        progress.say(note)
    planned_jobs, cohort = list(config.planned_jobs()), build_cohort(base.cohort, base.seed)
    workers = build_workers(base.compute, checkpoint.unit_store())
    # What the tests cost is known once the jobs have been read and searched, which is little beside them.
    with clock.lap("search_s"), progress.stage("Search") as on_progress:
        jobs = search_jobs(planned_jobs, cohort, workers, on_progress)
    with clock.lap("fusion_s"), progress.stage("Fusion") as on_progress:
        fusions = fuse_regions(config, planned_jobs, cohort, workers, on_progress)
    jobs += [job for fusion in fusions for job in fusion.jobs]
    testable = jobs_to_test(jobs)
    with progress.work(plan_study_tests(config, testable, workers.count)):
        with clock.lap("null_s"), progress.stage(JOINT_NULL_STAGE) as on_progress:
            relabelling = JointRelabelling({name: job.subjects for name, job in testable.items()})
            statistics = {name: job.statistic for name, job in testable.items()}
            joint_null = run_joint_null(
                statistics, relabelling, base.null.permutations, base.seed, base.null.alpha, on_progress
            )
        with clock.lap("verdicts_s"):
            # Only now is there an answer: a job that failed before has told nobody anything.
            verdicts = job_table(jobs, joint_null, _count_jobs(jobs, out.parent, progress))
        with clock.lap("transfer_s"), progress.stage(TRANSFER_STAGE) as on_progress:
            evidence = set(verdicts["job"][verdicts["verdict"] == "evidence"])
            transfers = transfer_table(config, testable, joint_null.jobs, evidence, workers, on_progress)
    tables = {
        "jobs": verdicts,
        "null": null_table(joint_null),
        "transfer": transfers,
        "fusion": fusion_table(fusions),
    }
    result = compose_result(
        name=config.name,
        alpha=base.null.alpha,
        seed=base.seed,
        tables=tables,
        joint_null=joint_null,
        n_blocks=relabelling.n_blocks,
        simulated=any(job.simulated for job in testable.values()),
        taken=base.cohort.tissue_taken,
        fused=[fusion.fused for fusion in fusions if fusion.fused is not None],
        timings=clock.read(),
    )
    record = Study(result, tables, config.resolved())
    write_study(record, render_study(record), out)
    return record


def train_jobs(config: StudyConfig, study: Study, out: Path, progress: Progress) -> list[Path]:
    """Train every job that was not refused, as `train` does: its run in ``out/runs``, its bundle in ``out/models``.

    A run's p is the job's own, not corrected for the others.

    Returns
    -------
    The run folders.
    """
    refused = set(study.tables["jobs"].query("verdict == 'refused'")["job"])
    folders = []
    for planned in config.planned_jobs():
        if planned.name not in refused:
            progress.say(f"Training {planned.name}")
            folders.append(out / "runs" / planned.config.name)
            bundle = out / "models" / planned.config.name
            # The study's own register, so that a job of its grid is counted once.
            train(planned.config, folders[-1], bundle, progress, register=out.parent)
    return folders


def record_study(config: StudyConfig, study: Study, out: Path, progress: Progress) -> str | None:
    """Send a study to its MLflow store; if the store fails, nothing is lost, and a message says how to try again.

    Returns
    -------
    MLflow's id of the study, or None if it was not sent.
    """
    tracking = config.base.tracking
    if not tracking.enabled:
        return None
    try:
        run_id = send_study(study, out, uri=tracking.uri, experiment=tracking.experiment)
    except TrackingError as problem:
        progress.say(f"Not tracked: {problem}\nTo send it later: python -m responder_ml track {out}")
        return None
    progress.say(f"Tracked in MLflow as {run_id}; see it with `python -m responder_ml ui`.")
    return run_id


def _count_jobs(jobs: Sequence[StudyJob | RefusedJob], register: Path, progress: Progress) -> dict[str, JobCount]:
    """Enter the jobs of the grid in the register of jobs, until it cannot be used, which is told once."""
    counts: dict[str, JobCount] = {}
    for job in jobs:
        if isinstance(job, RegionJob):
            count = count_jobs(job.planned.config, job.prepared.labelled, register, progress)
            if count is None:
                break
            counts[job.planned.name] = count
    return counts


def default_folder(config: StudyConfig) -> Path:
    """Return the study's folder, named after it and a digest of its configuration."""
    return named_folder("studies", config.name, config.resolved())
