"""What rounding alone makes of a constant column."""

from typing import Any

import numpy as np

EPSILON = float(np.finfo(np.float64).eps)


def rounding_error(mean: Any, count: float) -> Any:
    """Return the root mean square deviation up to which a column is taken to be constant.

    Parameters
    ----------
    mean
        Mean of the column, or of several.
    count
        Number of values.
    """
    return (10.0 + count) * EPSILON * np.abs(mean)
