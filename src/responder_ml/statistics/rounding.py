"""What rounding alone makes of a constant column."""

import numpy as np

EPSILON = float(np.finfo(np.float64).eps)


def rounding_share(count: int) -> float:
    """Return the root mean square deviation, as a share of the mean, up to which a column is taken to be constant.

    Parameters
    ----------
    count
        Number of values.
    """
    return (10.0 + count) * EPSILON
