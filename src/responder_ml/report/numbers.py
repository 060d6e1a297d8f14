"""How numbers are written: rounded for people, whole for machines.

Each number stands in a ``<data value="...">`` element that carries it unrounded, so what a reader sees can be checked
against ``result.json`` by a program.
"""

import math
from collections.abc import Sequence
from typing import SupportsFloat

from markupsafe import Markup

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Smaller p-values are written as a power of ten.
_SMALLEST_PLAIN_P = 0.0001

Value = SupportsFloat | None


def is_missing(value: Value) -> bool:
    """Tell whether there is no number: None, nan or infinite."""
    return value is None or not math.isfinite(float(value))


def number(value: Value, digits: int = 2) -> Markup:
    """Return a number rounded to ``digits`` decimals."""
    return _data(value, _minus(f"{_rounded(value, digits):.{digits}f}"))


def signed(value: Value, digits: int = 2) -> Markup:
    """Return a number with its sign."""
    return _data(value, _minus(f"{_rounded(value, digits):+.{digits}f}"))


def percent(value: Value, digits: int = 0) -> Markup:
    """Return a share as a percentage."""
    return _data(value, f"{100 * _float(value):.{digits}f} %")


def count(value: Value) -> Markup:
    """Return a whole number with thousands separated."""
    return _data(value, f"{_float(value):,.0f}")


def interval(ends: Sequence[Value] | None, digits: int = 2) -> Markup:
    """Return ``low to high``."""
    if ends is None or any(is_missing(end) for end in ends):
        return _data(None, "")
    low, high = ends
    return number(low, digits) + " to " + number(high, digits)


def signed_interval(ends: Sequence[Value], digits: int = 2) -> Markup:
    """Return ``+low to +high``, for differences."""
    if any(is_missing(end) for end in ends):
        return _data(None, "")
    low, high = ends
    return signed(low, digits) + " to " + signed(high, digits)


def p_value(value: Value) -> Markup:
    """Return a p-value with two significant digits."""
    return _data(value, p_text(value))


def p_text(value: Value) -> str:
    """Return a p-value with two significant digits, as plain text."""
    p = _float(value)
    if p == 0 or p >= _SMALLEST_PLAIN_P:
        return f"{p:.2g}"
    digits, exponent = f"{p:.1e}".split("e")
    return f"{digits} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def plain(value: Value, digits: int = 2) -> str:
    """Return a rounded number without markup, for text files and figures."""
    return "not estimated" if is_missing(value) else f"{_rounded(value, digits):.{digits}f}"


def brief(value: object) -> str:
    """Return a parameter's value; of a fraction three significant digits, which is more than a search settles."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _data(value: Value, text: str) -> Markup:
    if is_missing(value):
        return Markup('<span class="missing">not estimated</span>')
    # Ten digits: the last bits may differ after a trip through CSV and mean nothing.
    return Markup('<data value="{}">{}</data>').format(f"{_float(value):.10g}", text)


def _minus(text: str) -> str:
    """Put a minus sign where a hyphen was, so that lines do not break after it."""
    return text.replace("-", "−")


def _float(value: Value) -> float:
    return 0.0 if is_missing(value) or value is None else float(value)


def _rounded(value: Value, digits: int) -> float:
    """Round, and turn -0.00 into 0.00."""
    return round(_float(value), digits) + 0.0
