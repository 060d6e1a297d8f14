"""The files a job is proposed from: an expression grid and a sheet, whichever of the two comes first."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from responder_ml.cohort.grid import Grid
from responder_ml.cohort.grid_files import open_grid
from responder_ml.cohort.h5ad import MatrixGrid, open_h5ad
from responder_ml.cohort.sample_sheet import read_sheet
from responder_ml.errors import CohortError, ProposalError
from responder_ml.proposal.sample_names import match_names

_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


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
    """

    source: str
    expression: Path
    samples: Path | None
    grid: Grid = field(repr=False)
    sheet: pd.DataFrame = field(repr=False)
    sheet_name: str
    notes: tuple[str, ...] = ()


def open_files(expression: Path, samples: Path | None) -> CohortFiles:
    """Open an expression file and its sheet.

    Parameters
    ----------
    expression
        Any file `open_grid` reads.
    samples
        Any file `read_sheet` reads; not needed for an ``.h5ad`` file, whose ``obs`` is the sheet.

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
        data = open_h5ad(expression)
        grid = MatrixGrid(expression.name, data)
        obs = {
            str(name): ["" if pd.isna(cell) else str(cell).strip() for cell in data.obs[name]]
            for name in data.obs.columns
        }
        sheet = pd.DataFrame(
            {"sample": list(grid.rows), **{name: obs[name] for name in obs if name != "sample"}}, dtype=object
        )
        return CohortFiles("h5ad", expression, None, grid, sheet, f"{expression.name} (obs)")
    raise ProposalError(
        f"{expression.name} comes without a sample sheet. Name the table that says which sample is of which class: python -m "
        f"responder_ml init {expression} SAMPLES"
    )


def _is_h5ad(path: Path) -> bool:
    return path.name.lower().endswith(".h5ad")
