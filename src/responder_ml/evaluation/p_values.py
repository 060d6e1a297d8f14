"""The p of an observed statistic among those of relabelled subjects: of random labellings, or of all of them.

References
----------
Phipson B, Smyth GK (2010) Permutation p-values should never be zero. doi:10.2202/1544-6115.1585
"""

import numpy as np
from numpy.typing import ArrayLike

from responder_ml.arrays import Flags, Floats

# Statistics that differ by less, relative to the observed one where it exceeds 1, are the same but for rounding.
_ROUNDING = 1e-9


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


def monte_carlo_p(null: ArrayLike, observed: float) -> float:
    """Return ``(C + 1) / (l + 1)``: the observed labelling counts as one of those drawn.

    Parameters
    ----------
    null
        Statistics of l random relabellings.
    observed
        Statistic of the observed labels; large values are evidence against the null.

    Raises
    ------
    ValueError
        A statistic is nan.
    """
    reached = reaches(null, observed).ravel()
    return float((np.count_nonzero(reached) + 1) / (reached.size + 1))


def exact_p(null: ArrayLike, observed: float, weights: Floats | None = None) -> float:
    """Return the share of all labellings whose statistic is at or above the observed one.

    Parameters
    ----------
    null
        Statistic of every labelling once, the observed labelling first. That one is counted whatever rounding did to
        it, so p is never below one over the number of labellings.
    observed
        Statistic of the observed labels.
    weights
        Probability of each labelling, up to a factor; equal by default.

    Raises
    ------
    ValueError
        There is no statistic, or one is nan.
    """
    reached = reaches(null, observed).ravel()
    if reached.size == 0:
        raise ValueError("an exact p needs the statistic of every labelling, the observed one first; none was given")
    if weights is not None:
        reached[0] = True
        of_values = weights[: reached.size]
        return float(of_values[reached].sum() / of_values.sum())
    return float((1 + np.count_nonzero(reached[1:])) / reached.size)
