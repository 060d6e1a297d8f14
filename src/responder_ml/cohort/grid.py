"""An expression matrix of unknown orientation, found by names known to stand on one axis, never by shape."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Protocol
from warnings import catch_warnings, simplefilter

import numpy as np
import pyarrow as pa
import pyarrow.compute
from anndata import AnnData, read_h5ad

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
        run = _run(rows)
        chosen = pa.array(rows) if run is None else None
        values = np.empty((len(columns), len(rows)))
        for place, column in enumerate(columns):
            whole = self._columns[column]
            array = whole.take(chosen) if run is None else whole.slice(run.start, len(rows))
            try:
                values[place] = _as_floats(array)
            except _Text as found:
                names = (self.rows[rows[found.row]], self.columns[column])
                gene, sample = names if genes_in_rows else names[::-1]
                raise ExpressionError(
                    f"{self.source}: gene '{gene}', sample '{sample}' is '{found.text}', not a number. Expression "
                    "cells hold numbers with a decimal point; remove columns and rows that are not expression."
                ) from None
        return values.T


class MatrixGrid:
    """A grid held as an AnnData: samples are expected in rows, but looked for on both axes like anywhere else."""

    def __init__(self, source: str, data: AnnData) -> None:
        self.source = source
        self.rows: Sequence[str] = [str(name).strip() for name in data.obs_names]
        self.columns: Sequence[str] = [str(name).strip() for name in data.var_names]
        self._matrix = data.X

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN."""
        return _dense(self._matrix[rows], columns)


class FileGrid:
    """A grid that stays in its ``.h5ad`` file, which is open only while a run of rows is read.

    Rows that do not follow one another, and a matrix stored by columns, need all of it in memory.
    """

    def __init__(self, path: Path) -> None:
        data = open_h5ad(path, in_file=True)
        self.source = path.name
        self.rows: Sequence[str] = [str(name).strip() for name in data.obs_names]
        self.columns: Sequence[str] = [str(name).strip() for name in data.var_names]
        self._path = path
        self._by_columns = getattr(data.X, "format", "csr") != "csr"
        self._whole: MatrixGrid | None = None
        data.file.close()

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN."""
        run = _run(rows)
        if run is None or self._by_columns:
            self._whole = self._whole or MatrixGrid(self.source, open_h5ad(self._path))
            return self._whole.numbers(rows, columns, genes_in_rows)
        data = open_h5ad(self._path, in_file=True)
        try:
            return _dense(data.X[run], columns)
        finally:
            data.file.close()


def open_h5ad(path: Path, *, in_file: bool = False) -> AnnData:
    """Read an ``.h5ad`` file.

    Parameters
    ----------
    path
        The file.
    in_file
        Leave the matrix there until it is asked for.

    Raises
    ------
    CohortError
        The file is missing, broken or holds no matrix.
    """
    if not path.is_file():
        raise CohortError(f"There is no file {path}. Check the name and the folder it is in.")
    try:
        with catch_warnings():
            simplefilter("ignore", UserWarning)  # repeated names are refused later, by name
            data = read_h5ad(path, backed="r" if in_file else None)
    except (OSError, KeyError, ValueError, TypeError) as problem:
        raise CohortError(f"{path} could not be read as .h5ad: {problem}. Write it again with anndata.") from problem
    if not _has_matrix(data):
        raise CohortError(f"{path} holds no matrix X. Put the expression values into X.")
    return data


def genes_are_in_rows(grid: Axes, known: Collection[str], *, known_are: str, enough: float) -> bool:
    """Tell the orientation from names that must stand on one axis.

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
    wanted = set(known)
    in_rows, in_columns = len(wanted.intersection(grid.rows)), len(wanted.intersection(grid.columns))
    if not in_rows and not in_columns:
        raise CohortError(_explain_no_match(grid, sorted(wanted), known_are))
    rows_hold_known = in_rows > 0
    if in_rows and in_columns:
        rows_hold_known, columns_hold_known = in_rows >= enough * len(wanted), in_columns >= enough * len(wanted)
        if rows_hold_known == columns_hold_known:
            raise CohortError(
                f"{grid.source}: names of {known_are} stand on both axes ({in_rows} of {len(wanted)} in rows, "
                f"{in_columns} in columns), so its orientation cannot be told. Give samples names that no gene has."
            )
    return rows_hold_known == (known_are == "genes")


def _run(positions: Indices) -> slice | None:
    """Return positions that follow one another as a slice."""
    start = int(positions[0]) if len(positions) else 0
    end = start + len(positions)
    return slice(start, end) if np.array_equal(positions, np.arange(start, end)) else None


def _has_matrix(data: AnnData) -> bool:
    try:
        return data.X is not None
    except KeyError:  # what a matrix that is not in its file amounts to
        return False


def _dense(rows: Any, columns: Indices) -> Floats:
    """Return the chosen columns of an array or a sparse matrix."""
    if hasattr(rows, "toarray"):
        if 2 * len(columns) < rows.shape[1]:
            return np.asarray(rows[:, columns].toarray(), dtype=np.float64)
        rows = rows.toarray()
    if not np.array_equal(columns, np.arange(rows.shape[1])):
        rows = rows[:, columns]
    return np.asarray(rows, dtype=np.float64)


class _Text(Exception):  # noqa: N818  (a finding on its way to a message, not an error of its own)
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
            raise _Text(row, text) from None
    return values


def _explain_no_match(grid: Axes, known: Sequence[str], known_are: str) -> str:
    shown = f"rows start with {list_names(grid.rows)}; columns with {list_names(grid.columns)}"
    if known_are == "genes":
        return (
            f"{grid.source}: none of the {len(known)} genes of the model stands on either axis ({shown}). The model "
            f"knows {list_names(known)}. {_gene_hint(grid, known)}"
        )
    hint = _mangled(grid, known)
    return (
        f"{grid.source}: none of the {len(known)} sample ids of the sample sheet ({list_names(known)}) stands on either "
        f"axis ({shown}). {hint or 'Name the right column with `columns: {sample: ...}`, or make the names agree.'}"
    )


def _gene_hint(grid: Axes, known: Sequence[str]) -> str:
    """Say why no gene matches; nothing is matched by it."""
    lower = {name.lower() for name in known}
    if any(name.lower() in lower for name in (*grid.rows, *grid.columns)):
        return (
            "They differ by case only, as symbols of two species do: name a table of orthologs (`--gene-map FILE` with "
            "`relation: orthologs`); a change of case is none."
        )
    return "Use the same kind of gene identifier, or name a table that translates them (`--gene-map FILE`)."


def _mangled(grid: Axes, known: Sequence[str]) -> str:
    """Return a hint if the ids would match but for what R's make.names and the like do to them."""
    plain = {_plain(name) for name in known}
    for axis, names in (("rows", grid.rows), ("columns", grid.columns)):
        for name in names:
            if _plain(name) in plain or _plain(name.removeprefix("X")) in plain:
                return (
                    f"They would match in {axis} but for case, punctuation or a leading X (such as '{name}'); R writes "
                    "names that way unless told check.names = FALSE."
                )
    return ""


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
