"""Tables as CSV that a spreadsheet program shows and never runs, and that read back equal.

Text that such a program would take for a formula, a date or a number is wrapped as ``="text"`` (see `cohort.sample_table`).
"""

import re
from collections.abc import Collection

import pandas as pd

from responder_ml.cohort.cells import unwrap
from responder_ml.cohort.sample_table import wrap

# What pandas takes for a number though it was text, and no spreadsheet program changes.
_NUMBER = re.compile(r"\d+|[+-]?(?:inf|infinity)", re.IGNORECASE)


def csv_text(table: pd.DataFrame, text_columns: Collection[str] = (), float_format: str | None = None) -> str:
    """Return a table as CSV without its index.

    Parameters
    ----------
    table
        The table.
    text_columns
        Columns that are read as text by everybody: whole numbers in them are written as they are.
    float_format
        How floats are written; all digits where it is None.
    """
    wrapped = wrap(table)
    for position, name in enumerate(table.columns):
        column = table.iloc[:, position]
        if name not in text_columns and column.dtype == object:
            safe = wrapped.iloc[:, position]
            wrapped.isetitem(position, [_wrap_number(cell) for cell in safe])
    return str(wrapped.to_csv(index=False, float_format=float_format))


def unwrap_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table that was read from such a CSV with its text as it was."""
    plain = table.rename(columns=unwrap)
    for position, kind in enumerate(plain.dtypes):
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)):
            cells = [unwrap(cell) if isinstance(cell, str) else cell for cell in plain.iloc[:, position]]
            if any(isinstance(cell, str) for cell in cells):
                plain.isetitem(position, pd.Series(cells, index=plain.index, dtype=kind))
    return plain


def _wrap_number(cell: object) -> object:
    return f'="{cell}"' if isinstance(cell, str) and _NUMBER.fullmatch(cell) else cell
