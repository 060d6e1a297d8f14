"""A grid that stays in its Parquet file: row groups and columns are read when they are asked for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.cells import Cells, index_first, plain_text
from responder_ml.cohort.grid import CellGrid
from responder_ml.errors import CohortError


class ParquetGrid:
    """A grid of a table whose first column names the rows and whose column names do not repeat.

    Rows are read by whole row groups, the last ones read being kept: a block of samples often ends inside one.
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
        here = CellGrid(cells, self.rows[start:end])
        return here.numbers(rows - start, np.arange(len(columns)), genes_in_rows)

    def _cells(self, first: int, end: int, columns: Indices) -> Cells:
        key = first, end, np.asarray(columns).tobytes()
        if self._read is None or self._read[0] != key:
            self._read = None
            wanted = [self._order[column + 1] for column in columns]
            try:
                with pa.parquet.ParquetFile(self._path) as file:
                    table = file.read_row_groups(list(range(first, end)), columns=[self._order[0], *wanted])
            except (pa.ArrowInvalid, OSError) as problem:
                raise CohortError(f"{self._path} could not be read: {problem}. Check that it is complete.") from problem
            # The reader gives columns in the file's order.
            place = {name: position for position, name in enumerate(table.column_names)}
            arrays = tuple(plain_text(table.column(place[name])) for name in (self._order[0], *wanted))
            header = (self._header[0], *(self.columns[column] for column in columns))
            self._read = key, Cells(self.source, header, arrays)
        return self._read[1]


def open_parquet(path: Path) -> ParquetGrid | None:
    """Return the grid of a Parquet file; None where it has to be read whole to be understood, or to be refused.

    Raises
    ------
    CohortError
        The file cannot be read.
    """
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
