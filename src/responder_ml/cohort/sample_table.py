"""A table with one row per sample, written as CSV, TSV, Excel, Parquet or h5ad, according to the file's suffix.

CSV and TSV are opened in spreadsheet programs, which turn ``007`` into 7, ``1-2`` into a date and ``=A1`` into a
formula. A cell of text that would be changed is written as ``="007"``: the program then shows exactly the text and runs
nothing. Other text is written as it is, so ordinary sample names (``SRR5956385``) are plain; a program that reads the file
back removes the wrapping (`unwrap`), as `read_cells` does. Where a semicolon separates cells, as in much of Europe, such a
program cuts a cell at its semicolons and would run a part that begins like a formula; an apostrophe after the semicolon makes
it text. A workbook holds text in cells of type text, which no program
interprets. Parquet and h5ad carry every name unchanged.
"""

import os
import re
from pathlib import Path
from warnings import catch_warnings, simplefilter

import pandas as pd
from anndata import AnnData

from responder_ml.cohort.cells import AFTER_SEMICOLON
from responder_ml.cohort.h5ad import h5ad_bytes, open_h5ad
from responder_ml.errors import CohortError

SUFFIXES = (".csv", ".tsv", ".xlsx", ".parquet", ".h5ad")
# Prefix of the columns' names in the ``obs`` of an h5ad file.
_PREFIX = "score_"

_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)
_AT_RISK = re.compile(
    "|".join(
        (
            r"[=+\-@\t\r\n].*",  # read as a formula
            r"0\d+",  # loses its zeros
            r"\d{12,}",  # shown as 1.2E+11, digits beyond the 15th lost
            r"\d+[.,]\d*|[.,]\d+|\d[\d,]*",  # a number, rewritten unless written the program's way
            r"\d*[.,]?\d+e[+-]?\d+",  # read as 1.5E+08
            r"\d+\s*[/%]\s*\d*|\d+[:.]\d+.*",  # fraction, share, time of day
            rf"{_MONTH}[-/. ]*\d{{1,4}}|\d{{1,4}}[-/. ]*{_MONTH}(?:[-/. ]*\d{{1,4}})?",  # SEPT2, 1-Mar
            r"\d{1,4}[-/. ]\d{1,2}(?:[-/. ]\d{1,4})?.*",  # 1-2, 2026-01-02
            r"true|false",
            r"\s.*|.*\s",
        )
    ),
    re.IGNORECASE | re.DOTALL,
)
# Blanks, quotes and apostrophes do not hide the sign that begins a formula.
_CUT = re.compile(r""";(?=[\s"']*[=+\-@])""")
# Control characters are not allowed in a workbook.
_ILLEGAL = re.compile(r"[\000-\010\013\014\016-\037]")
_HARMLESS = re.compile(r"0|[1-9]\d{0,10}")


def check_suffix(path: Path) -> str:
    """Return the suffix of a file to write.

    Raises
    ------
    CohortError
        It is none of `SUFFIXES`.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise CohortError(f"{path} ends in '{path.suffix}', but a table is written as {', '.join(SUFFIXES)}.")
    return suffix


def write_sample_table(table: pd.DataFrame, path: Path, source: Path | None = None) -> None:
    """Write a table to a temporary file, then move it into place.

    Parameters
    ----------
    table
        One row per sample with a column ``sample``.
    path
        File to write; its suffix is the format.
    source
        For h5ad: the user's own h5ad file, whose content stays and whose ``obs`` gets the columns, named ``score_...``. Any
        other file, or none, gives an h5ad of the columns alone.

    Raises
    ------
    CohortError
        Another suffix, or the file cannot be written.
    """
    suffix = check_suffix(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".parquet":
            table.to_parquet(partial, index=False)
        elif suffix == ".xlsx":
            _write_workbook(table, partial)
        elif suffix == ".h5ad":
            partial.write_bytes(h5ad_bytes(_with_columns(table, source)))
        else:
            delimiter = "," if suffix == ".csv" else "\t"
            wrap(table).to_csv(partial, sep=delimiter, index=False)
        partial.replace(path)
    except OSError as problem:
        raise CohortError(f"{path} could not be written: {problem}. Free space or choose another folder.") from problem
    finally:
        partial.unlink(missing_ok=True)


def wrap(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy in which text that a spreadsheet program would change or run is wrapped, column names included."""
    wrapped = table.rename(columns=lambda name: _wrap_cell(str(name)))
    for position, kind in enumerate(table.dtypes):
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)):
            wrapped.isetitem(position, [_wrap_cell(cell) for cell in table.iloc[:, position]])
    return wrapped


def _write_workbook(table: pd.DataFrame, path: Path) -> None:
    """Write one sheet whose text cells are text, whatever they look like."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("scores")

    def cell(value: object) -> WriteOnlyCell:
        if not isinstance(value, str) or not value:
            missing = value is None or value == "" or value != value
            return WriteOnlyCell(sheet, None if missing else getattr(value, "item", lambda: value)())
        text_cell = WriteOnlyCell(sheet)
        # Set as text, so that "=A1" is no formula; the format keeps "007" text when the cell is edited.
        text_cell.number_format = "@"
        text_cell.value, text_cell.data_type = _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", value), "s"
        return text_cell

    sheet.append([cell(str(name)) for name in table.columns])
    for row in table.itertuples(index=False, name=None):
        sheet.append([cell(value) for value in row])
    book.save(path)


def _wrap_cell(cell: object) -> object:
    """Return text that a spreadsheet program would change or run as ``="text"``, anything else as it is."""
    if isinstance(cell, str):
        cell = _CUT.sub(AFTER_SEMICOLON, cell)
    if not isinstance(cell, str) or not _AT_RISK.fullmatch(cell) or _HARMLESS.fullmatch(cell):
        return cell
    doubled = cell.replace('"', '""')
    return f'="{doubled}"'


def _with_columns(table: pd.DataFrame, source: Path | None) -> AnnData:
    columns = table.set_index("sample", drop=False).add_prefix(_PREFIX)
    # h5ad stores text as it is, but not columns that mix text with gaps.
    columns = columns.drop(columns=f"{_PREFIX}sample").rename_axis(None)
    if source is None or source.suffix.lower() != ".h5ad":
        return AnnData(obs=columns)
    data = open_h5ad(source)
    with catch_warnings():
        simplefilter("ignore", UserWarning)
        names = pd.Index([str(name).strip() for name in data.obs_names])
        in_rows = set(columns.index) <= set(names)
        data = data if in_rows else data.T
    obs = data.obs.drop(columns=[name for name in columns if name in data.obs])
    obs.index = pd.Index([str(name).strip() for name in obs.index])
    data.obs = obs.join(columns)
    return data
