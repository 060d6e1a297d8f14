"""Does a model hold elsewhere? Every region's procedure asked of every other region, and every part's of every other part."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from responder_ml.errors import EndpointError
from responder_ml.evaluation.intervals import auroc_interval
from responder_ml.evaluation.joint_null import JobNull
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.permutation import NullPlan
from responder_ml.evaluation.transfer import TransferPlan, TransferRow, corrected, transfer
from responder_ml.progress import OnProgress
from responder_ml.search.workers import Workers
from responder_ml.studies.jobs import StudyJob
from responder_ml.study_config import StudyConfig


@dataclass(frozen=True)
class Square:
    """Jobs that differ in one thing.

    Attributes
    ----------
    axis
        What differs: ``region`` or ``subset``.
    endpoint, within
        What they share: the question, and the subset or the region.
    jobs
        By region or subset.
    """

    axis: str
    endpoint: str
    within: str
    jobs: dict[str, StudyJob]


def squares(contenders: Sequence[StudyJob]) -> list[Square]:
    """Return the sets of jobs between which a model can be carried over: one question's regions, one region's parts.

    A part that holds the animals of another part (both drugs, beside each of them) is left out: it would be asked of its own.
    """
    jobs = [each for each in contenders if each.prepared is not None]
    found: dict[tuple[str, str, str], dict[str, StudyJob]] = {}
    for each in jobs:
        cell = each.cell
        found.setdefault(("region", cell.endpoint, cell.subset), {})[cell.region] = each
    for each in jobs:
        cell = each.cell
        found.setdefault(("subset", cell.endpoint, cell.region), {})[cell.subset] = each
    apart = [Square(*key, _apart(group) if key[0] == "subset" else group) for key, group in found.items()]
    return [square for square in apart if len(square.jobs) > 1]


def carry_over(
    config: StudyConfig,
    contenders: Mapping[str, StudyJob],
    members: Mapping[str, JobNull],
    evidence: Collection[str],
    workers: Workers,
    on_progress: OnProgress,
) -> list[dict[str, Any]]:
    """Return the rows of the table ``transfer``: a job's own result where it is asked of itself.

    Only jobs that are evidence have something to carry over: their transfers are tested, and Holm's correction is over these.
    Without any effect nothing gets past the first test more often than alpha, so nothing gets past the second.

    Parameters
    ----------
    config
        The study.
    contenders, members
        Jobs, and what the family made of them.
    evidence
        Names of the jobs that are evidence after correction.
    workers
        Where units of work run.
    on_progress
        Told about progress.
    """
    if config.transfer.permutations == 0:
        return []
    base = config.base
    null = NullPlan(config.transfer.permutations, 1, base.null.stop_after, base.null.alpha, base.seed)
    untested = replace(null, permutations=0)
    asked = [
        (square, one, other)
        for square in squares(list(contenders.values()))
        for one in square.jobs
        for other in square.jobs
    ]
    rows = []
    for square, one, other in asked:
        tested = square.jobs[one].cell.key in evidence
        rows.append(_row(square, one, other, null if tested else untested, members, workers))
        on_progress(len(rows), len(asked), f"{one} to {other}")
    together = corrected(rows)
    return [
        {"axis": square.axis, "endpoint": square.endpoint, "within": square.within, **asdict(row)}
        for (square, _, _), row in zip(asked, together, strict=True)
    ]


def _row(
    square: Square, one: str, other: str, null: NullPlan, members: Mapping[str, JobNull], workers: Workers
) -> TransferRow:
    learner, asked = square.jobs[one], square.jobs[other]
    if one == other:
        return _own(learner, one, members[learner.cell.key], null.seed)
    if learner.prepared is None or asked.prepared is None:
        raise ValueError("only jobs of one region can be carried over")
    allowed, job = learner.prepared.allowed, learner.cell.job
    how = TransferPlan(allowed.candidates, allowed.plan, job.search.repeats, null, workers)
    try:
        return transfer(learner.prepared.labelled, asked.prepared.labelled, how, (one, other))
    except EndpointError as problem:
        return _refused(learner, asked, (one, other), str(problem))


def _refused(learner: StudyJob, asked: StudyJob, names: tuple[str, str], reason: str) -> TransferRow:
    unknown = float("nan")
    return TransferRow(
        train=names[0],
        test=names[1],
        subjects_train=len(learner.subjects.labels),
        subjects_test=len(asked.subjects.labels),
        shared_subjects=len(set(learner.subjects.subjects) & set(asked.subjects.subjects)),
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


def _own(job: StudyJob, name: str, member: JobNull, seed: int) -> TransferRow:
    size, null = len(job.subjects.labels), member.null
    low, high = auroc_interval(job.auto, seed)
    return TransferRow(
        train=name,
        test=name,
        subjects_train=size,
        subjects_test=size,
        shared_subjects=size,
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


def _apart(group: Mapping[str, StudyJob]) -> dict[str, StudyJob]:
    animals = {name: set(each.subjects.subjects) for name, each in group.items()}
    return {
        name: each
        for name, each in group.items()
        if not any(animals[other] < animals[name] for other in group if other != name)
    }
