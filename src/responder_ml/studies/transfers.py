"""Does a model hold elsewhere? Every region's procedure tested on every other region, and every subset's on every other subset."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from responder_ml.errors import EndpointError
from responder_ml.evaluation.joint_null import JobNull
from responder_ml.evaluation.permutation import NullPlan, NullResult
from responder_ml.evaluation.transfer import TransferPlan, TransferRow, correct_rows, transfer, transfer_row
from responder_ml.progress import OnProgress
from responder_ml.records.study import STUDY_FOLDER
from responder_ml.search.workers import Workers
from responder_ml.studies.jobs import RegionJob, StudyJob
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
    jobs: dict[str, RegionJob]


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
    pairs = transfer_pairs(jobs)
    n_tested = sum(train != test and group.jobs[train].planned.name in evidence for group, train, test in pairs)
    null = NullPlan(config.transfer.permutations, base.null.alpha, base.seed, family=max(n_tested, 1))
    no_null = replace(null, permutations=0)
    rows: list[TransferRow] = []
    for group, train, test in pairs:
        trained, tested = group.jobs[train], group.jobs[test]
        name = trained.planned.name
        if train == test:
            rows.append(_own_result(trained, train, job_nulls[name].null))
        else:
            rows.append(_transfer(trained, tested, (train, test), null if name in evidence else no_null, workers))
        on_progress(len(rows), len(pairs), f"{train} to {test}")
    return STUDY_FOLDER.table(
        "transfer",
        [
            {"axis": group.axis, "endpoint": group.endpoint, "within": group.within, **asdict(row)}
            for (group, _, _), row in zip(pairs, correct_rows(rows), strict=True)
        ],
    )


def transfer_pairs(jobs: Mapping[str, StudyJob]) -> list[tuple[TransferGroup, str, str]]:
    """Return every transfer between jobs: its group, and what is trained on and tested on there, which may be the same."""
    # Pairs, blocks and covariates belong to one cohort.
    endpoints = {name: job.planned.config.endpoint for name, job in jobs.items()}
    plain = [
        jobs[name]
        for name, endpoint in endpoints.items()
        if endpoint.pairs is None and endpoint.block is None and not endpoint.adjust
    ]
    return [(group, train, test) for group in transfer_groups(plain) for train in group.jobs for test in group.jobs]


def transfer_groups(jobs: Sequence[StudyJob]) -> list[TransferGroup]:
    """Return the groups of jobs between which a model can be transferred: an endpoint's regions, and a region's subsets.

    A subset that contains all animals of another one (both drugs, beside each of them) is left out: a model would be tested
    on the animals of its own training set.
    """
    of_one_region = [job for job in jobs if isinstance(job, RegionJob)]
    groups: dict[tuple[str, str, str], dict[str, RegionJob]] = {}
    for job in of_one_region:
        planned = job.planned
        groups.setdefault(("region", planned.endpoint, planned.subset), {})[planned.region] = job
    for job in of_one_region:
        planned = job.planned
        groups.setdefault(("subset", planned.endpoint, planned.region), {})[planned.subset] = job
    disjoint = [
        TransferGroup(*key, _without_supersets(group) if key[0] == "subset" else group) for key, group in groups.items()
    ]
    return [group for group in disjoint if len(group.jobs) > 1]


def _without_supersets(group: Mapping[str, RegionJob]) -> dict[str, RegionJob]:
    animals = {name: set(job.subjects.subjects) for name, job in group.items()}
    return {
        name: job
        for name, job in group.items()
        if not any(animals[other] < animals[name] for other in group if other != name)
    }


def _transfer(
    trained: RegionJob, tested: RegionJob, names: tuple[str, str], null: NullPlan, workers: Workers
) -> TransferRow:
    feasible = trained.prepared.feasible
    plan = TransferPlan(feasible.candidates, feasible.plan, null, workers)
    try:
        return transfer(trained.prepared.labelled, tested.prepared.labelled, plan, names)
    except EndpointError as problem:
        return TransferRow(
            train=names[0],
            test=names[1],
            subjects_train=len(trained.subjects.subjects),
            subjects_test=len(tested.subjects.subjects),
            shared_subjects=len(set(trained.subjects.subjects) & set(tested.subjects.subjects)),
            note=str(problem),
        )


def _own_result(job: RegionJob, name: str, null: NullResult) -> TransferRow:
    labelled = job.prepared.labelled
    n_subjects = len(labelled.subjects)
    notes = ("the job itself, out of fold",)
    return transfer_row((name, name), (labelled, labelled), n_subjects, job.auto, null, 1.0, notes)
