"""The null of a family of jobs: every job's own procedure on subjects relabelled for all jobs at once.

A job whose labellings are few has all of them run once, and its p is exact; of others every labelling among the joint draws is
run. The number of draws is fixed beforehand: a rule that stops one job early would leave nothing to compare it by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, prod

import numpy as np

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.evaluation.permutation import NullResult, Statistic, besag_clifford, exact_p, min_attainable_p
from responder_ml.evaluation.relabel import count_labellings, enumerate_labellings
from responder_ml.evaluation.westfall_young import attainable_corrected_p, correct_p_values
from responder_ml.progress import OnProgress
from responder_ml.statistics.seeds import generator


@dataclass(frozen=True)
class JobLabels:
    """The subjects of one job.

    Attributes
    ----------
    subjects
        Names; a subject has one name in all jobs.
    labels, strata
        Of each, shape ``(n_subjects,)``.
    """

    subjects: tuple[str, ...]
    labels: Labels
    strata: Indices


class JointRelabelling:
    """The relabellings of several jobs of one cohort.

    Parameters
    ----------
    jobs
        By name.
    """

    def __init__(self, jobs: Mapping[str, JobLabels]) -> None:
        everyone = sorted({name for job in jobs.values() for name in job.subjects})
        place = {name: index for index, name in enumerate(everyone)}
        takes_part: list[list[tuple[str, int]]] = [[] for _ in everyone]
        self._rows = {name: np.array([place[each] for each in job.subjects]) for name, job in jobs.items()}
        self._labels: dict[str, Labels] = {}
        for name, job in jobs.items():
            self._labels[name] = np.zeros(len(everyone), dtype=np.int8)
            self._labels[name][self._rows[name]] = job.labels
            for row, stratum in zip(self._rows[name], job.strata, strict=True):
                takes_part[row].append((name, int(stratum)))
        kinds: dict[tuple[tuple[str, int], ...], int] = {}
        self._block = np.array([kinds.setdefault(tuple(each), len(kinds)) for each in takes_part], dtype=np.intp)

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return int(self._block.max()) + 1

    def blocks(self, job: str) -> Indices:
        """Return the block of each subject of a job: the strata within which the job's labels are exchanged."""
        return np.asarray(self._block[self._rows[job]], dtype=np.intp)

    def labels(self, job: str) -> Labels:
        """Return the observed label of each subject of a job."""
        return np.asarray(self._labels[job][self._rows[job]], dtype=np.int8)

    def count(self) -> int:
        """Return the number of distinct joint relabellings, the observed one included."""
        carried = np.stack(list(self._labels.values()), axis=1)
        return prod(_arrangements(carried[self._block == block]) for block in range(self.n_blocks))

    def draw(self, count: int, rng: np.random.Generator) -> dict[str, Labels]:
        """Return random relabellings of every job, ``(count, n_subjects)`` each; a row is one exchange of subjects for all.

        Parameters
        ----------
        count
            Number of draws, independent and equally likely.
        rng
            Source of the random numbers.
        """
        standing = np.tile(np.arange(len(self._block)), (count, 1))
        for block, stream in enumerate(rng.spawn(self.n_blocks)):
            members = np.flatnonzero(self._block == block)
            standing[:, members] = stream.permuted(standing[:, members], axis=1)
        return {name: self._labels[name][standing[:, rows]] for name, rows in self._rows.items()}


def _arrangements(carried: Labels) -> int:
    """Return in how many ways subjects that carry these labels (rows) can be told apart."""
    sizes: Sequence[int] = np.unique(carried, axis=0, return_counts=True)[1].tolist()
    left, ways = sum(sizes), 1
    for size in sizes:
        ways *= comb(left, size)
        left -= size
    return ways


DRAWS_WHERE_EXACT = 20_000
"""Joint relabellings where all labellings of every job are run anyway, so that another one costs a look-up."""
_ROUNDING = 1e-12


@dataclass(frozen=True)
class JobNull:
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
class JointNull:
    """All jobs, tested together.

    Attributes
    ----------
    jobs
        By name.
    draws
        Joint relabellings behind the correction.
    labellings
        Distinct joint relabellings there are.
    exact
        Whether every job's own p comes from all of its labellings.
    """

    jobs: dict[str, JobNull]
    draws: int
    labellings: int
    exact: bool


@dataclass(frozen=True)
class _Runs:
    """The labellings of one job that are run, the observed one first, and which of them each joint draw is."""

    labellings: Labels
    drawn: Indices
    exact: bool


def run_joint_null(
    statistics: Mapping[str, Statistic],
    joint: JointRelabelling,
    permutations: int,
    seed: int,
    on_progress: OnProgress | None = None,
) -> JointNull:
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
    on_progress
        Told about progress.
    """
    exact = all(count_labellings(joint.labels(job), joint.blocks(job)) <= permutations for job in statistics)
    draws = DRAWS_WHERE_EXACT if exact else permutations
    drawn = joint.draw(draws, generator(seed, "joint relabelling"))
    runs = {job: _plan(joint, job, drawn[job], permutations) for job in statistics}
    total, finished = sum(len(each.labellings) for each in runs.values()), 0
    p_values, values = [], {}
    for job, statistic in statistics.items():
        found = np.empty(0)
        for block in statistic(list(runs[job].labellings)):
            found = np.concatenate([found, block])
            if on_progress is not None:
                on_progress(finished + len(found), total, job)
        finished += len(found)
        values[job] = found
        p_values.append(_p_of_draws(found, runs[job]))
    table = np.stack(p_values)
    corrected = correct_p_values(table)
    jobs = {}
    for index, job in enumerate(statistics):
        smallest = min_attainable_p(joint.labels(job), joint.blocks(job), permutations)
        null = _null(values[job], runs[job], joint, job, smallest)
        jobs[job] = JobNull(null, float(corrected[index]), attainable_corrected_p(table, index, smallest))
    return JointNull(jobs, draws, joint.count(), exact)


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
