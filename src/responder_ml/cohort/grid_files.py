"""Expression files of any kind opened as grids: names of both axes at once, cells read on demand where the format allows it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.cells import Cells, index_first, kind_of_file, known_suffix, plain_text, read_cells, reading
from responder_ml.cohort.expression_files import list_files
from responder_ml.cohort.grid import CellGrid, Grid, letters_and_digits
from responder_ml.cohort.h5ad import H5adGrid, MatrixGrid, open_h5ad, with_layer
from responder_ml.cohort.joined_grid import join_grids
from responder_ml.cohort.not_genes import GENE_FACTS
from responder_ml.cohort.packed_size import check_packed_size
from responder_ml.cohort.reading_note import ReadingNote
from responder_ml.cohort.table_layout import lay_out
from responder_ml.errors import CohortError


def open_grid(
    expression: Path | Sequence[Path], *, units: str = "counts", sheet: str | None = None, layer: str | None = None
) -> Grid:
    """Read the axes of an expression file, or of several as one; cells are read when they are needed.

    Parameters
    ----------
    expression
        A file, a folder or a pattern of files, or several of these.
    units
        Declared units; tables of counting programs and ``.h5ad`` files have columns or layers of several units.
    sheet
        Of a workbook.
    layer
        Of an ``.h5ad`` file.

    Raises
    ------
    CohortError
        A file is missing, of an unknown kind or broken, or the files do not belong together.
    """
    paths = list_files(expression)
    grids = [_open_file(path, units, sheet, layer) for path in paths]
    return grids[0] if len(grids) == 1 else join_grids(grids, paths)


def _open_file(path: Path, units: str, sheet: str | None, layer: str | None) -> Grid:
    if not path.is_file():
        raise CohortError(f"There is no file {path}. Check the name and the folder it is in.")
    known_suffix(path)
    kind = kind_of_file(path)
    if kind == "h5ad":
        if layer is None:
            return H5adGrid(path, units)
        return MatrixGrid(path.name, with_layer(open_h5ad(path), layer, units, path.name))
    if layer is not None:
        raise CohortError(f"{path.name} is no .h5ad file, so it has no layer '{layer}'. Take `layer` out.")
    if kind == "parquet":
        with reading(path):
            check_packed_size(path)
    in_file = _open_parquet(path) if kind == "parquet" else None
    if in_file is not None:
        return in_file
    layout = lay_out(read_cells(path, sheet, numbers=True), path, units)
    return CellGrid(
        path.name,
        layout.rows,
        layout.columns,
        layout.arrays,
        notes=layout.notes,
        estimated=layout.estimated,
        counts=units == "counts",
    )


class ParquetGrid:
    """A grid that stays in its Parquet file: the first column names the rows, and no column name repeats.

    Rows are read by whole row groups, and the last ones read are cached: a block of samples often ends inside one.
    """

    def __init__(self, path: Path, header: Sequence[str], order: Sequence[str], rows: Sequence[str]) -> None:
        self.source = path.name
        self.rows = rows
        self.columns: Sequence[str] = header[1:]
        self.notes: Sequence[ReadingNote] = ()
        self.estimated = False
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
        groups = CellGrid(self.source, self.rows[start:end], cells.header[1:], cells.columns[1:])
        return groups.numbers(rows - start, np.arange(len(columns)), genes_in_rows)

    def _cells(self, first: int, end: int, columns: Indices) -> Cells:
        key = first, end, np.asarray(columns).tobytes()
        if self._read is None or self._read[0] != key:
            self._read = None
            names = [self._order[column + 1] for column in columns]
            with reading(self._path), pa.parquet.ParquetFile(self._path) as file:
                table = file.read_row_groups(list(range(first, end)), columns=[self._order[0], *names])
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
        if len(header) < 2 or len(set(schema.names)) < len(schema.names) or _needs_layout(schema, header, order):
            return None
        with pa.parquet.ParquetFile(path) as file:
            first = plain_text(file.read(columns=[order[0]]).column(order[0]))
    except (pa.ArrowException, TypeError, OSError):
        return None
    rows = Cells(path.name, (header[0],), (first,)).text(0)
    return ParquetGrid(path, header, order, rows) if rows else None


def _needs_layout(schema: pa.Schema, header: Sequence[str], order: Sequence[str]) -> bool:
    """Tell whether columns may describe genes or number rows, so that the whole table must be looked at."""
    is_index = pa.types.is_integer(schema.field(order[0]).type)
    has_text = any(
        not pa.types.is_floating(kind := schema.field(name).type) and not pa.types.is_integer(kind)
        for name in order[1:]
    )
    return is_index or has_text or any(letters_and_digits(name) in GENE_FACTS for name in header[1:])
