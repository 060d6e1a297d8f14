"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods) as rectangles of text: one sheet, as its cells are shown where that matters."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from responder_ml.errors import CohortError, list_names

# No gene identifier is a number this large; a RIKEN clone name read as a number is.
_LARGEST_ID = 1e10


def sheet_names(path: Path) -> list[str]:
    """Return the names of a workbook's sheets in their order.

    Raises
    ------
    CohortError
        The workbook cannot be opened.
    """
    return _read_sheets(path, None)[0]


def read_sheet_of_workbook(path: Path, sheet: str | None) -> tuple[list[list[str]], list[str]]:
    """Return the rows of one sheet as text, blank ones at the edges left out, and notes.

    Parameters
    ----------
    path
        The workbook.
    sheet
        Name of the sheet; the first one that is not empty if not given.

    Raises
    ------
    CohortError
        The workbook cannot be opened, or has no such sheet.
    """
    names, tables = _read_sheets(path, sheet)
    filled = [name for name, rows in tables.items() if rows]
    name = sheet or (filled[0] if filled else names[0])
    others = [other for other in filled if other != name]
    notes = [f"Sheet '{name}' was read; {list_names(others)} were not (key `sheet`)."] if others else []
    return [
        [_label(cell) if not column else _text(cell) for column, cell in enumerate(row)] for row in tables[name]
    ], notes


def _read_sheets(path: Path, sheet: str | None) -> tuple[list[str], dict[str, list[list[Any]]]]:
    """Return the names of all sheets, and the cells of one or of all."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, WorkbookClosed, XmlError, ZipError

    try:
        with CalamineWorkbook.from_path(path) as book:
            names = list(book.sheet_names)
            if sheet is not None and sheet not in names:
                raise CohortError(f"{path.name} has no sheet '{sheet}'. It has: {list_names(names, 20)}.")
            return names, {name: book.get_sheet_by_name(name).to_python() for name in ([sheet] if sheet else names)}
    except PasswordError as problem:
        raise CohortError(f"{path} is locked by a password. Save it without one.") from problem
    except (CalamineError, WorkbookClosed, XmlError, ZipError, OSError, ValueError) as problem:
        raise CohortError(
            f"{path} could not be read as a workbook: {problem}. Open it in a spreadsheet program and save it again as .xlsx."
        ) from problem


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ") if cell.time() != time.min else cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float):
        if cell != cell:  # not a number
            return ""
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, timedelta):
        return str(cell.total_seconds() / 86400)
    return "" if cell is None else str(cell)


def _label(cell: Any) -> str:
    """Return a cell as a name; numbers too large for an identifier are written the way a spreadsheet shows them."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(float(cell)) >= _LARGEST_ID:
        return f"{cell:.6E}"
    return _text(cell)
