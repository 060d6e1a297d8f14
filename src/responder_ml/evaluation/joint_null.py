"""The null of several jobs at once: subjects are relabelled once, for all jobs they take part in.

Subjects are exchanged within *blocks*: those that take part in the same jobs and share their stratum in each. A subject
carries its labels of all jobs along. So every job keeps the class sizes of its strata under every relabelling, and jobs
that share subjects (regions of one animal, a drug and both drugs together) keep the dependence between their statistics.
Under the hypothesis that, within blocks, subjects' labels are unrelated to the expression of any job, all relabellings
are equally likely, and a test over all jobs at once is exact.

A job with few labellings has all of them run once, and its p is exact. Of a job with many, every distinct labelling
among the joint draws is run. The number of draws is fixed beforehand: a rule that stops one job early would leave the
others without values to compare it with. A test with a fixed number of draws is exact at its level, so p is never undecided.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, comb, prod

import numpy as np

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.errors import ConfigError
from responder_ml.evaluation.p_values import monte_carlo_p, reaches
from responder_ml.evaluation.permutation import EXACT_UP_TO, NullResult, Permutations, Statistic, exact_null
from responder_ml.evaluation.relabel import count_labellings, enumerate_labellings, smallest_exact_p
from responder_ml.evaluation.separation import AUTO_AUROC, Standard
from responder_ml.evaluation.sequential import confidence_interval
from responder_ml.evaluation.westfall_young import attainable_corrected_p, correct_p_values
from responder_ml.progress import OnProgress
from responder_ml.statistics.seeds import generator

FIXED_DRAWS = 999
"""Joint relabellings with ``auto``."""
DRAWS_WHERE_EXACT = 20_000
"""Joint relabellings where all labellings of every job are run anyway, so that a further draw costs only a look-up; all of them
where they are no more than this: then the corrected p is exact too, and no seed turns it."""
# Statistics that differ by less, relative to the statistic where it exceeds 1, are the same but for rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class JobLabels:
    """The subjects of one job.

    Attributes
    ----------
    subjects
        Names; a subject has one name in all jobs.
    labels, strata
        Label and stratum of each subject, shape ``(n_subjects,)``.
    """

    subjects: tuple[str, ...]
    labels: Labels
    strata: Indices


@dataclass(frozen=True)
class JobNull:
    """One job's null, and its p corrected over all jobs.

    Attributes
    ----------
    null
        The job's own null, not corrected.
    corrected_p
        p after the step-down correction over all jobs.
    attainable_corrected_p
        The corrected p if the job had the smallest p it can have.
    """

    null: NullResult
    corrected_p: float
    attainable_corrected_p: float


@dataclass(frozen=True)
class JointNull:
    """The nulls of jobs that were tested together.

    Attributes
    ----------
    jobs
        The null of each job, by name.
    draws
        Number of joint relabellings that the correction rests on: random ones, or all of them, the observed one included.
    labellings
        Number of distinct joint relabellings.
    exact
        Whether every job's own p comes from all of its labellings.
    """

    jobs: dict[str, JobNull]
    draws: int
    labellings: int
    exact: bool


class JointRelabelling:
    """The relabellings of several jobs of one cohort.

    Parameters
    ----------
    jobs
        Subjects and labels of each job, by name.
    """

    def __init__(self, jobs: Mapping[str, JobLabels]) -> None:
        subjects = sorted({name for job in jobs.values() for name in job.subjects})
        index_of = {name: index for index, name in enumerate(subjects)}
        jobs_and_strata: list[list[tuple[str, int]]] = [[] for _ in subjects]
        self._rows = {name: np.array([index_of[subject] for subject in job.subjects]) for name, job in jobs.items()}
        self._labels: dict[str, Labels] = {}
        for name, job in jobs.items():
            self._labels[name] = np.zeros(len(subjects), dtype=np.int8)
            self._labels[name][self._rows[name]] = job.labels
            for row, stratum in zip(self._rows[name], job.strata, strict=True):
                jobs_and_strata[row].append((name, int(stratum)))
        blocks: dict[tuple[tuple[str, int], ...], int] = {}
        self._block = np.array(
            [blocks.setdefault(tuple(of_subject), len(blocks)) for of_subject in jobs_and_strata], dtype=np.intp
        )

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
        of_subjects = np.stack(list(self._labels.values()), axis=1)
        return prod(_arrangements(of_subjects[self._block == block]) for block in range(self.n_blocks))

    def enumerate(self) -> dict[str, Labels]:
        """Return every joint relabelling but the observed one, as `draw` does; count them before."""
        subjects = np.arange(len(self._block))
        labels_from = subjects[None]
        of_subjects = np.stack(list(self._labels.values()), axis=1)
        for block in range(self.n_blocks):
            of_block = np.flatnonzero(self._block == block)
            kinds = np.unique(of_subjects[of_block], axis=0, return_inverse=True)[1].ravel()
            # Who gives labels to whom: among subjects with equal labels it does not matter which of them.
            givers = [of_block[np.flatnonzero(kinds == kind)] for kind in range(kinds.max() + 1)]
            arrangements = np.stack([_giver_of_each(row, givers) for row in _orders(kinds.tolist())])
            labels_from = np.repeat(labels_from, len(arrangements), axis=0)
            labels_from[:, of_block] = np.tile(arrangements, (len(labels_from) // len(arrangements), 1))
        is_observed = (of_subjects[labels_from] == of_subjects).all(axis=(1, 2))
        labels_from = labels_from[~is_observed]
        return {name: self._labels[name][labels_from[:, rows]] for name, rows in self._rows.items()}

    def draw(self, count: int, rng: np.random.Generator) -> dict[str, Labels]:
        """Return random relabellings of every job, shape ``(count, n_subjects)`` each; row i is one exchange for all jobs.

        Parameters
        ----------
        count
            Number of draws, independent and equally likely.
        rng
            Source of the random numbers.
        """
        labels_from = np.tile(np.arange(len(self._block)), (count, 1))
        for block, stream in enumerate(rng.spawn(self.n_blocks)):
            of_block = np.flatnonzero(self._block == block)
            labels_from[:, of_block] = stream.permuted(labels_from[:, of_block], axis=1)
        return {name: self._labels[name][labels_from[:, rows]] for name, rows in self._rows.items()}


def run_joint_null(
    statistics: Mapping[str, Statistic],
    joint: JointRelabelling,
    permutations: Permutations,
    seed: int,
    alpha: float,
    on_progress: OnProgress | None = None,
) -> JointNull:
    """Run every job's procedure on joint relabellings and correct over the jobs.

    Parameters
    ----------
    statistics
        The procedure of each job: yields the statistic of several labellings, block by block and in order.
    joint
        The relabellings of these jobs.
    permutations
        Joint draws; a job with no more labellings than this has all of them run. ``auto``: 999, and all of up to 2,000.
    seed, alpha
        The study's seed and significance level.
    on_progress
        Called after each block of labellings.
    """
    exact_up_to = EXACT_UP_TO if permutations == "auto" else permutations
    counts = {job: count_labellings(joint.labels(job), joint.blocks(job)) for job in statistics}
    exact = all(count <= exact_up_to for count in counts.values())
    if exact and joint.count() <= DRAWS_WHERE_EXACT:
        draws, drawn = joint.count(), joint.enumerate()
    else:
        draws = DRAWS_WHERE_EXACT if exact else fixed_draws(permutations)
        drawn = joint.draw(draws, generator(seed, "joint relabelling"))
    runs = {job: _plan_runs(joint, job, drawn[job], exact=counts[job] <= exact_up_to) for job in statistics}
    total, finished = sum(len(of_job.labellings) for of_job in runs.values()), 0
    p_values, measured_of = [], {}
    for job, statistic in statistics.items():
        blocks: list[Floats] = []
        for block in statistic(list(runs[job].labellings)):
            blocks.append(block)
            finished += len(block)
            if on_progress is not None:
                on_progress(finished, total, job)
        measured_of[job] = np.concatenate(blocks)
        p_values.append(_p_of_draws(_standard(measured_of[job], runs[job]).soft_maximum(measured_of[job]), runs[job]))
    table = np.stack(p_values)
    corrected = correct_p_values(table)
    jobs = {}
    for index, job in enumerate(statistics):
        attainable = smallest_exact_p(joint.labels(job), joint.blocks(job))
        smallest = attainable if runs[job].exact else max(attainable, 1.0 / (draws + 1))
        null = _null(measured_of[job], runs[job], counts[job], smallest, alpha)
        jobs[job] = JobNull(null, float(corrected[index]), attainable_corrected_p(table, index, smallest))
    return JointNull(jobs, draws, joint.count(), exact)


@dataclass(frozen=True)
class _Runs:
    """The labellings of one job that are run.

    Attributes
    ----------
    labellings
        Distinct labellings, the observed one first.
    drawn
        Index into them of the observed labelling and of each joint draw.
    exact
        Whether they are all labellings of the job.
    """

    labellings: Labels
    drawn: Indices
    exact: bool


def check_relabellings(permutations: Permutations, alpha: float) -> None:
    """Refuse a number of joint relabellings with which no p could reach alpha, before anything is trained.

    Raises
    ------
    ConfigError
        There are too few.
    """
    if 1.0 / (fixed_draws(permutations) + 1) > alpha:
        raise ConfigError(
            f"Too few relabellings are asked for: with null.permutations {permutations} no job of a study can reach p <= {alpha:g} "
            f"with any subjects. Write null.permutations: auto, or at least {ceil(1.0 / alpha - 1e-9) - 1} (999 is usual)."
        )


def fixed_draws(permutations: Permutations) -> int:
    """Return the number of joint relabellings drawn where some job has more labellings than are all run."""
    return FIXED_DRAWS if permutations == "auto" else permutations


def _plan_runs(joint: JointRelabelling, job: str, drawn: Labels, *, exact: bool) -> _Runs:
    labels, blocks = joint.labels(job), joint.blocks(job)
    labellings = enumerate_labellings(labels, blocks) if exact else np.concatenate([labels[None], drawn])
    index_of: dict[bytes, int] = {}
    for row in labellings:
        index_of.setdefault(row.tobytes(), len(index_of))
    distinct = np.stack([np.frombuffer(row, dtype=np.int8) for row in index_of])
    return _Runs(distinct, np.array([0, *(index_of[row.tobytes()] for row in drawn)], dtype=np.intp), exact)


def _p_of_draws(values: Floats, runs: _Runs) -> Floats:
    """Return the p of the observed labels and of each joint draw: the share of the job's null that is at least as large."""
    null = np.sort(values if runs.exact else values[runs.drawn])
    below = np.searchsorted(null, values - _ROUNDING * np.maximum(1.0, np.abs(values)), side="left")
    # One division of whole numbers, so that a p of exactly alpha is not a rounding above it.
    return np.asarray(((len(null) - below) / len(null))[runs.drawn], dtype=np.float64)


