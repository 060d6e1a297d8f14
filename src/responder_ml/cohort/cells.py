"""A table file as it is: header and columns of text, nothing interpreted.

Names such as ``NA``, ``007`` or ``1234`` must survive, so every cell of a text or Excel file stays text here. Text that
`sample_table` wrapped in a CSV or TSV file to protect it from spreadsheet programs (``="007"``) is read back as the text.
Parquet columns keep the types they were written with.
"""

import csv
import gzip
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from responder_ml.errors import CohortError

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
_SUFFIXES = (*_DELIMITERS, ".parquet", ".xlsx")

# A block must hold the longest line; a line of 60,000 full-precision numbers is about 1.2 MB.
_BLOCK = 1 << 24
# No gene identifier is a number this large; a RIKEN clone name read as a number is.
_LARGEST_ID = 1e10
_WRAPPED = re.compile(r'="((?:[^"]|"")*)"', re.DOTALL)


@dataclass(frozen=True)
class Cells:
    """A rectangle of cells with a header.

    Attributes
    ----------
    source
        File name, for messages.
    header
        Name of each column; repeated and blank names are kept.
    columns
        One Arrow array per column, all of one length.
    """

    source: str
    header: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...] = field(repr=False)

    def text(self, column: int) -> list[str]:
        """Return one column as text, without surrounding blanks; missing cells are empty."""
        array = self.columns[column]
        if not pa.types.is_string(array.type):
            array = pa.compute.cast(array, pa.string())
        return [unwrap(cell or "").strip() for cell in array.to_pylist()]


def read_cells(path: Path) -> Cells:
    """Read a CSV, TSV, Parquet or Excel file; ``.csv``, ``.tsv`` and ``.txt`` may carry ``.gz``.

    Of a workbook the first sheet is read. Of a Parquet file written by pandas with an index, the index comes first.

    Raises
    ------
    CohortError
        The file is missing, of another kind, empty or broken.
    """
    if not path.is_file():
        raise CohortError(f"There is no file {path}. Check the name and the folder it is in.")
    suffix = _suffix(path)
    try:
        if suffix in _DELIMITERS:
            cells = _read_delimited(path, _DELIMITERS[suffix])
        elif suffix == ".parquet":
            cells = _read_parquet(path)
        else:
            cells = _read_excel(path)
    except (pa.ArrowInvalid, UnicodeDecodeError, zipfile.BadZipFile, EOFError, OSError, csv.Error) as problem:
        raise CohortError(
            f"{path} could not be read: {problem}. Check that it is complete, saved as UTF-8, and has as many cells in "
            "every row as in the header."
        ) from problem
    if len(cells.header) < 2 or len(cells.columns[0]) == 0:
        raise CohortError(_explain_empty(path, cells, suffix))
    return cells


def unwrap(cell: str) -> str:
    """Return the text that was wrapped as ``="text"``, or the cell as it is."""
    match = _WRAPPED.fullmatch(cell) if cell.startswith('="') else None
    return match.group(1).replace('""', '"') if match else cell


def _suffix(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    suffix = Path(name).suffix
    known = suffix in _DELIMITERS if path.name.lower().endswith(".gz") else suffix in _SUFFIXES
    if not known:
        raise CohortError(
            f"{path} has an ending this program does not read. It reads .csv, .tsv and .txt (plain or .gz), .parquet, "
            ".xlsx and .h5ad; save the table as one of them."
        )
    return suffix


def _explain_empty(path: Path, cells: Cells, suffix: str) -> str:
    if len(cells.header) >= 2:
        return f"{path} has a header but no rows. Check that the file is complete."
    other = {",": ";", "\t": ","}.get(_DELIMITERS.get(suffix, ""), "")
    hint = " It seems to be separated by other characters." if other and other in "".join(cells.header) else ""
    return (
        f"{path} has {len(cells.header)} column(s), at least 2 are needed.{hint} Cells are separated by commas in .csv "
        "and by tabs in .tsv and .txt files; save it that way."
    )


def _read_delimited(path: Path, delimiter: str) -> Cells:
    header, width = _first_lines(path, delimiter)
    if len(header) == width - 1:
        header = ["", *header]  # R's write.table leaves out the name of the first column
    names = [f"c{index}" for index in range(len(header))]
    if not width:
        return Cells(path.name, tuple(header), tuple(pa.chunked_array([[]], pa.string()) for _ in header))
    table = pa.csv.read_csv(
        path,
        read_options=pa.csv.ReadOptions(skip_rows=1, column_names=names, block_size=max(_BLOCK, 64 * len(names))),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    return Cells(path.name, tuple(header), tuple(table.columns))


def _first_lines(path: Path, delimiter: str) -> tuple[list[str], int]:
    """Return the header and the number of cells in the first row below it, 0 if there is none."""
    unzipped = gzip.open if path.name.lower().endswith(".gz") else open
    with unzipped(path, "rt", encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines, delimiter=delimiter)
        header = [unwrap(name).strip() for name in next(rows, [])]
        below: Sequence[str] = next((row for row in rows if row), ())
    return header, len(below)


def _read_parquet(path: Path) -> Cells:
    table = pa.parquet.read_table(path)
    header, order = index_first(table.schema)
    return Cells(path.name, header, tuple(plain_text(table.column(name)) for name in order))


def index_first(schema: pa.Schema) -> tuple[tuple[str, ...], list[str]]:
    """Return the header of a Parquet file's table, and its columns' own names in that order, pandas' index first."""
    metadata = schema.pandas_metadata or {}
    index = [name for name in metadata.get("index_columns", []) if isinstance(name, str)]
    in_index = set(index)
    order = [*index, *(name for name in schema.names if name not in in_index)]
    return tuple("" if name in in_index and name.startswith("__index_level_") else name for name in order), order


def plain_text(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text columns, however they are encoded, as plain strings; others as they are."""
    kind = array.type
    if pa.types.is_dictionary(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.compute.cast(array, pa.string())
    return array


def _read_excel(path: Path) -> Cells:
    import pandas as pd

    sheet = pd.read_excel(path, header=None, dtype=object, keep_default_na=False, na_values=[], engine="openpyxl")
    rows = sheet.to_numpy()
    if not rows.size:
        return Cells(path.name, (), (pa.chunked_array([[]], pa.string()),))
    header = tuple(_cell_label(cell).strip() for cell in rows[0])
    body = rows[1:]
    first = [_cell_label(cell) for cell in body[:, 0]]
    others = [[_cell_text(cell) for cell in column] for column in body[:, 1:].T]
    return Cells(path.name, header, tuple(pa.chunked_array([column], pa.string()) for column in (first, *others)))


def _cell_text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ") if cell.time() != datetime.min.time() else cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float | np.floating):
        if np.isnan(cell):
            return ""
        number = float(cell)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    return "" if cell is None else str(cell)


def _cell_label(cell: Any) -> str:
    """Return a cell as a name; numbers too large for an identifier are written the way a spreadsheet shows them."""
    if isinstance(cell, int | float) and abs(float(cell)) >= _LARGEST_ID:
        return f"{cell:.6E}"
    return _cell_text(cell)
