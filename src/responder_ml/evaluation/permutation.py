"""The null: the whole procedure re-run on relabelled subjects, and its p value.

The procedure, stratified splitting included, is a deterministic function of the labels and one seed. The observed
labelling and every relabelling go through it alike, so under the null hypothesis all its values are exchangeable,
whatever they average. The null hypothesis: within strata, labels are unrelated to expression. The conditional null asks
the same within strata and batch: is anything left beyond batch?

p is exact where all labellings can be enumerated. Otherwise it is a Monte Carlo p with a stopping rule: the statistics
of random relabellings come in a fixed order. Once h of them have reached the observed value, at the l-th draw, the test
stops with ``p = h / l``; if that has not happened after all B draws, ``p = (C + 1) / (B + 1)`` with C the number that
reached it. Under the null hypothesis ``P(p <= a) <= a`` for every a. Stopping because a running p looks small would not
be valid and is not offered.

References
----------
Ojala M, Garriga GC (2010) Permutation tests for studying classifier performance. JMLR 11:1833-1863.
Besag J, Clifford P (1991) Sequential Monte Carlo p-values. doi:10.1093/biomet/78.2.301
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import beta

from responder_ml.arrays import Flags, Floats, Indices, Labels
from responder_ml.evaluation.relabel import count_labellings, draw_labellings, enumerate_labellings
from responder_ml.progress import OnProgress
from responder_ml.statistics.seeds import generator

Statistic = Callable[[Sequence[Labels]], Iterable[Floats]]
"""A procedure as a function of labels: yields the statistic of several labellings, block by block and in order."""

# Statistics that differ by less, relative to the observed one where it exceeds 1, are the same but for rounding.
_ROUNDING = 1e-12
# Probability beyond each end of a 95 % interval.
_TAIL = (1 - 0.95) / 2


@dataclass(frozen=True)
class NullPlan:
    """How a null is run.

    Attributes
    ----------
    permutations
        Most relabellings; 0 runs none. All labellings are enumerated if they are no more than this.
    stop_after
        Stop once so many relabellings have reached the statistic of the observed labels.
    alpha
        Significance level.
    seed
        The run's seed.
    """

    permutations: int
    stop_after: int
    alpha: float
    seed: int


@dataclass(frozen=True)
class NullResult:
    """A null distribution, and the p of the observed labels in it.

    Attributes
    ----------
    observed
        Test statistic of the observed labels.
    values
        Statistic of each relabelling, in order; when exact, of every labelling, the observed one first.
    p_value, p_interval
        One-sided p, and the 95 % interval of its Monte Carlo error (both ends equal to p when exact).
    exact, stopped_early
        Whether all labellings were enumerated; whether the stopping rule ended it.
    labellings
        Number of distinct labellings.
    min_attainable_p
        The smallest p this null could have given.
    """

    observed: float
    values: Floats
    p_value: float
    p_interval: tuple[float, float]
    exact: bool
    stopped_early: bool
    labellings: int
    min_attainable_p: float

    @property
    def mean(self) -> float:
        """Mean of the null; one half is not assumed."""
        return float(self.values.mean())

    @property
    def sd(self) -> float:
        """Standard deviation of the null."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else 0.0


@dataclass(frozen=True)
class SequentialP:
    """A Monte Carlo p value and the draws it rests on.

    Attributes
    ----------
    p_value
        ``h / l`` if stopped early, otherwise ``(exceedances + 1) / (draws + 1)``. With fewer than B draws it is a running
        figure, for a progress bar only.
    exceedances
        Null statistics at or above the observed one among the draws used.
    draws
        Draws used: up to and including the one that stopped the test.
    stopped_early
        Whether h exceedances were reached.
    interval
        95 % interval of the p that infinitely many draws would give: exact (Clopper-Pearson) for the count, or for the
        waiting time if stopped.
    """

    p_value: float
    exceedances: int
    draws: int
    stopped_early: bool
    interval: tuple[float, float]


def run_null(
    statistic: Statistic,
    labels: Labels,
    strata: Indices,
    observed: float,
    plan: NullPlan,
    name: str,
    on_progress: OnProgress | None = None,
) -> NullResult:
    """Relabel subjects within strata, and count how often the procedure does as well as on the observed labels.

    Parameters
    ----------
    statistic
        The procedure; its blocks are computed one after the other, and none after the null has stopped.
    labels, strata
        Label and stratum of each subject.
    observed
        The procedure's statistic on ``labels``.
    plan
        How many relabellings, and when to stop.
    name
        Names the random numbers.
    on_progress
        Called after each block with the running p.
    """
    exact = is_exact(labels, strata, plan.permutations)
    if exact:
        relabelled = enumerate_labellings(labels, strata)
    else:
        rng = generator(plan.seed, "null", name)
        relabelled = draw_labellings(labels, strata, plan.permutations, rng)
    values = np.empty(0)
    for block in statistic(list(relabelled)):
        values = np.concatenate([values, block])
        running = besag_clifford(values, observed, plan.stop_after, len(relabelled))
        if on_progress is not None:
            p_so_far = exact_p(values, observed) if exact else running.p_value
            on_progress(len(values), len(relabelled), f"p = {p_so_far:.3f}")
        if running.stopped_early and not exact:
            break
    count, smallest = count_labellings(labels, strata), min_attainable_p(labels, strata, plan.permutations)
    if exact:
        p = exact_p(values, observed)
        return NullResult(observed, values, p, (p, p), True, False, count, smallest)
    estimate = besag_clifford(values, observed, plan.stop_after, len(relabelled))
    used = values[: estimate.draws]
    return NullResult(
        observed, used, estimate.p_value, estimate.interval, False, estimate.stopped_early, count, smallest
    )


