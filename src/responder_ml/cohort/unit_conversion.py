"""From the units of a table to those a model was trained in, where there is a way."""

import numpy as np
from numpy.typing import NDArray

from responder_ml.cohort.counts_from_log2 import counts_from_log2
from responder_ml.exceptions import ExpressionError

Floats = NDArray[np.float64]

_CONVERSIONS = (("log2", "counts"), ("log2", "tpm"))


def convert_units(values: Floats, units: str, wanted: str, depth: float) -> Floats:
    """Bring values to the units a model was trained in.

    A model of counts takes log2 counts per million: they become counts again (`counts_from_log2`), after which the
    model's own normalisation applies as to any counts. A model of TPM takes ``log2(TPM + 1)``. Nothing else can be undone.

    Parameters
    ----------
    values
        Samples x genes in ``units``.
    units, wanted
        ``counts``, ``log2`` or ``tpm``.
    depth
        Typical library size in training, counts, for values that do not tell their own.

    Raises
    ------
    ExpressionError
        There is no way from ``units`` to ``wanted``.
    """
    if units == wanted:
        return values
    if (units, wanted) not in _CONVERSIONS:
        ways = " or ".join([wanted, *(source for source, target in _CONVERSIONS if target == wanted)])
        raise ExpressionError(
            f"The table is declared as {units}, but the model was trained on {wanted}, and one cannot be made from the "
            f"other. Give {ways}" + (" made the way the training values were." if wanted == "log2" else ".")
        )
    if wanted == "tpm":
        return np.asarray(np.maximum(2.0**values - 1.0, 0.0), dtype=np.float64)
    return counts_from_log2(values, depth)
