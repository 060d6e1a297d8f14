"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods) as rectangles of text: one sheet, as its cells are shown where that matters."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from responder_ml.cohort import workbook_reader
from responder_ml.errors import CohortError, list_names


def sheet_names(path: Path) -> list[str]:
    """Return the names of a workbook's sheets in their order.

    Raises
    ------
    CohortError
        The workbook cannot be opened.
    """
    return list(_lines(path, None)[0])


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
        The workbook cannot be opened, has no such sheet, or has far more cells than a file of its size.
    """
    names, *rest = _lines(path, sheet)
    if not rest:
        raise CohortError(f"{path.name} has no sheet '{sheet}'. It has: {list_names(names, 20)}.")
    (name, filled), *rows = rest
    others = [other for other in filled if other != name]
    notes = [f"Sheet '{name}' was read; {list_names(others)} were not (key `sheet`)."] if others else []
    return rows, notes


def _lines(path: Path, sheet: str | None) -> list[Any]:
    """Return what the program that reads workbooks wrote.

    Raises
    ------
    CohortError
        It reports a problem, or was ended.
    """
    command = [sys.executable, "-m", workbook_reader.__name__, str(path), *([] if sheet is None else [sheet])]
    # It must find what this process does, also where this process was told of a folder after it began.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    answer = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    lines = [json.loads(line) for line in answer.stdout.splitlines()] if answer.returncode == 0 else []
    problem = next((line for line in lines[:3] if isinstance(line, dict)), {})
    if "locked" in problem:
        raise CohortError(f"{path} is locked by a password. Save it without one.")
    if "cells" in problem:
        name, rows, columns = problem["cells"]
        raise CohortError(
            f"{path} has a sheet '{name}' of {rows:,} x {columns:,} cells, far more than a table in a file of its size. Delete the "
            "empty rows and columns after the table, or save the table as .tsv."
        )
    reason = problem.get("broken") or _end_of(answer)
    if reason:
        raise CohortError(
            f"{path} could not be read as a workbook: {reason}. Open it in a spreadsheet program and save it again as .xlsx."
        )
    return lines


def _end_of(answer: "subprocess.CompletedProcess[bytes]") -> str:
    """Say how the program ended; empty where it ended well."""
    if answer.returncode == 0:
        return ""
    if answer.returncode == -getattr(signal, "SIGXCPU", 0):
        return "it takes far longer than a workbook of its size"
    said = answer.stderr.decode(errors="replace").strip().splitlines()
    if answer.returncode < 0 or "MemoryError" in said[-1:]:
        return "it is damaged, or needs far more memory than a workbook of its size"
    return said[-1] if said else f"its reader ended with code {answer.returncode}"
