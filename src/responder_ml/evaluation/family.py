"""The null of a family of jobs: every job's own procedure on subjects relabelled for all jobs at once.

A job whose labellings are few has all of them run once, and its p is exact; of others every labelling among the joint draws is
run. The number of draws is fixed beforehand: a rule that stops one job early would leave nothing to compare it by.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.evaluation.joint_relabelling import JointRelabelling
from responder_ml.evaluation.montecarlo import besag_clifford, exact_p
from responder_ml.evaluation.permutation import NullResult, Statistic, min_attainable_p
from responder_ml.evaluation.relabel import count_labellings, enumerate_labellings
from responder_ml.evaluation.step_down import attainable, step_down
from responder_ml.statistics.seeds import generator

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
Done = Callable[[int, int, str], None]

LOOK_UPS = 20_000
"""Joint relabellings where all labellings of every job are run anyway, so that another one costs a look-up."""
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Member:
    """What the family makes of one job.

    Attributes
    ----------
    null
        Its own null, not corrected.
    corrected_p
        After the step-down correction over all jobs.
    attainable_corrected_p
        What it would have been with the smallest p this job can have.
    """

    null: NullResult
    corrected_p: float
    attainable_corrected_p: float


@dataclass(frozen=True)
class Family:
    """All jobs, tested together.

    Attributes
    ----------
    members
        By name.
    draws
        Joint relabellings behind the correction.
    labellings
        Distinct joint relabellings there are.
    exact
        Whether every job's own p comes from all of its labellings.
    """

    members: dict[str, Member]
    draws: int
    labellings: int
    exact: bool


@dataclass(frozen=True)
class _Runs:
    """The labellings of one job that are run, the observed one first, and which of them each joint draw is."""

    labellings: Labels
    drawn: NDArray[np.intp]
    exact: bool


def weigh_family(
    statistics: Mapping[str, Statistic], joint: JointRelabelling, permutations: int, seed: int, done: Done | None = None
) -> Family:
    """Run every job's procedure on joint relabellings and correct over the jobs.

    Parameters
    ----------
    statistics
        The procedure of each job: blocks of values of several labellings, in order.
    joint
        The relabellings of these jobs.
    permutations
        Joint draws; a job with no more labellings than this has all of them run.
    seed
        The study's seed.
    done
        Told about progress.
    """
    exact = all(count_labellings(joint.labels(job), joint.blocks(job)) <= permutations for job in statistics)
    draws = LOOK_UPS if exact else permutations
    drawn = joint.draw(draws, generator(seed, "joint relabelling"))
    runs = {job: _plan(joint, job, drawn[job], permutations) for job in statistics}
    total, finished = sum(len(each.labellings) for each in runs.values()), 0
    p_values, values = [], {}
    for job, statistic in statistics.items():
        found = np.empty(0)
        for block in statistic(list(runs[job].labellings)):
            found = np.concatenate([found, block])
            if done is not None:
                done(finished + len(found), total, job)
        finished += len(found)
        values[job] = found
        p_values.append(_p_of_draws(found, runs[job]))
    table = np.stack(p_values)
    corrected = step_down(table)
    members = {}
    for index, job in enumerate(statistics):
        smallest = min_attainable_p(joint.labels(job), joint.blocks(job), permutations)
        null = _null(values[job], runs[job], joint, job, smallest)
        members[job] = Member(null, float(corrected[index]), attainable(table, index, smallest))
    return Family(members, draws, joint.count(), exact)


def _plan(joint: JointRelabelling, job: str, drawn: Labels, permutations: int) -> _Runs:
    labels, blocks = joint.labels(job), joint.blocks(job)
    exact = count_labellings(labels, blocks) <= permutations
    known = enumerate_labellings(labels, blocks) if exact else np.concatenate([labels[None], drawn])
    place: dict[bytes, int] = {}
    for row in known:
        place.setdefault(row.tobytes(), len(place))
    distinct = np.stack([np.frombuffer(row, dtype=np.int8) for row in place])
    return _Runs(distinct, np.array([0, *(place[row.tobytes()] for row in drawn)], dtype=np.intp), exact)


def _p_of_draws(values: Floats, runs: _Runs) -> Floats:
    """Return the p of the observed labels and of each joint draw: the share of the job's null that does at least as well."""
    null = np.sort(values if runs.exact else values[runs.drawn])
    below = np.searchsorted(null, values - _ROUNDING * np.maximum(1.0, np.abs(values)), side="left")
    return np.asarray((1.0 - below / len(null))[runs.drawn], dtype=np.float64)


def _null(values: Floats, runs: _Runs, joint: JointRelabelling, job: str, smallest: float) -> NullResult:
    observed = float(values[0])
    count = count_labellings(joint.labels(job), joint.blocks(job))
    if runs.exact:
        p = exact_p(values, observed)
        return NullResult(observed, values, p, (p, p), True, False, count, smallest)
    null = values[runs.drawn[1:]]
    # More successes than draws are asked for, so the rule never stops.
    found = besag_clifford(null, observed, len(null) + 1, len(null))
    return NullResult(observed, null, found.p_value, found.interval, False, False, count, smallest)
