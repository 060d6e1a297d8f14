"""A program of its own that reads one sheet of a workbook and writes its cells as lines of JSON.

A workbook of a few kilobytes can stand for more cells than any memory holds, and a damaged one can end the library that reads it.
Here either ends a process that has nothing to lose, and that may take no more memory and time than workbooks of this size do.
"""

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

# A cell takes at least half a byte of a packed workbook and up to 32 bytes of memory.
_LEAST_BYTES, _BYTES_PER_BYTE = 3 * 2**29, 256
_LEAST_SECONDS, _SECONDS_PER_MEGABYTE = 15, 6
# Fewer cells are read from a file of any size.
_LEAST_CELLS, _CELLS_PER_BYTE = 2**22, 64
# No gene identifier is a number this large; a RIKEN clone name read as a number is.
_LARGEST_ID = 1e10


def main() -> None:
    """Write a line with the names of all sheets, a line on the one that was chosen, and a line per row; or one with a problem."""
    path, sheet = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    limit_resources(path.stat().st_size)
    for line in sheet_lines(path, sheet):
        sys.stdout.write(f"{json.dumps(line)}\n")


def limit_resources(size: int) -> None:
    """Limit this process's memory and time by the size of a file, where the system can."""
    try:
        import resource
    except ImportError:  # Windows has none
        return
    memory, seconds = _LEAST_BYTES + _BYTES_PER_BYTE * size, _LEAST_SECONDS + _SECONDS_PER_MEGABYTE * size // 10**6
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def sheet_lines(path: Path, sheet: str | None) -> Iterator[Any]:
    """Yield the names of all sheets, then the chosen one with those that have cells, then its rows as text.

    Parameters
    ----------
    path
        The workbook.
    sheet
        Name of the sheet; the first one that is not empty if not given.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, WorkbookClosed, XmlError, ZipError

    try:
        with CalamineWorkbook.from_path(path) as book:
            names = list(book.sheet_names)
            yield names
            if sheet is not None and sheet not in names:
                return
            chosen, filled = sheet, []
            for name in [sheet] if sheet else names:
                table = book.get_sheet_by_name(name)
                if table.height:
                    filled.append(name)
                    chosen = chosen or name
                if table.height * table.width > max(_LEAST_CELLS, _CELLS_PER_BYTE * path.stat().st_size):
                    yield {"cells": [name, table.height, table.width]}
                    return
            chosen = chosen or names[0]
            yield [chosen, filled]
            for row in book.get_sheet_by_name(chosen).to_python():
                yield [as_name(cell) if not column else as_text(cell) for column, cell in enumerate(row)]
    except PasswordError:
        yield {"locked": True}
    except (CalamineError, WorkbookClosed, XmlError, ZipError, OSError, ValueError) as problem:
        yield {"broken": str(problem)}


def as_text(cell: Any) -> str:
    """Return a cell as text."""
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


def as_name(cell: Any) -> str:
    """Return a cell as a name; numbers too large for an identifier are written the way a spreadsheet shows them."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(float(cell)) >= _LARGEST_ID:
        return f"{cell:.6E}"
    return as_text(cell)


if __name__ == "__main__":
    main()
