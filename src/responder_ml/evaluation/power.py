"""What class sizes allow, before anything is trained: attainable p, AUROC needed, power, subjects needed.

A score is compared between the classes by the one-sided exact Mann-Whitney test; the alternative is binormal (both
classes normal, equal variance, shifted to give the true AUROC). This ignores the error of training, so a
cross-validated classifier does worse: the figures are the best case.

References
----------
Mann HB, Whitney DR (1947) doi:10.1214/aoms/1177730491
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, comb, prod, sqrt

import numpy as np
from scipy.stats import norm

from responder_ml.arrays import Floats
from responder_ml.errors import EndpointError
from responder_ml.evaluation.relabel import can_be_mirrored
from responder_ml.statistics.seeds import generator

# Up to this many pairs the null is exact and power is simulated; beyond, the normal approximation serves for both.
_MOST_EXACT_PAIRS = 2500
_DRAWS = 40_000
_MOST_SUBJECTS = 100_000
# A tail probability that equals alpha but for rounding attains it.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Attainable:
    """The resolution of a relabelling test.

    Attributes
    ----------
    labellings
        Distinct ways to label the subjects, the observed one included.
    p_value
        Smallest one-sided p, where the observed labelling beats all others. Ties between labellings can only raise it.
    """

    labellings: int
    p_value: float


def attainable_p(
    n_positive: int, n_negative: int, strata_counts: Sequence[tuple[int, int]] | None = None
) -> Attainable:
    """Count the labellings and return the smallest p they allow.

    Parameters
    ----------
    n_positive, n_negative
        Subjects per class.
    strata_counts
        Positive and negative subjects of each stratum within which labels are permuted; one stratum by default.

    Raises
    ------
    EndpointError
        A count is negative, no subject is left, or the strata do not add up to the classes.
    """
    strata = [(n_positive, n_negative)] if strata_counts is None else list(strata_counts)
    totals = (sum(positive for positive, _ in strata), sum(negative for _, negative in strata))
    if min((min(pair) for pair in strata), default=0) < 0 or totals != (n_positive, n_negative) or sum(totals) == 0:
        raise EndpointError(
            f"The strata hold {totals[0]} positive and {totals[1]} negative subjects, the classes {n_positive} and "
            f"{n_negative}. Counts must be at least 0, not all 0, and strata must add up to the classes; correct them."
        )
    labellings = prod(comb(positive + negative, positive) for positive, negative in strata)
    return Attainable(labellings, (2 if can_be_mirrored(strata) else 1) / labellings)


def null_auroc_sd(n_positive: int, n_negative: int) -> float:
    """Return the standard deviation of the AUROC of an uninformative score, without ties.

    It is ``sqrt((n_positive + n_negative + 1) / (12 n_positive n_negative))``.

    Raises
    ------
    EndpointError
        A class is empty.
    """
    _require_classes(n_positive, n_negative)
    return sqrt((n_positive + n_negative + 1) / (12 * n_positive * n_negative))


def auroc_needed(n_positive: int, n_negative: int, alpha: float) -> float | None:
    """Return the smallest AUROC with one-sided p at most ``alpha``; None if even 1 does not reach it.

    Exact up to 2,500 pairs, normal approximation with continuity correction beyond.

    Raises
    ------
    EndpointError
        A class is empty, or ``alpha`` is not between 0 and 1.
    """
    _require_classes(n_positive, n_negative)
    _require_between("alpha", alpha, 0.0, 1.0)
    pairs = n_positive * n_negative
    needed = _pairs_needed(n_positive, n_negative, alpha)
    return None if needed > pairs else needed / pairs


def power(n_positive: int, n_negative: int, auroc: float, alpha: float, seed: int = 0) -> float:
    """Return the probability that the test gives p at most ``alpha`` where the true AUROC is ``auroc``.

    Up to 2,500 pairs it is the share of 40,000 simulated data sets (standard error at most 0.003; the seed fixes them).
    Beyond, it is the normal approximation with the exact variance of the AUROC under the binormal alternative, within
    0.01 of simulation where the smaller class has 10 subjects or more.

    Parameters
    ----------
    n_positive, n_negative
        Subjects per class.
    auroc
        True AUROC, above 0 and below 1.
    alpha
        Level of the one-sided test.
    seed
        Seed of the simulation.

    Raises
    ------
    EndpointError
        A class is empty, or ``auroc`` or ``alpha`` is not between 0 and 1.
    """
    _require_classes(n_positive, n_negative)
    _require_between("The true AUROC", auroc, 0.0, 1.0)
    _require_between("alpha", alpha, 0.0, 1.0)
    needed = _pairs_needed(n_positive, n_negative, alpha)
    shift = sqrt(2.0) * float(norm.ppf(auroc))
    if needed > n_positive * n_negative:
        return 0.0
    if n_positive * n_negative > _MOST_EXACT_PAIRS:
        return _approximate_power(n_positive, n_negative, auroc, shift, needed)
    rng = generator(seed, "power", n_positive, n_negative)
    scores = rng.standard_normal((_DRAWS, n_positive + n_negative))
    scores[:, :n_positive] += shift
    order = np.argsort(scores, axis=1)
    ranks = np.arange(1, n_positive + n_negative + 1)
    pairs_won = (order < n_positive) @ ranks - n_positive * (n_positive + 1) // 2
    return float(np.mean(pairs_won >= needed))


def subjects_needed(
    auroc: float, target_power: float, alpha: float, ratio: float = 1.0, seed: int = 0
) -> tuple[int, int]:
    """Return the smallest class sizes, positive and negative, whose power is at least ``target_power``.

    Parameters
    ----------
    auroc
        True AUROC, above 0.5 and below 1.
    target_power
        Above 0 and below 1.
    alpha
        Level of the one-sided test.
    ratio
        Negative subjects per positive subject.
    seed
        Seed of the simulation in `power`.

    Raises
    ------
    EndpointError
        An argument is out of its range, or more than 100,000 positive subjects would be needed.
    """
    _require_between("The true AUROC", auroc, 0.5, 1.0)
    _require_between("The target power", target_power, 0.0, 1.0)
    _require_between("alpha", alpha, 0.0, 1.0)
    _require_between("The ratio of negative to positive subjects", ratio, 0.0, float("inf"))

    def is_enough(n_positive: int) -> bool:
        return power(n_positive, _partner(n_positive, ratio), auroc, alpha, seed) >= target_power

    n_positive = _start(auroc, target_power, alpha, ratio)
    while not is_enough(n_positive):
        n_positive += 1
    return n_positive, _partner(n_positive, ratio)


def _start(auroc: float, target_power: float, alpha: float, ratio: float) -> int:
    """Return a size at or somewhat below the answer, by doubling and bisection on the closed form alone."""
    shift = sqrt(2.0) * float(norm.ppf(auroc))

    def is_nearly_enough(n_positive: int) -> bool:
        n_negative = _partner(n_positive, ratio)
        needed = _approximate_pairs_needed(n_positive, n_negative, alpha)
        # Where power is simulated, the closed form may be wrong by a few hundredths: start below and walk up.
        slack = 0.1 if n_positive * n_negative <= _MOST_EXACT_PAIRS else 0.0
        return _approximate_power(n_positive, n_negative, auroc, shift, needed) >= target_power - slack

    low, high = 0, 1
    while not is_nearly_enough(high):
        low, high = high, 2 * high
        if high > _MOST_SUBJECTS:
            raise EndpointError(
                f"More than {_MOST_SUBJECTS:,} positive subjects would be needed for power {target_power:g} at a true "
                f"AUROC of {auroc:g}. Ask for a larger AUROC, less power or a larger alpha."
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_nearly_enough(middle) else (middle, high)
    return high


def _partner(n_positive: int, ratio: float) -> int:
    return max(1, ceil(n_positive * ratio - _ROUNDING))


def _pairs_needed(n_positive: int, n_negative: int, alpha: float) -> int:
    """Return the smallest number of pairs in the right order with p at most alpha; one too many if there is none."""
    if n_positive * n_negative > _MOST_EXACT_PAIRS:
        return _approximate_pairs_needed(n_positive, n_negative, alpha)
    upper_tail = np.cumsum(_null_distribution(n_positive, n_negative)[::-1])
    attained = int(np.count_nonzero(upper_tail <= alpha * (1 + _ROUNDING)))
    return n_positive * n_negative + 1 - attained


def _approximate_pairs_needed(n_positive: int, n_negative: int, alpha: float) -> int:
    pairs = n_positive * n_negative
    return ceil(0.5 * pairs + 0.5 + float(norm.isf(alpha)) * pairs * null_auroc_sd(n_positive, n_negative))


@lru_cache(maxsize=64)
def _null_distribution(n_positive: int, n_negative: int) -> Floats:
    """Return the probability of each number of pairs in the right order, 0 to all, if all rankings are equally likely.

    The subject with the highest score is positive with probability i / (i + j) and then wins j pairs; the remaining
    subjects are the same problem with one subject fewer. Only sums of positive terms occur, so nothing cancels.
    """
    above = [np.ones(1) for _ in range(n_negative + 1)]
    for i in range(1, n_positive + 1):
        row = [np.ones(1)]
        for j in range(1, n_negative + 1):
            chance = np.zeros(i * j + 1)
            chance[j:] += above[j] * (i / (i + j))
            chance[: i * (j - 1) + 1] += row[j - 1] * (j / (i + j))
            row.append(chance)
        above = row
    return above[n_negative]


def _approximate_power(n_positive: int, n_negative: int, auroc: float, shift: float, needed: int) -> float:
    """Return the normal approximation to the probability of at least ``needed`` pairs in the right order."""
    pairs = n_positive * n_negative
    # Two pairs that share a subject are both right with this probability (Gauss-Hermite; the same for either class).
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    both = float(weights @ norm.cdf(nodes + shift) ** 2 / weights.sum())
    variance = pairs * (auroc * (1 - auroc) + (n_positive + n_negative - 2) * (both - auroc**2))
    return float(norm.sf((needed - 0.5 - auroc * pairs) / sqrt(variance)))


def _require_classes(n_positive: int, n_negative: int) -> None:
    if min(n_positive, n_negative) < 1:
        raise EndpointError(
            f"There are {n_positive} positive and {n_negative} negative subjects, but each class needs at least 1. "
            "Give the number of subjects (animals, donors), not of samples."
        )


def _require_between(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise EndpointError(f"{name} is {value:g}, but must be above {low:g} and below {high:g}. Correct it.")
