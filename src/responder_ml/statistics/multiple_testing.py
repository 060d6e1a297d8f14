"""Adjusted p-values for many tests: false discovery rate and family-wise error.

References
----------
Benjamini Y, Hochberg Y (1995) Controlling the false discovery rate. J R Stat Soc B 57:289-300.
doi:10.1111/j.2517-6161.1995.tb02031.x
Holm S (1979) A simple sequentially rejective multiple test procedure. Scand J Stat 6:65-70.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control

from responder_ml.arrays import Floats


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Return Benjamini-Hochberg adjusted p-values along the last axis."""
    return np.asarray(false_discovery_control(np.asarray(p_values, dtype=np.float64), axis=-1), dtype=np.float64)


def holm(p_values: ArrayLike) -> Floats:
    """Return Holm's adjusted p-values along the last axis; they are valid under any dependence between the tests.

    The i-th smallest of m p-values becomes the largest of ``min(1, (m - j + 1) p_(j))`` over j up to i. A p-value that
    is nan stays nan but counts as a test that was made.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    # nan sorts last, where it does not affect the others.
    order = np.argsort(values, axis=-1, kind="stable")
    remaining = values.shape[-1] - np.arange(values.shape[-1])
    stepped = np.maximum.accumulate(np.take_along_axis(values, order, axis=-1) * remaining, axis=-1)
    adjusted = np.empty_like(values)
    np.put_along_axis(adjusted, order, np.minimum(stepped, 1.0), axis=-1)
    return adjusted
