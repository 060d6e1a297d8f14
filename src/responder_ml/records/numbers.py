"""Types of the fields of a result, with numbers that JSON can hold."""

import math
import sys
from numbers import Integral, Real
from typing import Annotated, Any

from pydantic import BeforeValidator

_DIGITS = 10
_LARGEST = int(sys.float_info.max)


def finite(value: Any) -> Any:
    """Return a number JSON can hold; digits beyond the tenth differ between machines and mean nothing.

    Raises
    ------
    ValueError
        It is no number; pydantic says where.
    """
    if value is None:
        return None
    if not isinstance(value, Real):
        raise ValueError(f"a number is expected, not {type(value).__name__}")
    if isinstance(value, Integral) and abs(int(value)) > _LARGEST:
        raise ValueError("the number is too large")
    if not math.isfinite(value):
        return None
    return round(float(value), _DIGITS)


Number = Annotated[float | None, BeforeValidator(finite)]
Interval = tuple[Number, Number]
"""Lower and upper end of a 95 % interval."""
RowFilter = dict[str, str | list[str]]
"""Columns of the sample sheet, each with the value or values of the rows that take part."""
