"""An expression matrix whose orientation is found by names known to be on one axis, never by its shape."""

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.cells import Cells
from responder_ml.errors import CohortError, ExpressionError, list_names

_MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none"})


class Axes(Protocol):
    """Two axes of names.

    Attributes
    ----------
    source
        File name, for messages.
    rows, columns
        Names along the axes.
    """

    source: str
    rows: Sequence[str]
    columns: Sequence[str]


class Grid(Axes, Protocol):
    """Two axes of names and the numbers between them."""

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN; text is refused by name."""


class CellGrid:
    """A grid read from a table: the first column names the rows (unless they are given), the header the columns."""

    def __init__(self, cells: Cells, rows: Sequence[str] | None = None) -> None:
        self.source = cells.source
        self.rows: Sequence[str] = cells.text(0) if rows is None else rows
        self.columns: Sequence[str] = cells.header[1:]
        self._columns = cells.columns[1:]

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN; text is refused by name."""
        run = contiguous_run(rows)
        row_indices = pa.array(rows) if run is None else None
        values = np.empty((len(columns), len(rows)))
        for index, column in enumerate(columns):
            all_rows = self._columns[column]
            array = all_rows.take(row_indices) if run is None else all_rows.slice(run.start, len(rows))
            try:
                values[index] = _as_floats(array)
            except _TextCell as cell:
                names = (self.rows[rows[cell.row]], self.columns[column])
                gene, sample = names if genes_in_rows else names[::-1]
                raise ExpressionError(
                    f"{self.source}: gene '{gene}', sample '{sample}' is '{cell.text}', not a number. Expression "
                    "cells hold numbers with a decimal point; remove columns and rows that are not expression."
                ) from None
        return values.T


def genes_are_in_rows(grid: Axes, known: Collection[str], *, known_are: str, enough: float) -> bool:
    """Find the orientation from names that must be on one axis.

    Parameters
    ----------
    grid
        The matrix.
    known
        Names of samples (from the sample sheet) or of genes (of a model).
    known_are
        ``samples`` or ``genes``.
    enough
        Where both axes hold known names, the share of ``known`` that exactly one axis must hold to settle it.

    Raises
    ------
    CohortError
        Neither axis holds a known name, or both do.
    """
    names = set(known)
    in_rows, in_columns = len(names.intersection(grid.rows)), len(names.intersection(grid.columns))
    if not in_rows and not in_columns:
        raise CohortError(_explain_no_match(grid, sorted(names), known_are))
    rows_hold_known = in_rows > 0
    if in_rows and in_columns:
        rows_hold_known, columns_hold_known = in_rows >= enough * len(names), in_columns >= enough * len(names)
        if rows_hold_known == columns_hold_known:
            raise CohortError(
                f"{grid.source}: names of {known_are} are on both axes ({in_rows} of {len(names)} in rows, "
                f"{in_columns} in columns), so its orientation is unknown. Give samples names that no gene has."
            )
    return rows_hold_known == (known_are == "genes")


def read_samples(grid: Grid, samples: Indices, genes: Indices, genes_in_rows: bool) -> Floats:
    """Return samples x genes by position, rows contiguous, missing cells as NaN."""
    if genes_in_rows:
        return np.ascontiguousarray(grid.numbers(genes, samples, genes_in_rows=True).T)
    return np.ascontiguousarray(grid.numbers(samples, genes, genes_in_rows=False))


def letters_and_digits(name: str) -> str:
    """Return the letters and digits of a name in lower case."""
    return "".join(character for character in name.lower() if character.isalnum())


def contiguous_run(positions: Indices) -> slice | None:
    """Return consecutive positions as a slice, None for any others."""
    start = int(positions[0]) if len(positions) else 0
    end = start + len(positions)
    return slice(start, end) if np.array_equal(positions, np.arange(start, end)) else None


class _TextCell(Exception):  # noqa: N818  (caught here and turned into a message)
    def __init__(self, row: int, text: str) -> None:
        self.row = row
        self.text = text


def _as_floats(array: pa.ChunkedArray) -> Floats:
    try:
        numbers = pa.compute.cast(array, pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _one_by_one(array)
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _one_by_one(array: pa.ChunkedArray) -> Floats:
    values = np.empty(len(array))
    for row, cell in enumerate(array.to_pylist()):
        text = "" if cell is None else str(cell).strip()
        if text.lower() in _MISSING:
            values[row] = np.nan
            continue
        try:
            values[row] = float(text.replace("_", "?"))  # Python alone reads 1_000 as a number
        except ValueError:
            raise _TextCell(row, text) from None
    return values


def _explain_no_match(grid: Axes, known: Sequence[str], known_are: str) -> str:
    shown = f"rows start with {list_names(grid.rows)}; columns with {list_names(grid.columns)}"
    if known_are == "genes":
        return (
            f"{grid.source}: none of the {len(known)} genes of the model is on either axis ({shown}). The model "
            f"knows {list_names(known)}. {_gene_hint(grid, known)}"
        )
    hint = _explain_changed_ids(grid, known)
    return (
        f"{grid.source}: none of the {len(known)} sample ids of the sample sheet ({list_names(known)}) is on either "
        f"axis ({shown}). {hint or 'Name the right column with `columns: {sample: ...}`, or make the names agree.'}"
    )


def _gene_hint(grid: Axes, known: Sequence[str]) -> str:
    """Say why no gene matches; nothing is matched by it."""
    lower = {name.lower() for name in known}
    if any(name.lower() in lower for name in (*grid.rows, *grid.columns)):
        return (
            "They differ by case only, as symbols of two species do: name a table of orthologs (`--gene-map FILE` with "
            "`relation: orthologs`); a change of case is not one."
        )
    return "Use the same kind of gene identifier, or name a table that translates them (`--gene-map FILE`)."


def _explain_changed_ids(grid: Axes, known: Sequence[str]) -> str:
    """Return a hint if the ids differ only by changes such as those of R's make.names."""
    plain = {letters_and_digits(name) for name in known}
    for axis, names in (("rows", grid.rows), ("columns", grid.columns)):
        for name in names:
            if letters_and_digits(name) in plain or letters_and_digits(name.removeprefix("X")) in plain:
                return (
                    f"They would match in {axis} except for case, punctuation or a leading X (such as '{name}'); R writes "
                    "names that way unless check.names = FALSE."
                )
    return ""
