"""Text tables as people have them: where the table begins, what separates its cells, and what stands above it.

The first lines decide. Comments (``#``), the descriptions of a GEO series matrix (``!``), the two opening lines of a GCT file
and titles above the header are skipped, and said. Cells are separated by what the file's ending promises, or by the one
character that gives nearly every line equally many cells. Text may be UTF-8 or UTF-16, packed with gzip or not, whatever the
file is called.
"""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.csv

from responder_ml.cohort.packed_size import LimitedReader, unpacked_size
from responder_ml.errors import CohortError

MISSING = ("", "NA", "na", "N/A", "n/a", "#N/A", "#n/a", "NaN", "nan", "NAN", "NULL", "null", "None", "none", "<NA>")
"""Cells that hold no value."""

# A block must hold the longest line; a line of 60,000 full-precision numbers is about 1.2 MB.
_BLOCK = 1 << 24
_OPENING_LINES, _OPENING_BYTES = 200, 1 << 20
_LONGEST_LINE = 1 << 26
# The description of a series is at most some thousand lines.
_DESCRIPTION_LINES = 100_000
_DELIMITERS = ("\t", ";", ",", "|", " ")
_LEAST_EVEN = 0.8
_MOST_TITLES = 20
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_SERIES_BEGIN = "!series_matrix_table_begin"
_GZIP = b"\x1f\x8b"
_NO_TABLE = {
    "^": "a SOFT file of GEO; take the series matrix or a supplementary table instead (`fetch GSE...`)",
    "<": "a web page or XML; open it in a browser to see what it says, and download the table itself",
    "%%MatrixMarket": "a sparse matrix (MatrixMarket); read it with scanpy and save it as .h5ad with its names",
    "{": "JSON; save the matrix as a table",
    "%PDF": "a PDF; a table in it must be saved as text first",
}


@dataclass(frozen=True)
class TextTable:
    """A text table as it is.

    Attributes
    ----------
    header
        Names of the columns; repeated and blank ones are kept.
    columns
        One Arrow array of text or numbers per column.
    delimiter
        What separates the cells.
    notes
        What was skipped.
    """

    header: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...]
    delimiter: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Layout:
    """Where a table is in its file: lines above its first row, its header, and how its first rows are."""

    header: list[str]
    delimiter: str
    lines_above: int
    rows: list[list[str]]
    notes: tuple[str, ...]


def read_text_table(path: Path, delimiter: str, *, numbers: bool) -> TextTable:
    """Read a text table.

    Parameters
    ----------
    path
        The file.
    delimiter
        What its ending promises.
    numbers
        Read columns whose cells are all numbers as numbers; otherwise every cell stays text.

    Raises
    ------
    CohortError
        The text is of a kind that holds no table.
    pyarrow.ArrowInvalid, UnicodeDecodeError, OSError, EOFError
        The file is broken.
    """
    above, opening = _opening_lines(path)
    layout = _layout(opening, delimiter, above)
    n_columns = len(layout.header)
    if not layout.rows:
        return TextTable(tuple(layout.header), (pa.chunked_array([[]], pa.string()),) * n_columns, layout.delimiter, ())
    # Where commas may be decimal, the text shows which are.
    numeric = _numeric_columns(layout.rows, n_columns) if numbers and layout.delimiter != ";" else [False] * n_columns
    try:
        table = _parse(path, layout, numeric)
    except pa.ArrowInvalid:
        if not any(numeric):
            raise
        table = _parse(path, layout, [False] * n_columns)
    return TextTable(tuple(layout.header), tuple(table.columns), layout.delimiter, layout.notes)


