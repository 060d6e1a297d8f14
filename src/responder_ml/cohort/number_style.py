"""How a table writes its numbers: with a decimal point or comma, with thousands apart or not.

The whole table decides: ``1,046`` alone can be one thousand and forty-six or one and a bit, but beside ``9,97`` it cannot be a
thousand, and beside ``532`` and no ``1532`` it is. Where a table contradicts itself, it is read as it is and the first odd cell
is refused by name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute

_MOST_CELLS = 200_000
_GROUPS = {mark: re.compile(rf"[-+]?\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+") for mark in ",.' \u00a0\u202f\u2019"}
_DECIMALS = re.compile(r"[.,]\d*(?:[eE][-+]?\d+)?$")
_WHOLE = re.compile(r"[-+]?\d+")
# Where numbers of three digits have no mark, those with one are thousands.
_LEAST_UNMARKED = 0.1


@dataclass(frozen=True)
class NumberStyle:
    """The marks in a table's numbers.

    Attributes
    ----------
    decimal
        ``.`` or ``,``.
    thousands
        The mark between thousands, empty where there is none.
    """

    decimal: str = "."
    thousands: str = ""

    @property
    def note(self) -> str:
        """What to say about it; empty for plain numbers."""
        words = ["with decimal commas"] if self.decimal == "," else []
        words += [f"with '{self.thousands}' between thousands"] if self.thousands else []
        return f"Numbers are written {' and '.join(words)}." if words else ""

    def plain(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return a column of text with plain numbers."""
        if self.thousands:
            column = pa.compute.replace_substring(column, self.thousands, "")
        return pa.compute.replace_substring(column, ",", ".") if self.decimal == "," else column


def find_style(columns: Sequence[pa.ChunkedArray], *, counts: bool = False) -> NumberStyle:
    """Find how the numbers of a table's columns of text are written.

    Parameters
    ----------
    columns
        Text; others are not looked at.
    counts
        Whether they are declared as counts, which have no decimals.

    Examples
    --------
    >>> find_style([pa.chunked_array([["10,028", "9,97"]])])
    NumberStyle(decimal=',', thousands='')
    >>> find_style([pa.chunked_array([["1,046", "532", "12"]])])
    NumberStyle(decimal='.', thousands=',')
    """
    text = [column for column in columns if pa.types.is_string(column.type)]
    if not any(_holds(column, mark) for column in text for mark in _GROUPS):
        return NumberStyle()
    cells = _some_cells(text)
    for mark in "' \u00a0\u202f\u2019":
        marked = [cell for cell in cells if mark in cell]
        if marked and all(_GROUPS[mark].fullmatch(_DECIMALS.sub("", cell)) for cell in marked):
            decimal = find_style([pa.chunked_array([[cell.replace(mark, "") for cell in cells]], pa.string())]).decimal
            return NumberStyle(decimal, mark)
    commas, points = [cell for cell in cells if "," in cell], [cell for cell in cells if "." in cell]
    whole = [cell for cell in cells if _WHOLE.fullmatch(cell)]
    if not commas:
        return NumberStyle(".", ".") if points and _are_thousands(points, whole, ".", counts) else NumberStyle()
    if not points:
        return NumberStyle(".", ",") if _are_thousands(commas, whole, ",", counts) else _with_comma(commas, "")
    if all(_GROUPS[","].fullmatch(cell.split(".")[0]) for cell in commas):
        return NumberStyle(".", ",")
    if all(_GROUPS["."].fullmatch(cell.split(",")[0]) for cell in points):
        return _with_comma(commas, ".")
    return NumberStyle()


def _holds(column: pa.ChunkedArray, mark: str) -> bool:
    return bool(pa.compute.any(pa.compute.match_substring(column, mark)).as_py())


def _some_cells(columns: Sequence[pa.ChunkedArray]) -> list[str]:
    """Return cells from all columns, as many of each."""
    share = max(1, _MOST_CELLS // max(len(columns), 1))
    return [cell.strip() for column in columns for cell in column.slice(0, share).to_pylist() if cell and cell.strip()]


def _are_thousands(marked: Sequence[str], whole: Sequence[str], mark: str, counts: bool) -> bool:
    if not all(_GROUPS[mark].fullmatch(cell) for cell in marked):
        return False
    is_small = all(len(cell.lstrip("+-0")) <= 3 for cell in whole)
    return is_small and (counts or (bool(whole) and len(whole) >= _LEAST_UNMARKED * len(marked)))


def _with_comma(commas: Sequence[str], thousands: str) -> NumberStyle:
    """Return decimal commas where each cell has at most one."""
    return NumberStyle(",", thousands) if all(cell.count(",") == 1 for cell in commas) else NumberStyle()
