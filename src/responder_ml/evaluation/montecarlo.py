"""P-values of a relabelling null: exact when all labellings are known, Monte Carlo with a stopping rule when not.

Null statistics of random relabellings come in a fixed order. Once h of them have reached the observed value, at the
l-th draw, the test stops with ``p = h / l``; if that has not happened after all B draws, ``p = (C + 1) / (B + 1)`` with
C the number that reached it. Under the null hypothesis ``P(p <= a) <= a`` for every a. Stopping because a running p
looks small would not be valid and is not offered.

References
----------
Besag J, Clifford P (1991) Sequential Monte Carlo p-values. doi:10.1093/biomet/78.2.301
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta

# Statistics that differ by less, relative to the observed one where it exceeds 1, are the same but for rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class SequentialP:
    """A Monte Carlo p-value and what it rests on.

    Attributes
    ----------
    p_value
        ``h / l`` if stopped early, otherwise ``(exceedances + 1) / (draws + 1)``.
    exceedances
        Null statistics at or above the observed one among the draws used.
    draws
        Draws used: up to and including the one that stopped the test.
    stopped_early
        Whether h exceedances were reached.
    finished
        Whether the test is over: stopped, or all B draws made. Until then p is a running figure, good for a progress
        bar.
    interval
        Where the p of infinitely many draws lies: exact (Clopper-Pearson) for the count, or the waiting time if
        stopped.
    """

    p_value: float
    exceedances: int
    draws: int
    stopped_early: bool
    finished: bool
    interval: tuple[float, float]


def reaches(null: ArrayLike, observed: float) -> NDArray[np.bool_]:
    """Tell which null statistics are at or above the observed one; equal up to rounding counts.

    Raises
    ------
    ValueError
        A statistic is nan: comparing it would quietly count in favour of the observed value.
    """
    found = np.asarray(null, dtype=np.float64)
    if np.isnan(found).any() or np.isnan(observed):
        raise ValueError("a statistic of the null, or the observed one, is nan; every labelling must have one")
    return np.asarray(found >= observed - _ROUNDING * max(1.0, abs(observed)), dtype=bool)


def besag_clifford(null: ArrayLike, observed: float, stop_after: int, most: int, level: float = 0.95) -> SequentialP:
    """Apply the stopping rule to the null statistics so far.

    The result depends on their order only: where the rule stops is found in stream order, and later draws, which a
    block may have computed too many of, are ignored.

    Parameters
    ----------
    null
        Statistics of random relabellings in stream order, shape ``(n,)``.
    observed
        Statistic of the observed labels; large values speak against the null.
    stop_after
        Exceedances after which the test stops (h), at least 1.
    most
        Draws after which it ends anyway (B), at least 1.
    level
        Coverage of the Monte Carlo interval.

    Raises
    ------
    ValueError
        ``stop_after`` or ``most`` is below 1, or a statistic is nan.
    """
    if stop_after < 1 or most < 1:
        raise ValueError(f"h and B must be at least 1, but h = {stop_after} and B = {most} were given")
    reached = reaches(np.ravel(np.asarray(null, dtype=np.float64))[:most], observed)
    stops = np.flatnonzero(reached)[stop_after - 1 : stop_after]
    if stops.size:
        draws = int(stops[0]) + 1
        interval = _waiting_interval(stop_after, draws, level)
        return SequentialP(stop_after / draws, stop_after, draws, True, True, interval)
    count, draws = int(np.count_nonzero(reached)), int(reached.size)
    interval = _count_interval(count, draws, level)
    return SequentialP((count + 1) / (draws + 1), count, draws, False, draws == most, interval)


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
        Nothing is given, or a statistic is nan.
    """
    reached = reaches(null, observed).ravel()
    if reached.size == 0:
        raise ValueError("an exact p needs the statistic of every labelling, the observed one first; none was given")
    return float((1 + np.count_nonzero(reached[1:])) / reached.size)


def _count_interval(count: int, draws: int, level: float) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of the chance that one draw reaches the observed value.

    It also holds for a test that might have stopped but did not: with C < h, "at least C, or stopped" is the event that
    B draws hold at least C exceedances.
    """
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, count, draws - count + 1)) if count else 0.0
    high = float(beta.ppf(1 - tail, count + 1, draws - count)) if count < draws else 1.0
    return low, high


def _waiting_interval(count: int, draws: int, level: float) -> tuple[float, float]:
    """Return the same for a test that stopped: the upper end leaves out the last draw, an exceedance by design."""
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, count, draws - count + 1))
    high = float(beta.ppf(1 - tail, count, draws - count)) if count < draws else 1.0
    return low, high