def is_exact(labels: Labels, strata: Indices, permutations: int) -> bool:
    """Return whether all labellings within strata will be enumerated."""
    return count_labellings(labels, strata) <= max(permutations, 1)


def min_attainable_p(labels: Labels, strata: Indices, permutations: int) -> float:
    """Return the smallest p that a null of so many relabellings within strata can give."""
    count = count_labellings(labels, strata)
    return 1.0 / count if count <= max(permutations, 1) else 1.0 / (permutations + 1)


def reaches(null: ArrayLike, observed: float) -> Flags:
    """Return which null statistics are at or above the observed one; equal up to rounding counts.

    Raises
    ------
    ValueError
        A statistic is nan: comparing it would silently count in favour of the observed value.
    """
    values = np.asarray(null, dtype=np.float64)
    if np.isnan(values).any() or np.isnan(observed):
        raise ValueError("a statistic of the null, or the observed one, is nan; every labelling must have one")
    return np.asarray(values >= observed - _ROUNDING * max(1.0, abs(observed)), dtype=bool)


def besag_clifford(null: ArrayLike, observed: float, stop_after: int, max_draws: int) -> SequentialP:
    """Apply the stopping rule to the null statistics so far.

    The result depends on their order only: where the rule stops is determined in the order of the draws, and later
    draws, of which a block may have computed too many, are ignored.

    Parameters
    ----------
    null
        Statistics of random relabellings in the order drawn, shape ``(n,)``.
    observed
        Statistic of the observed labels; large values are evidence against the null.
    stop_after
        Exceedances after which the test stops (h), at least 1.
    max_draws
        Draws after which it ends anyway (B), at least 1.

    Raises
    ------
    ValueError
        ``stop_after`` or ``max_draws`` is below 1, or a statistic is nan.
    """
    if stop_after < 1 or max_draws < 1:
        raise ValueError(f"h and B must be at least 1, but h = {stop_after} and B = {max_draws} were given")
    reached = reaches(np.ravel(np.asarray(null, dtype=np.float64))[:max_draws], observed)
    stops = np.flatnonzero(reached)[stop_after - 1 : stop_after]
    if stops.size:
        draws = int(stops[0]) + 1
        interval = _waiting_interval(stop_after, draws)
        return SequentialP(stop_after / draws, stop_after, draws, True, interval)
    count, draws = int(np.count_nonzero(reached)), int(reached.size)
    interval = _count_interval(count, draws)
    return SequentialP((count + 1) / (draws + 1), count, draws, False, interval)


def exact_p(null: ArrayLike, observed: float) -> float:
    """Return the share of all labellings whose statistic is at or above the observed one.

    Parameters
    ----------
    null
        Statistic of every labelling once, the observed labelling first. That one is counted whatever rounding did to
        it, so p is never below one over the number of labellings.
    observed
        Statistic of the observed labels.

    Raises
    ------
    ValueError
        There is no statistic, or one is nan.
    """
    reached = reaches(null, observed).ravel()
    if reached.size == 0:
        raise ValueError("an exact p needs the statistic of every labelling, the observed one first; none was given")
    return float((1 + np.count_nonzero(reached[1:])) / reached.size)


def _count_interval(count: int, draws: int) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of the probability that one draw reaches the observed value.

    It also holds for a test that might have stopped but did not: with C < h, "at least C, or stopped" is the event that
    B draws hold at least C exceedances.
    """
    low = float(beta.ppf(_TAIL, count, draws - count + 1)) if count else 0.0
    high = float(beta.ppf(1 - _TAIL, count + 1, draws - count)) if count < draws else 1.0
    return low, high


def _waiting_interval(count: int, draws: int) -> tuple[float, float]:
    """Return the same for a test that stopped: the upper end leaves out the last draw, an exceedance by design."""
    low = float(beta.ppf(_TAIL, count, draws - count + 1))
    high = float(beta.ppf(1 - _TAIL, count, draws - count)) if count < draws else 1.0
    return low, high
