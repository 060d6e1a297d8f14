"""A table file as it is: header and columns of text, nothing interpreted.

Names such as ``NA``, ``007`` or ``1234`` must survive, so every cell of a text or Excel file stays text here. Text that
`sample_table` wrapped in a CSV or TSV file to protect it from spreadsheet programs (``="007"``) is read back as the text.
Parquet columns keep the types they were written with.
"""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from responder_ml.cohort.delimited import count_titles, read_text_table
from responder_ml.cohort.packed_size import check_packed_size
from responder_ml.cohort.workbook import read_sheet_of_workbook
from responder_ml.errors import CohortError, door

_DELIMITERS = {
    ".csv": ",",
    **dict.fromkeys((".tsv", ".txt", ".tab", ".sf", ".results", ".counts", ".count", ".gct"), "\t"),
}
_BINARY = (".parquet", ".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".h5ad")
_MARKS = {
    b"PAR1": "parquet",
    b"PK\x03\x04": "workbook",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "workbook",
    b"\x89HDF\r\n\x1a\n": "h5ad",
}
_OF_R = "R's own format; in R, write.table(x, 'x.tsv', sep = '\\t', quote = FALSE, col.names = NA) writes a matrix x"
_OTHERS = {
    **dict.fromkeys((".rds", ".rda", ".rdata"), _OF_R),
    **dict.fromkeys((".zip", ".tar", ".7z", ".bz2", ".xz", ".rar"), "an archive; unpack it and name the table in it"),
    **dict.fromkeys((".bam", ".sam", ".cram", ".fastq", ".fq"), "reads, not expression; count them first"),
    **dict.fromkeys((".cel", ".idat"), "raw arrays; normalise them first (RMA gives log2 values)"),
    **dict.fromkeys(
        (".h5", ".loom", ".mtx"), "single-cell counts; read them with scanpy and save sums per animal as .h5ad"
    ),
    **dict.fromkeys((".soft", ".xml"), "GEO's description; `fetch GSE...` gets the values"),
    **dict.fromkeys((".doc", ".docx", ".pdf", ".pptx"), "a document"),
}
_NUMBER_WITH_COMMA = re.compile(r"\s*[-+]?\d+(?:,\d+)?\s*")
_WRAPPED = re.compile(r'="((?:[^"]|"")*)"', re.DOTALL)
AFTER_SEMICOLON = ";'"
"""Written in place of a semicolon before what looks like a formula, where semicolons may separate cells."""
_GUARDED = re.compile(r""";'(?=[\s"']*[=+\-@])""")


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
    notes
        What was skipped to get here.
    """

    source: str
    header: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...] = field(repr=False)
    notes: tuple[str, ...] = ()

    def text(self, column: int) -> list[str]:
        """Return one column as text, without surrounding blanks; missing cells are empty."""
        array = self.columns[column]
        if not pa.types.is_string(array.type):
            array = pa.compute.cast(array, pa.string())
        return [unwrap(cell or "").strip() for cell in array.to_pylist()]


def read_cells(path: Path, sheet: str | None = None, *, numbers: bool = False) -> Cells:
    """Read a text table, a Parquet file or a workbook; what a file is shows in its content, not only in its name.

    Of a Parquet file written by pandas with an index, the index comes first.

    Parameters
    ----------
    path
        The file.
    sheet
        Of a workbook; the first one that is not empty if not given.
    numbers
        Read columns of numbers as numbers; otherwise every cell of text and workbooks stays text.

    Raises
    ------
    CohortError
        The file is missing, of another kind, empty or broken.
    """
    if not path.is_file():
        raise CohortError(f"There is no file {path}. Check the name and the folder it is in.")
    suffix = known_suffix(path)
    kind = kind_of_file(path)
    if sheet is not None and kind != "workbook":
        raise CohortError(f"{path.name} is not a workbook, so it has no sheet '{sheet}'. Take `sheet` out.")
    if kind == "h5ad":
        raise CohortError(f"{path} is an .h5ad file, but a table is needed here. Save the table as .tsv.")
    with reading(path):
        check_packed_size(path)
        if kind == "parquet":
            cells = _read_parquet(path)
        elif kind == "workbook":
            cells = _read_workbook(path, sheet)
        else:
            cells = _read_text(path, numbers=numbers)
    if len(cells.header) < 2 or len(cells.columns[0]) == 0:
        raise CohortError(_explain_empty(path, cells, suffix))
    return cells


def reading(path: Path) -> AbstractContextManager[None]:
    """Return the guard of this door: whatever a library raises over a broken file becomes one message."""
    return door(
        CohortError,
        f"{path} could not be read",
        "Check that it is complete, saved as UTF-8, and has as many cells in every row as in the header.",
    )


def kind_of_file(path: Path) -> str:
    """Return ``parquet``, ``workbook``, ``h5ad`` or ``text`` by a file's first bytes, or by its name where they say nothing."""
    with path.open("rb") as file:
        start = file.read(8)
    for mark, kind in _MARKS.items():
        if start.startswith(mark):
            return kind
    return {".parquet": "parquet", ".h5ad": "h5ad", ".xlsx": "workbook"}.get(path.suffix.lower(), "text")


def unwrap(cell: str) -> str:
    """Return the text that was wrapped as ``="text"``, or guarded after a semicolon; any other cell as it is."""
    match = _WRAPPED.fullmatch(cell) if cell.startswith('="') else None
    text = match.group(1).replace('""', '"') if match else cell
    return _GUARDED.sub(";", text) if AFTER_SEMICOLON in text else text


def known_suffix(path: Path) -> str:
    """Return the ending that says what a file holds, without ``.gz``.

    Raises
    ------
    CohortError
        It is none that is read; where it is a known kind, with what to do.
    """
    name = path.name.lower().removesuffix(".gz")
    suffix = Path(name).suffix
    is_known = suffix in _DELIMITERS if path.name.lower().endswith(".gz") else suffix in (*_DELIMITERS, *_BINARY)
    if not is_known:
        kind = _OTHERS.get(Path(path.name.lower()).suffix) or _OTHERS.get(suffix, "")
        raise CohortError(
            f"{path} has an ending this program does not read{kind and f': {kind}'}. It reads text tables "
            f"({', '.join(_DELIMITERS)}; plain or .gz), {', '.join(_BINARY)}; save the table as one of them."
        )
    return suffix


def promised_delimiter(path: Path) -> str:
    """Return what separates the cells of a text table by the file's ending."""
    return _DELIMITERS.get(known_suffix(path), "\t")


def _first_line(problem: BaseException) -> str:
    text = str(problem).strip() or type(problem).__name__
    return text.splitlines()[0].rstrip(".")


def _explain_empty(path: Path, cells: Cells, suffix: str) -> str:
    if len(cells.header) >= 2:
        return f"{path} has a header but no rows. Check that the file is complete."
    other = {",": ";", "\t": ","}.get(_DELIMITERS.get(suffix, ""), "")
    hint = " It seems to be separated by other characters." if other and other in "".join(cells.header) else ""
    return (
        f"{path} has {len(cells.header)} column(s), at least 2 are needed.{hint} Cells are separated by commas in .csv "
        "and by tabs in .tsv and .txt files; save it that way."
    )


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


_TEXT_TYPES = (
    pa.types.is_dictionary,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
)


def plain_text(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text columns, however they are encoded, as plain strings; others as they are.

    Raises
    ------
    TypeError
        The column holds lists or records.
    pyarrow.ArrowInvalid
        It holds bytes that are no text.
    """
    kind = array.type
    if pa.types.is_nested(kind):
        raise TypeError(f"a column holds {kind}, which is neither text nor numbers")
    if pa.types.is_fixed_size_binary(kind):
        array = pa.compute.cast(array, pa.binary())
    if any(is_kind(kind) for is_kind in _TEXT_TYPES):
        return pa.compute.cast(array, pa.string())
    return array


def _read_workbook(path: Path, sheet: str | None) -> Cells:
    rows, notes = read_sheet_of_workbook(path, sheet)
    titles = count_titles(rows)
    if titles:
        notes.append(f"{titles} line(s) of title above the header were skipped.")
    rows = rows[titles:]
    if not rows:
        return Cells(path.name, (), (pa.chunked_array([[]], pa.string()),))
    columns = zip(*rows[1:], strict=True) if rows[1:] else [()] * len(rows[0])
    arrays = tuple(pa.chunked_array([list(column)], pa.string()) for column in columns)
    return Cells(path.name, tuple(unwrap(name).strip() for name in rows[0]), arrays, tuple(notes))


def _read_text(path: Path, *, numbers: bool) -> Cells:
    table = read_text_table(path, promised_delimiter(path), numbers=numbers)
    header = tuple(unwrap(name).strip() for name in table.header)
    columns = table.columns if numbers or table.delimiter != ";" else tuple(map(_with_points, table.columns))
    return Cells(path.name, header, columns, table.notes)


def _with_points(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of numbers with decimal commas as one with points, any other as it is."""
    cells = [cell for cell in column.to_pylist() if cell]
    if not any("," in cell for cell in cells) or not all(_NUMBER_WITH_COMMA.fullmatch(cell) for cell in cells):
        return column
    return pa.compute.replace_substring(column, ",", ".")
