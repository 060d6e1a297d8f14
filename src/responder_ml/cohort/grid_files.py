"""Expression files of any kind opened as grids: names of both axes at once, cells read on demand where the format allows it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from anndata import AnnData, read_h5ad

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.cells import Cells, index_first, plain_text, read_cells
from responder_ml.cohort.grid import CellGrid, Grid, contiguous_run
from responder_ml.errors import CohortError


def open_grid(path: Path) -> Grid:
    """Read the axes of an expression file; its cells are read when they are needed.

    Raises
    ------
    CohortError
        The file is missing, of an unknown kind or broken.
    """
    name = path.name.lower()
    if name.endswith(".h5ad"):
        return H5adGrid(path)
    in_file = _open_parquet(path) if name.endswith(".parquet") and path.is_file() else None
    return in_file or CellGrid(read_cells(path))


def open_h5ad(path: Path, *, in_file: bool = False) -> AnnData:
    """Read an ``.h5ad`` file.

    Parameters
    ----------
    path
        The file.
    in_file
        Leave the matrix in the file until it is read.

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


class MatrixGrid:
    """A grid held as an AnnData; usually with samples in rows, but the orientation is looked up as for any other grid."""

    def __init__(self, source: str, data: AnnData) -> None:
        self.source = source
        self.rows: Sequence[str] = [str(name).strip() for name in data.obs_names]
        self.columns: Sequence[str] = [str(name).strip() for name in data.var_names]
        self._matrix = data.X

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN."""
        return _dense(self._matrix[rows], columns)


class H5adGrid:
    """A grid that stays in its ``.h5ad`` file, which is open only while consecutive rows are read.

    Other selections of rows, and a matrix stored by columns, need the whole matrix in memory.
    """

    def __init__(self, path: Path) -> None:
        data = open_h5ad(path, in_file=True)
        self.source = path.name
        self.rows: Sequence[str] = [str(name).strip() for name in data.obs_names]
        self.columns: Sequence[str] = [str(name).strip() for name in data.var_names]
        self._path = path
        self._by_columns = getattr(data.X, "format", "csr") != "csr"
        self._in_memory: MatrixGrid | None = None
        data.file.close()

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN."""
        run = contiguous_run(rows)
        if run is None or self._by_columns:
            self._in_memory = self._in_memory or MatrixGrid(self.source, open_h5ad(self._path))
            return self._in_memory.numbers(rows, columns, genes_in_rows)
        data = open_h5ad(self._path, in_file=True)
        try:
            return _dense(data.X[run], columns)
        finally:
            data.file.close()


class ParquetGrid:
    """A grid that stays in its Parquet file: the first column names the rows, and no column name repeats.

    Rows are read by whole row groups, and the last ones read are cached: a block of samples often ends inside one.
    """

    def __init__(self, path: Path, header: Sequence[str], order: Sequence[str], rows: Sequence[str]) -> None:
        self.source = path.name
        self.rows = rows
        self.columns: Sequence[str] = header[1:]
        self._path = path
        self._header = header
        self._order = order
        metadata = pa.parquet.read_metadata(path)
        sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
        self._read: tuple[tuple[int, int, bytes], Cells] | None = None

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN; text is refused by name."""
        if not len(rows):
            return np.empty((0, len(columns)))
        first, last = np.searchsorted(self._starts, [rows.min(), rows.max()], side="right") - 1
        cells = self._cells(int(first), int(last) + 1, columns)
        start, end = self._starts[first], self._starts[last + 1]
        groups = CellGrid(cells, self.rows[start:end])
        return groups.numbers(rows - start, np.arange(len(columns)), genes_in_rows)

    def _cells(self, first: int, end: int, columns: Indices) -> Cells:
        key = first, end, np.asarray(columns).tobytes()
        if self._read is None or self._read[0] != key:
            self._read = None
            names = [self._order[column + 1] for column in columns]
            try:
                with pa.parquet.ParquetFile(self._path) as file:
                    table = file.read_row_groups(list(range(first, end)), columns=[self._order[0], *names])
            except (pa.ArrowInvalid, OSError) as problem:
                raise CohortError(f"{self._path} could not be read: {problem}. Check that it is complete.") from problem
            # The reader gives columns in the file's order.
            position = {name: index for index, name in enumerate(table.column_names)}
            arrays = tuple(plain_text(table.column(position[name])) for name in (self._order[0], *names))
            header = (self._header[0], *(self.columns[column] for column in columns))
            self._read = key, Cells(self.source, header, arrays)
        return self._read[1]


def _open_parquet(path: Path) -> ParquetGrid | None:
    """Return the grid of a Parquet file; None where it must be read as a whole, which also refuses a broken file."""
    try:
        schema = pa.parquet.read_schema(path)
        header, order = index_first(schema)
        if len(header) < 2 or len(set(schema.names)) < len(schema.names):
            return None
        with pa.parquet.ParquetFile(path) as file:
            first = file.read(columns=[order[0]]).column(order[0])
    except (pa.ArrowInvalid, OSError):
        return None
    rows = Cells(path.name, (header[0],), (plain_text(first),)).text(0)
    return ParquetGrid(path, header, order, rows) if rows else None


def _has_matrix(data: AnnData) -> bool:
    try:
        return data.X is not None
    except KeyError:  # the file has no matrix
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
