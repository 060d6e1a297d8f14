"""Types of the fields of a result, with numbers that JSON can hold."""

import math
from typing import Annotated, Any

from pydantic import BeforeValidator

_DIGITS = 10


def finite(value: Any) -> Any:
    """Return a number JSON can hold; digits beyond the tenth differ between machines and mean nothing."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), _DIGITS)


Number = Annotated[float | None, BeforeValidator(finite)]
Interval = tuple[Number, Number]
"""Lower and upper end of a 95 % interval."""
RowFilter = dict[str, str | list[str]]
"""Columns of the sample sheet, each with the value or values of the rows that take part."""