def estimate_shape(path: Path, delimiter: str) -> tuple[int, int] | None:
    """Return about how many rows and columns of values a text table has, by its first lines and the file's size.

    Parameters
    ----------
    path, delimiter
        As for `read_text_table`.

    Returns
    -------
    None where there is no row.

    Raises
    ------
    CohortError, UnicodeDecodeError, OSError, EOFError
        As for `read_text_table`.
    """
    above, opening = _opening_lines(path)
    layout = _layout(opening, delimiter, above)
    lines = opening[-len(layout.rows) :] if layout.rows else []
    letters = sum(len(line) + 1 for line in lines)
    with _bytes_of(path) as (content, encoding):
        size = unpacked_size(path) if isinstance(content.raw, LimitedReader) else path.stat().st_size
    size //= 2 if encoding.startswith("utf-16") else 1
    return (round(size * len(lines) / letters), len(layout.header) - 1) if lines else None


@contextmanager
def _bytes_of(path: Path) -> Iterator[tuple["io.BufferedReader[io.RawIOBase]", str]]:
    """Open a file's bytes, unpacked, at their beginning, and name their encoding."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    with path.open("rb", buffering=0) as file:
        raw: io.RawIOBase = LimitedReader(path, gzip.GzipFile(fileobj=file)) if packed else file
        content = io.BufferedReader(raw)
        yield content, _encoding_of(content.peek(4)[:4])


@contextmanager
def _stream_of(path: Path) -> Iterator[pa.NativeFile]:
    """Open a file's text as UTF-8, unpacked; Arrow's own streams are read ahead while cells are parsed."""
    with _bytes_of(path) as (content, encoding):
        if encoding.startswith("utf-8") and isinstance(content.raw, LimitedReader):
            with (
                LimitedReader(path, pa.input_stream(path, compression="gzip")) as unpacked,
                pa.PythonFile(unpacked) as stream,
            ):
                yield stream
        elif encoding.startswith("utf-8"):
            with pa.input_stream(path, compression=None) as stream:
                yield stream
        else:
            with pa.BufferReader(content.read().decode(encoding).encode()) as stream:
                yield stream


def _encoding_of(start: bytes) -> str:
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    # UTF-16 without its mark: every other byte of plain letters is zero.
    if len(start) == 4 and start[1] == start[3] == 0:
        return "utf-16-le"
    return "utf-16-be" if len(start) == 4 and start[0] == start[2] == 0 else "utf-8"


def _opening_lines(path: Path) -> tuple[int, list[str]]:
    """Return how many lines stand above the table by the file's own marks, and the first lines from there on."""
    with _bytes_of(path) as (content, encoding):
        text = io.TextIOWrapper(content, encoding=encoding, newline="")
        lines: list[str] = []
        above, size = 0, 0
        # A line of some gigabytes is no line of a table.
        while line := text.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise CohortError(f"{path} has a line of more than {_LONGEST_LINE:,} letters, which no table has.")
            if not lines and not above and line.startswith("!"):
                above = 1 + _lines_of_description(text, path)
                continue
            lines.append(line.rstrip("\r\n"))
            size += len(line)
            if len(lines) >= _OPENING_LINES or size > _OPENING_BYTES:
                break
    for mark, kind in _NO_TABLE.items():
        if lines and lines[0].lstrip().startswith(mark):
            raise CohortError(f"{path} is not a table but {kind}.")
    return above, lines


def _lines_of_description(text: Iterator[str], path: Path) -> int:
    for count, line in enumerate(islice(text, _DESCRIPTION_LINES), start=1):
        if line.lower().startswith(_SERIES_BEGIN):
            return count
    raise CohortError(
        f"{path.name} begins as a GEO series matrix, but has no table of values (no line !series_matrix_table_begin). For RNA-seq "
        "the values are in the series' supplementary files: `python -m responder_ml fetch GSE...` gets them."
    )


