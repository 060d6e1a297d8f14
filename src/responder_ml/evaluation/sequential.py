"""When enough relabellings have been drawn: a confidence sequence for p, valid however long one looks.

Let a random relabelling reach the observed statistic with probability p, the p value that infinitely many would give, and
let C of the first l draws have reached it. The set of all p with ``(l + 1) * P(Binomial(l, p) = C) > risk`` contains the true
one for all l together with probability at least ``1 - risk`` (Robbins; Lai). So drawing may stop as soon as the set excludes
alpha: the decision then differs from that of infinitely many draws with probability at most ``risk``, in either direction.
A test at alpha that stops so has a type-I error of at most ``alpha + risk``, ties or not.

References
----------
Lai TL (1976) On confidence sequences. doi:10.1214/aos/1176343406
Ding D, Gandy A, Hahn G (2020) A simple method for implementing Monte Carlo tests. doi:10.1007/s00180-019-00927-6,
arXiv:1611.01675
Gandy A (2009) Sequential implementation of Monte Carlo tests with uniformly bounded resampling risk.
doi:10.1198/jasa.2009.tm08368
"""

from collections.abc import Callable
from math import log

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom

from responder_ml.arrays import Flags, Indices

RISK = 0.001
"""Probability that a verdict is not the one that infinitely many relabellings would give."""

# Beyond so many draws an estimate of how many more are needed says nothing.
_MOST_NEEDED = 10**6


def excludes(exceedances: Indices | int, draws: Indices | int, alpha: float) -> Flags:
    """Return whether the confidence sequence excludes alpha after so many exceedances among so many draws.

    Parameters
    ----------
    exceedances, draws
        C and l, numbers or arrays of one shape.
    alpha
        Probability to exclude.
    """
    likelihood = np.log(np.asarray(draws) + 1.0) + binom.logpmf(exceedances, draws, alpha)
    return np.asarray(likelihood <= log(RISK), dtype=bool)


def confidence_interval(exceedances: int, draws: int) -> tuple[float, float]:
    """Return the ends of the confidence sequence after so many draws, with confidence ``1 - RISK`` at every stopping time.

    Parameters
    ----------
    exceedances, draws
        C and l; with no draw p may be anything.
    """
    if draws == 0:
        return 0.0, 1.0

    def beyond(p: float) -> float:
        return log(draws + 1.0) + float(binom.logpmf(exceedances, draws, p)) - log(RISK)

    share, least = exceedances / draws, 1e-15
    low = 0.0 if exceedances == 0 else float(brentq(beyond, min(least, share / 2), share))
    high = 1.0 if exceedances == draws else float(brentq(beyond, share, 1 - least))
    return low, high


def stops_at(reached: Flags, alpha: float, family: int, least: int) -> int | None:
    """Return the number of draws after which drawing stops, None if it does not within these.

    It depends on the draws in their order alone, however many were computed beyond.

    Parameters
    ----------
    reached
        Whether each draw, in order, reached the observed statistic.
    alpha
        Significance level.
    family
        Tests that are corrected together: p must be seen to be above alpha, or below ``alpha / family``.
    least
        Draws before which nothing stops.
    """
    draws = np.arange(1, len(reached) + 1)
    exceedances: Indices = np.cumsum(reached, dtype=np.intp)
    above = (exceedances > alpha * draws) & excludes(exceedances, draws, alpha)
    level = alpha / family
    below = (exceedances < level * draws) & excludes(exceedances, draws, level)
    settled = np.flatnonzero((above | below) & (draws >= least))
    return int(settled[0]) + 1 if settled.size else None


def fewest_draws(alpha: float) -> int:
    """Return the draws after which p can first be seen to be below alpha: none of them reaches the observed statistic."""
    return _first(lambda draws: bool(excludes(0, draws, alpha))) or _MOST_NEEDED


def draws_needed(exceedances: int, draws: int, alpha: float) -> int | None:
    """Estimate after how many draws in all p would be settled, if relabellings went on to reach the statistic at this rate.

    Parameters
    ----------
    exceedances, draws
        C and l so far.
    alpha
        Significance level.

    Returns
    -------
    An estimate; None where the rate is so close to alpha that none can be given.
    """
    rate = (exceedances + 1) / (draws + 2)
    needed = _first(lambda total: bool(excludes(round(rate * total), total, alpha)), draws)
    return None if needed is None else max(needed, draws + 1)


def expected_stop(exceedances: int, draws: int, alpha: float, family: int, least: int) -> int | None:
    """Return after how many draws in all drawing will stop, if they go on to reach the statistic at this rate; None if not soon.

    Parameters
    ----------
    exceedances, draws
        C and l so far; before any draw none is expected to reach it.
    alpha, family, least
        As for `stops_at`.
    """
    level = alpha if exceedances > alpha * draws else alpha / family
    stop = draws_needed(exceedances, draws, level) if draws else fewest_draws(level)
    return None if stop is None else max(least, stop)


def _first(settled: Callable[[int], bool], start: int = 1) -> int | None:
    """Return the smallest number from ``start`` on that is settled, for a condition that stays true; None if far away."""
    high = max(start, 1)
    while not settled(high):
        high *= 2
        if high > _MOST_NEEDED:
            return None
    low = max(start, high // 2)
    while low < high:
        middle = (low + high) // 2
        if settled(middle):
            high = middle
        else:
            low = middle + 1
    return high
