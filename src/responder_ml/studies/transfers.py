"""Does a model hold elsewhere? Every region's procedure tested on every other region, and every subset's on every other subset."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from responder_ml.errors import EndpointError
from responder_ml.evaluation.intervals import auroc_interval
from responder_ml.evaluation.joint_null import JobNull
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.permutation import NullPlan
from responder_ml.evaluation.transfer import TransferPlan, TransferRow, correct_rows, transfer
from responder_ml.progress import OnProgress
from responder_ml.records.study import STUDY_FOLDER
from responder_ml.search.workers import Workers
from responder_ml.studies.jobs import StudyJob
from responder_ml.study_config import StudyConfig


@dataclass(frozen=True)
class TransferGroup:
    """Jobs that differ in one thing, between which models are transferred.

    Attributes
    ----------
    axis
        What differs: ``region`` or ``subset``.
    endpoint, within
        What they share: the endpoint, and the subset or the region.
    jobs
        By region or subset.
    """

    axis: str
    endpoint: str
    within: str
    jobs: dict[str, StudyJob]


def transfer_table(
    config: StudyConfig,
    jobs: Mapping[str, StudyJob],
    job_nulls: Mapping[str, JobNull],
    evidence: Collection[str],
    workers: Workers,
    on_progress: OnProgress,
) -> pd.DataFrame:
    """Transfer models between the jobs of a study; a job tested on itself is its own result.

    Only transfers from jobs that are evidence are tested, and Holm's correction is over these. Without any effect no job passes
    the first test more often than alpha, hence no transfer passes the second.

    Parameters
    ----------
    config
        The study.
    jobs, job_nulls
        Jobs and their nulls, by name.
    evidence
        Names of the jobs that are evidence after correction.
    workers
        Where units of work run.
    on_progress
        Called after each transfer.

    Returns
    -------
    The table ``transfer``; without rows where the study asks for no transfer.
    """
    if config.transfer.permutations == 0:
        return STUDY_FOLDER.table("transfer")
    base = config.base
    null = NullPlan(config.transfer.permutations, 1, base.null.stop_after, base.null.alpha, base.seed)
    no_null = replace(null, permutations=0)
    pairs = [
        (group, train, test)
        for group in transfer_groups(list(jobs.values()))
        for train in group.jobs
        for test in group.jobs
    ]
    rows: list[TransferRow] = []
    for group, train, test in pairs:
        trained = group.jobs[train]
        name = trained.planned.name
        if train == test:
            rows.append(_own_result(trained, train, job_nulls[name], base.seed))
        else:
            plan = _transfer_plan(trained, null if name in evidence else no_null, workers)
            rows.append(_transfer(trained, group.jobs[test], plan, (train, test)))
        on_progress(len(rows), len(pairs), f"{train} to {test}")
    return STUDY_FOLDER.table(
        "transfer",
        [
            {"axis": group.axis, "endpoint": group.endpoint, "within": group.within, **asdict(row)}
            for (group, _, _), row in zip(pairs, correct_rows(rows), strict=True)
        ],
    )


def transfer_groups(jobs: Sequence[StudyJob]) -> list[TransferGroup]:
    """Return the groups of jobs between which a model can be transferred: an endpoint's regions, and a region's subsets.

    A subset that contains all animals of another one (both drugs, beside each of them) is left out: a model would be tested
    on the animals of its own training set.
    """
    single_region = [job for job in jobs if job.prepared is not None]
    groups: dict[tuple[str, str, str], dict[str, StudyJob]] = {}
    for job in single_region:
        planned = job.planned
        groups.setdefault(("region", planned.endpoint, planned.subset), {})[planned.region] = job
    for job in single_region:
        planned = job.planned
        groups.setdefault(("subset", planned.endpoint, planned.region), {})[planned.subset] = job
    disjoint = [
        TransferGroup(*key, _without_supersets(group) if key[0] == "subset" else group) for key, group in groups.items()
    ]
    return [group for group in disjoint if len(group.jobs) > 1]


def _without_supersets(group: Mapping[str, StudyJob]) -> dict[str, StudyJob]:
    animals = {name: set(job.subjects.subjects) for name, job in group.items()}
    return {
        name: job
        for name, job in group.items()
        if not any(animals[other] < animals[name] for other in group if other != name)
    }


def _transfer_plan(trained: StudyJob, null: NullPlan, workers: Workers) -> TransferPlan:
    if trained.prepared is None:
        raise ValueError("only models of one region can be transferred")
    feasible = trained.prepared.feasible
    return TransferPlan(feasible.candidates, feasible.plan, trained.planned.config.search.repeats, null, workers)


def _transfer(trained: StudyJob, tested: StudyJob, plan: TransferPlan, names: tuple[str, str]) -> TransferRow:
    if trained.prepared is None or tested.prepared is None:
        raise ValueError("only models of one region can be transferred")
    try:
        return transfer(trained.prepared.labelled, tested.prepared.labelled, plan, names)
    except EndpointError as problem:
        return _refused_transfer(trained, tested, names, str(problem))


def _refused_transfer(trained: StudyJob, tested: StudyJob, names: tuple[str, str], reason: str) -> TransferRow:
    unknown = float("nan")
    return TransferRow(
        train=names[0],
        test=names[1],
        subjects_train=len(trained.subjects.labels),
        subjects_test=len(tested.subjects.labels),
        shared_subjects=len(set(trained.subjects.subjects) & set(tested.subjects.subjects)),
        auroc=unknown,
        auroc_ci_low=unknown,
        auroc_ci_high=unknown,
        p_value=unknown,
        p_holm=unknown,
        null_mean=unknown,
        relabellings=0,
        min_attainable_p=unknown,
        coverage=unknown,
        note=reason,
    )


def _own_result(job: StudyJob, name: str, job_null: JobNull, seed: int) -> TransferRow:
    n_subjects, null = len(job.subjects.labels), job_null.null
    low, high = auroc_interval(job.auto, seed)
    return TransferRow(
        train=name,
        test=name,
        subjects_train=n_subjects,
        subjects_test=n_subjects,
        shared_subjects=n_subjects,
        auroc=auroc(job.auto),
        auroc_ci_low=low,
        auroc_ci_high=high,
        p_value=null.p_value,
        p_holm=float("nan"),
        null_mean=null.mean,
        relabellings=len(null.values),
        min_attainable_p=null.min_attainable_p,
        coverage=1.0,
        note="the job itself, out of fold",
    )
