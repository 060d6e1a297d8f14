"""Which column of a sample sheet names the samples of a matrix, and on which of its axes they are."""

from dataclasses import dataclass

import pandas as pd

from responder_ml.arrays import Flags
from responder_ml.cohort.grid import Axes, letters_and_digits
from responder_ml.errors import ProposalError, list_names


@dataclass(frozen=True)
class SampleNames:
    """Where sample names are.

    Attributes
    ----------
    column
        Column of the sheet.
    genes_in_rows
        Whether samples are the matrix' columns.
    in_matrix
        Which rows of the sheet have a sample in the matrix, shape ``(n_rows,)``.
    """

    column: str
    genes_in_rows: bool
    in_matrix: Flags

    @property
    def count(self) -> int:
        """Number of rows with a sample in the matrix."""
        return int(self.in_matrix.sum())


def match_names(sheet: pd.DataFrame, grid: Axes) -> SampleNames | None:
    """Return the column with most values on one axis of the matrix; None where no column has two.

    A column whose values repeat names no samples. Of columns that do equally well, one called ``sample`` or ``sample_id`` is
    taken, then the first.
    """
    best: SampleNames | None = None
    by_name = sorted(sheet.columns, key=lambda name: str(name).lower() not in ("sample", "sample_id"))
    for column in by_name:
        if sheet[column].duplicated().any():
            continue
        for axis, genes_in_rows in ((grid.columns, True), (grid.rows, False)):
            names = SampleNames(str(column), genes_in_rows, sheet[column].isin(set(axis)).to_numpy())
            if names.count >= 2 and (best is None or names.count > best.count):
                best = names
    return best


def explain_no_match(sheet: pd.DataFrame, sheet_name: str, grid: Axes) -> ProposalError:
    """Return the error that shows names of both files, and says how near they are to one another."""
    axes = {letters_and_digits(name): name for name in (*grid.rows, *grid.columns)}
    shown = "\n".join(f"  {name}: {list_names([str(cell) for cell in sheet[name].head(3)])}" for name in sheet.columns)
    hint = "Give the samples the same names in both files."
    for column in sheet.columns:
        if sheet[column].duplicated().any():
            repeated = sheet[column][sheet[column].duplicated()]
            if set(sheet[column]) & {*grid.rows, *grid.columns}:
                hint = (
                    f"'{column}' has names of the matrix, but {list_names(sorted(set(repeated)))} more than once. Each sample "
                    "has one row in the sheet."
                )
            continue
        alike = [(name, axes[letters_and_digits(name)]) for name in sheet[column] if letters_and_digits(name) in axes]
        if len(alike) >= 2:
            hint = (
                f"'{column}' comes near: {alike[0][0]!r} there is {alike[0][1]!r} in the matrix. Write them alike, capitals, "
                "blanks and punctuation included."
            )
    return ProposalError(
        f"No column of {sheet_name} holds the sample names of {grid.source}. The matrix has rows {list_names(list(grid.rows[:3]))} "
        f"and columns {list_names(list(grid.columns[:3]))}; the sheet has\n{shown}\n{hint}"
    )
