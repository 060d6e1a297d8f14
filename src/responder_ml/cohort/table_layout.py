"""Which column of a table names the genes, which hold numbers, and which only describe genes.

Recognised by headers and content: the tables of featureCounts, nf-core, DESeq2 and edgeR, of salmon, kallisto, RSEM, STAR and
HTSeq (one sample each), GCT files, and row numbers that ``write.csv`` and ``to_csv`` put in front.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from responder_ml.cohort.cells import Cells
from responder_ml.cohort.expression_files import sample_name_of
from responder_ml.cohort.grid import letters_and_digits
from responder_ml.cohort.not_genes import GENE_FACTS
from responder_ml.cohort.reading_note import ReadingNote
from responder_ml.errors import ExpressionError, list_names

_NAMES_OF_GENES = ("geneid", "gene", "genes", "ensembl", "ensemblid", "ensemblgeneid", "name", "id", "feature", "idref")
_INDEX_HEADERS = frozenset({"", "index", "x", "row", "rowname", "rownames", "rownumber", "n", "no", "nr", "unnamed0"})
_POSITIONS = frozenset(
    {"chr", "chrom", "chromosome", "seqname", "seqnames", "start", "end", "strand", "length", "width"}
)
# Program: headers that tell its table of one sample, as letters and digits; its columns of counts and of TPM.
_PROGRAMS = {
    "salmon": ({"effectivelength", "tpm", "numreads"}, "numreads", "tpm"),
    "kallisto": ({"efflength", "estcounts", "tpm"}, "estcounts", "tpm"),
    "RSEM": ({"effectivelength", "expectedcount", "tpm"}, "expectedcount", "tpm"),
}
_STAR_FIRST, _STAR_WIDTH = "N_unmapped", 4
_WHOLE = re.compile(r"\d+(?:\.\d+)?")
_MISSING_WORD = re.compile(r"na|n/a|nan|null|none|inf(?:inity)?", re.IGNORECASE)
_LOOKED_AT = 400
_NAMES_DIFFER = 0.5


@dataclass(frozen=True)
class TableLayout:
    """A table's axes, and the cells between them.

    Attributes
    ----------
    rows
        Names of the rows.
    columns
        Names of the columns of numbers, as in the file.
    arrays
        These columns.
    notes
        What was left out or recognised.
    estimated
        Whether the numbers are counts that a program estimated, with decimals.
    """

    rows: list[str]
    columns: list[str]
    arrays: tuple[pa.ChunkedArray, ...] = field(repr=False)
    notes: tuple[ReadingNote, ...] = ()
    estimated: bool = False


def lay_out(cells: Cells, path: Path, units: str) -> TableLayout:
    """Find the axes of a table.

    Parameters
    ----------
    cells
        The table.
    path
        Its file; a table of one sample is named after it.
    units
        Of the cohort: a program's table of one sample has columns of counts and of TPM.

    Raises
    ------
    ExpressionError
        A program's table has no column in these units, or no column of the table holds numbers.
    """
    notes = [ReadingNote("info", f"{cells.source}: {note}") for note in cells.notes]
    plain = tuple(letters_and_digits(name) for name in cells.header)
    for program, (headers, counts, tpm) in _PROGRAMS.items():
        if headers.issubset(plain):
            column = plain.index(counts if units == "counts" else tpm)
            return _of_program(cells, path, program, column, units, notes)
    if cells.header[0] == _STAR_FIRST and len(cells.header) == _STAR_WIDTH:
        return _without_header(cells, path, "STAR", notes)
    if len(cells.header) == 2 and _WHOLE.fullmatch(cells.header[1]) and plain[0] not in (*_NAMES_OF_GENES, ""):
        return _without_header(cells, path, "HTSeq", notes)
    names = _column_of_names(cells, plain)
    described = [index for index in range(len(plain)) if index != names and _describes(cells, plain, index)]
    if described:
        shown = list_names([cells.header[index] or ("row numbers" if not index else "no name") for index in described])
        notes.append(
            ReadingNote(
                "info", f"{cells.source}: {len(described)} column(s) hold no expression and were left out: {shown}."
            )
        )
    if names:
        notes.append(
            ReadingNote(
                "info", f"{cells.source}: rows are named by column '{cells.header[names]}', not by the first one."
            )
        )
    numbers = [index for index in range(len(plain)) if index != names and index not in described]
    if not numbers:
        raise ExpressionError(
            f"{cells.source}: none of its columns ({list_names(cells.header)}) holds expression. Give a table of genes and samples."
        )
    return TableLayout(
        cells.text(names),
        [cells.header[index] for index in numbers],
        tuple(cells.columns[index] for index in numbers),
        tuple(notes),
    )


def _of_program(
    cells: Cells, path: Path, program: str, column: int, units: str, notes: Sequence[ReadingNote]
) -> TableLayout:
    if units not in ("counts", "tpm"):
        raise ExpressionError(
            f"{cells.source} is {program}'s table of one sample, with counts and TPM, but the units are {units}. Declare "
            "`units: counts` or `units: tpm`."
        )
    sample = sample_name_of(path)
    message = f"{cells.source} is {program}'s table of one sample, '{sample}'; column {cells.header[column]} was read."
    return TableLayout(
        cells.text(0),
        [sample],
        (cells.columns[column],),
        (*notes, ReadingNote("info", message)),
        estimated=units == "counts",
    )


def _without_header(cells: Cells, path: Path, program: str, notes: Sequence[ReadingNote]) -> TableLayout:
    """Return a table whose first line is a row already: names and, second, counts whatever the strand."""
    sample = sample_name_of(path)
    first = pa.chunked_array([[cells.header[1]]], pa.string())
    below = cells.columns[1].cast(pa.string())
    column = pa.chunked_array([*first.chunks, *below.chunks], pa.string())
    which = "; column 2 (both strands) was read" if program == "STAR" else ""
    message = f"{cells.source} has no header and looks like {program}'s table of one sample, '{sample}'{which}."
    return TableLayout([cells.header[0], *cells.text(0)], [sample], (column,), (*notes, ReadingNote("info", message)))


def _column_of_names(cells: Cells, plain: Sequence[str]) -> int:
    """Return the column that names the rows: the first, unless it counts rows or describes genes."""
    if not _counts_rows(cells, plain, 0) and plain[0] not in _POSITIONS:
        return 0
    candidates = [index for index in range(1, len(plain)) if _names_rows(cells, index)]
    preferred = [index for word in _NAMES_OF_GENES for index in candidates if plain[index] == word]
    return next(iter((*preferred, *candidates)), 0)


def _counts_rows(cells: Cells, plain: Sequence[str], index: int) -> bool:
    """Tell whether a column numbers the rows, as write.csv and to_csv do."""
    if plain[index] not in _INDEX_HEADERS:
        return False
    names = cells.text(index)
    return any(
        all(name in (str(number), f"{number}.0") for number, name in enumerate(names, start=start)) for start in (0, 1)
    )


def _names_rows(cells: Cells, index: int) -> bool:
    """Tell whether a column holds names that mostly differ."""
    if not _is_text(cells.columns[index]):
        return False
    names = cells.text(index)
    return len(set(names)) > _NAMES_DIFFER * len(names)


def _describes(cells: Cells, plain: Sequence[str], index: int) -> bool:
    """Tell whether a column describes genes, numbers rows, or is empty: it holds no expression."""
    header, column = plain[index], cells.columns[index]
    if header in GENE_FACTS or _counts_rows(cells, plain, index):
        return True
    if not cells.header[index] and _is_blank(column):
        return True
    return _is_text(column)


def _is_blank(column: pa.ChunkedArray) -> bool:
    return not any(cell is not None and str(cell).strip() for cell in column.to_pylist())


def _is_text(column: pa.ChunkedArray) -> bool:
    """Tell whether most of the filled cells of a column's beginning are words."""
    if pa.types.is_boolean(column.type):
        return True
    if not pa.types.is_string(column.type):
        return False
    filled = [cell.strip() for cell in column.slice(0, _LOOKED_AT).to_pylist() if cell and cell.strip()]
    words = sum(1 for cell in filled if (cell[0].isalpha() and not _MISSING_WORD.fullmatch(cell)) or ";" in cell)
    return 2 * words > len(filled)
