"""Names for the arrays that functions take and return; shapes are told where they are used."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
"""Single precision: for ranking only."""
Integers = NDArray[np.int64]
Indices = NDArray[np.intp]
"""Positions along an axis of another array, or codes of categories."""
Flags = NDArray[np.bool_]
Labels = NDArray[np.int8]
"""1 positive, 0 negative."""
Signs = NDArray[np.int8]
"""1 up, -1 down, 0 neither."""
Strings = NDArray[np.str_]