def _standard(measured: Floats, runs: _Runs) -> Standard:
    """Return what separations are standardised by: all labellings, or the observed and all drawn ones alike."""
    return Standard.of(measured if runs.exact else measured[runs.drawn])


def _null(measured: Floats, runs: _Runs, count: int, smallest: float, alpha: float) -> NullResult:
    if runs.exact:
        return exact_null(measured, measured[0], alpha, smallest)
    standard = _standard(measured, runs)
    observed, drawn = float(standard.soft_maximum(measured[0])), measured[runs.drawn[1:]]
    null = standard.soft_maximum(drawn)
    interval = confidence_interval(int(np.count_nonzero(reaches(null, observed))), len(null))
    return NullResult(
        observed,
        null,
        monte_carlo_p(null, observed),
        interval,
        False,
        True,
        False,
        count,
        smallest,
        aurocs=drawn[:, AUTO_AUROC],
        leading=standard.leading(measured[0]),
    )


def _orders(kinds: list[int]) -> Iterator[list[int]]:
    """Yield every distinct order of some kinds."""
    if not kinds:
        yield []
    for first in sorted(set(kinds)):
        rest = kinds.copy()
        rest.remove(first)
        for order in _orders(rest):
            yield [first, *order]


def _giver_of_each(order: Sequence[int], givers: Sequence[Indices]) -> Indices:
    """Return the subject that gives its labels to each subject of a block, for an order of the kinds of labels."""
    giver = np.empty(len(order), dtype=np.intp)
    for kind, of_kind in enumerate(givers):
        giver[np.asarray(order) == kind] = of_kind
    return giver


def _arrangements(labels: Labels) -> int:
    """Return the number of distinct ways to give subjects these labels; a row holds one subject's labels of all jobs."""
    sizes: Sequence[int] = np.unique(labels, axis=0, return_counts=True)[1].tolist()
    remaining, ways = sum(sizes), 1
    for size in sizes:
        ways *= comb(remaining, size)
        remaining -= size
    return ways
