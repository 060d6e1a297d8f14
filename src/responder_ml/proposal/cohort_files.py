"""The files a job is proposed from: an expression grid and a sheet, whichever of the two comes first."""

from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path

import pandas as pd

from responder_ml.cohort.cells import kind_of_file
from responder_ml.cohort.grid import Grid
from responder_ml.cohort.grid_files import open_grid
from responder_ml.cohort.h5ad import MatrixGrid, obs_as_text, open_h5ad, with_layer
from responder_ml.cohort.sample_sheet import read_sheet
from responder_ml.cohort.workbook import sheet_names
from responder_ml.errors import CohortError, ProposalError
from responder_ml.proposal.sample_names import match_names

_COUNTS = "counts"


@dataclass(frozen=True)
class CohortFiles:
    """An expression grid and a sample sheet.

    Attributes
    ----------
    source
        ``table`` or ``h5ad``, the key of a job.
    expression, samples
        The files; ``samples`` is None where the sheet is in the expression file.
    grid, sheet, sheet_name
        Their content, and the sheet's name for messages.
    notes
        What was found out while they were opened.
    sheets
        Of a workbook, those of the expression and of the samples; None where they have files of their own.
    layer
        Of an ``.h5ad`` file.
    """

    source: str
    expression: Path
    samples: Path | None
    grid: Grid = field(repr=False)
    sheet: pd.DataFrame = field(repr=False)
    sheet_name: str
    notes: tuple[str, ...] = ()
    sheets: tuple[str, str] | None = None
    layer: str | None = None


def open_files(expression: Path, samples: Path | None) -> CohortFiles:
    """Open an expression file and its sheet.

    Parameters
    ----------
    expression
        Any file `open_grid` reads.
    samples
        Any file `read_sheet` reads; not needed for an ``.h5ad`` file, whose ``obs`` is the sheet, and for a workbook of two sheets.

    Raises
    ------
    CohortError
        A file is missing or broken.
    ProposalError
        There is no sheet.
    """
    if samples is None:
        return _open_alone(expression)
    files = _open_two(expression, samples)
    if match_names(files.sheet, files.grid) is None and _are_swapped(expression, samples):
        note = f"{samples.name} holds the expression and {expression.name} the samples: they were named in the other order."
        return replace(_open_two(samples, expression), notes=(note,))
    return files


def _open_two(expression: Path, samples: Path) -> CohortFiles:
    source = "h5ad" if _is_h5ad(expression) else "table"
    return CohortFiles(source, expression, samples, open_grid(expression), read_sheet(samples), samples.name)


def _are_swapped(expression: Path, samples: Path) -> bool:
    if _is_h5ad(expression):
        return False
    try:
        return match_names(read_sheet(expression), open_grid(samples)) is not None
    except CohortError:
        return False


def _open_alone(expression: Path) -> CohortFiles:
    if _is_h5ad(expression):
        return _open_h5ad(expression)
    if not expression.is_file():
        raise CohortError(f"There is no file {expression}. Check the name and the folder it is in.")
    if kind_of_file(expression) == "workbook":
        files = _open_workbook(expression)
        if files is not None:
            return files
    raise ProposalError(
        f"{expression.name} comes without a sample sheet. Name the table that says which sample is of which class: python -m "
        f"responder_ml init {expression} SAMPLES"
    )


def _open_h5ad(expression: Path) -> CohortFiles:
    data = open_h5ad(expression)
    # X is often on scanpy's logarithmic scale where the counts have a layer of their own.
    layer = _COUNTS if _COUNTS in data.layers else None
    grid = MatrixGrid(expression.name, data if layer is None else with_layer(data, layer, _COUNTS, expression.name))
    obs = obs_as_text(data)
    sheet = pd.concat(
        [pd.DataFrame({"sample": grid.rows}, dtype=object), obs.drop(columns="sample", errors="ignore")], axis=1
    )
    return CohortFiles("h5ad", expression, None, grid, sheet, f"{expression.name} (obs)", layer=layer)


def _open_workbook(book: Path) -> CohortFiles | None:
    """Return the two sheets of a workbook that share most sample names, the wider one as expression; None without such."""
    grids, tables = {}, {}
    for name in sheet_names(book):
        try:
            grids[name], tables[name] = open_grid(book, sheet=name), read_sheet(book, name)
        except CohortError:
            continue  # a sheet of notes or figures is no table
    pairs = []
    for first, second in permutations(grids, 2):
        names = match_names(tables[second], grids[first])
        if names is not None:
            pairs.append((names.count, len(grids[first].rows) * len(grids[first].columns), first, second))
    if not pairs:
        return None
    _, _, expression, samples = max(pairs)
    note = f"Of {book.name} sheet '{expression}' holds the expression and sheet '{samples}' the samples."
    name = f"sheet '{samples}' of {book.name}"
    sheets = (expression, samples)
    return CohortFiles("table", book, book, grids[expression], tables[samples], name, (note,), sheets)


def _is_h5ad(path: Path) -> bool:
    return path.name.lower().endswith(".h5ad")