def _layout(lines: Sequence[str], delimiter: str, above: int) -> _Layout:
    notes = [f"{above} line(s) that describe the GEO series stand above the table and were skipped."] if above else []
    is_gct = bool(lines) and lines[0].startswith("#1.")
    comments = 0
    if not is_gct:
        while comments < len(lines) and (lines[comments].startswith("#") or not lines[comments].strip()):
            comments += 1
    skipped = 2 if is_gct else comments
    delimiter = _delimiter_of(lines[skipped:], delimiter)
    if comments and _is_header(lines, comments, delimiter):
        skipped -= 1
    rows = _split(lines[skipped:], delimiter)
    titles = count_titles(rows)
    header = [name.removeprefix("#") if skipped < comments else name for name in rows[titles]] if rows else []
    # A GCT file of version 1.3 describes its samples in some lines below the header.
    described = _described_lines(lines[1], delimiter) if is_gct and lines[0].startswith("#1.3") else 0
    below = [row for row in rows[titles + 1 + described :] if row]
    if is_gct:
        notes.append(f"The file is a GCT file; its {2 + described} line(s) of description were skipped.")
    elif comments and skipped:
        notes.append(f"{skipped} line(s) of comment (#) above the table were skipped.")
    if titles:
        notes.append(f"{titles} line(s) of title above the header were skipped.")
    header = _complete(header, below)
    return _Layout(header, delimiter, above + skipped + titles + 1 + described, below, tuple(notes))


def _is_header(lines: Sequence[str], comments: int, delimiter: str) -> bool:
    """Tell whether the last of the lines with ``#`` names the columns of the rows of numbers below it."""
    if comments >= len(lines):
        return False
    names, row = _split([lines[comments - 1], lines[comments]], delimiter)
    return 2 <= len(names) <= len(row) and any(_is_number(cell) for cell in row[1:])


def _described_lines(sizes: str, delimiter: str) -> int:
    cells = sizes.strip().split(delimiter)
    return int(cells[3]) if len(cells) > 3 and cells[3].isdigit() else 0


def _delimiter_of(lines: Sequence[str], promised: str) -> str:
    """Return the character that separates the cells; the promised one if no line contradicts it."""
    for delimiter in (promised, *(other for other in _DELIMITERS if other != promised)):
        rows = [row for row in _split(lines, delimiter) if row]
        if not rows:
            continue
        width, count = Counter(len(row) for row in rows[1:] or rows).most_common(1)[0]
        if width < 2 or count < _LEAST_EVEN * (len(rows[1:]) or 1):
            continue
        header = next(row for row in rows if len(row) in (width - 1, width))
        if not any(other in cell for cell in header for other in "\t;" if other != delimiter):
            return delimiter
    return promised


def _split(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    return list(csv.reader(lines, delimiter=delimiter))


def count_titles(rows: Sequence[Sequence[str]]) -> int:
    """Return how many lines above the header have far fewer filled cells than the rows below."""
    filled = [sum(1 for cell in row if cell.strip()) for row in rows]
    titles = 0
    while titles < min(_MOST_TITLES, len(rows) - 2):
        usual = median(filled[titles + 1 :])
        if usual < 3 or filled[titles] > usual / 2:
            return titles
        titles += 1
    return titles


def _complete(header: list[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Name the column that the header leaves out: the first, as R's write.table does, or an empty last one."""
    if rows and len(header) == len(rows[0]) - 1:
        ends_blank = all(len(row) == len(header) + 1 and not row[-1].strip() for row in rows)
        return [*header, ""] if ends_blank else ["", *header]
    return header


def _numeric_columns(rows: Sequence[Sequence[str]], n_columns: int) -> list[bool]:
    """Tell which columns, of which the first is none, hold only numbers in the first rows."""
    return [
        index > 0 and all(_is_number(row[index]) or row[index] in MISSING for row in rows if index < len(row))
        for index in range(n_columns)
    ]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _parse(path: Path, layout: _Layout, numeric: Sequence[bool]) -> pa.Table:
    names = [f"c{index}" for index in range(len(layout.header))]
    types = {name: pa.float64() if number else pa.string() for name, number in zip(names, numeric, strict=True)}
    with _stream_of(path) as stream:
        return pa.csv.read_csv(
            stream,
            read_options=pa.csv.ReadOptions(
                skip_rows=layout.lines_above, column_names=names, block_size=max(_BLOCK, 64 * len(names))
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=layout.delimiter,
                # The line that ends the table of a series matrix.
                invalid_row_handler=lambda row: "skip" if row.text.startswith("!") else "error",
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=types, null_values=list(MISSING), strings_can_be_null=False
            ),
        )
