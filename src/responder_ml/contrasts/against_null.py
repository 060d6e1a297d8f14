"""Statistics of the observed groups against the same statistics under a null, however that was made.

References
----------
Phipson B, Smyth GK (2010) Permutation p-values should never be zero. Stat Appl Genet Mol Biol 9:39.
doi:10.2202/1544-6115.1585
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Statistics nearer than this, relative to the value compared with if it exceeds 1, differ by rounding only.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class AgainstNull:
    """Observed statistics and their null; arrays have one value per statistic.

    Attributes
    ----------
    observed
        Under the observed groups.
    expected, sd
        Mean and standard deviation over the null, the observed value included. If the null hypothesis holds, the observed value
        equals ``expected`` on average, exactly.
    p_value
        (C + 1) / (B + 1), C of B null values at or above the observed one; large values speak for the claim.
    smallest_p
        The smallest p this null can yield: the share of its values that equal the largest.
    """

    observed: Floats
    expected: Floats
    sd: Floats
    p_value: Floats
    smallest_p: Floats


def compare_with_null(values: Floats) -> AgainstNull:
    """Return the test of each statistic.

    Parameters
    ----------
    values
        Statistics, draws x statistics; the observed ones are the first row. None may be nan.

    Raises
    ------
    ValueError
        A statistic is nan: comparing it would quietly count in favour of the observed value.
    """
    if np.isnan(values).any():
        raise ValueError("a statistic is nan under the null; every draw must have a value")
    observed = values[0]
    return AgainstNull(
        observed=observed,
        expected=values.mean(axis=0),
        sd=values.std(axis=0),
        p_value=_reached(values, observed).mean(axis=0),
        smallest_p=_reached(values, values.max(axis=0)).mean(axis=0),
    )


def _reached(values: Floats, bar: Floats) -> NDArray[np.bool_]:
    return np.asarray(values >= bar - _ROUNDING * np.maximum(1.0, np.abs(bar)), dtype=np.bool_)
