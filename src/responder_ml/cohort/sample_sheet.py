"""The sample sheet: one row per sample, columns under their canonical names, and the subject of every sample."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags
from responder_ml.cohort.cells import read_cells
from responder_ml.cohort.exclusion import Exclusion
from responder_ml.cohort.spelling import looks_like, match_word, show
from responder_ml.errors import SampleSheetError, list_names
from responder_ml.registry import did_you_mean

Where = Mapping[str, str | Sequence[str]]

# Columns that are names even where they look like numbers.
_NAMES = frozenset({"sample", "subject", "region", "phenotype", "drug", "response", "batch", "sex"})
_SAMPLE_COLUMNS = ("sample", "sample_id")
_NO_SUBJECT = frozenset({"", "unknown", "na", "n/a", "nan", "none", "null", "missing", "not available", "?", "-"})
_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,17})")
# Codes such as 007 or 1E5 are not numbers; numbers written by programs have no leading zero, and a sign in the exponent.
_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:e[-+]\d+)?", re.IGNORECASE)


def read_sheet(path: Path, sheet: str | None = None) -> pd.DataFrame:
    """Read a sample sheet as text, without the empty rows and columns spreadsheets leave at the edges.

    Parameters
    ----------
    path
        The file.
    sheet
        Sheet of a workbook; the first one that is not empty if not given.

    Raises
    ------
    CohortError
        The file is missing, of an unknown kind or broken.
    SampleSheetError
        Two columns have one name.
    """
    cells = read_cells(path, sheet)
    header = [name or f"column_{index + 1}" for index, name in enumerate(cells.header)]
    content = {index: cells.text(index) for index in range(len(header))}
    used = [index for index, name in enumerate(cells.header) if name or any(content[index])]
    repeated = sorted({header[index] for index in used if [header[i] for i in used].count(header[index]) > 1})
    if repeated:
        raise SampleSheetError(
            f"{path.name} has more than one column called {list_names(repeated)}. Rename or remove one."
        )
    table = pd.DataFrame({header[index]: content[index] for index in used}, dtype=object)
    return table[(table != "").any(axis=1)].reset_index(drop=True)


def with_canonical_names(sheet: pd.DataFrame, columns: Mapping[str, str], source: str) -> pd.DataFrame:
    """Return the sheet with columns under their canonical names, and a checked ``sample`` column.

    Parameters
    ----------
    sheet
        Text, one row per sample.
    columns
        Canonical name: the sheet's name. One column may have two canonical names.
    source
        Where the sheet comes from, for messages.

    Raises
    ------
    SampleSheetError
        A column is missing or would occur twice, or sample ids are blank or repeated.
    """
    for name in columns.values():
        if name not in sheet.columns:
            raise SampleSheetError(f"{source} has no column '{name}'. {did_you_mean(name, list(sheet.columns))}")
    columns = {**_sample_column(sheet, columns, source), **columns}
    taken = [new for new, old in columns.items() if new != old and new in sheet.columns and new not in columns.values()]
    if taken:
        raise SampleSheetError(
            f"{source} already has a column '{taken[0]}', but `columns` gives that name to '{columns[taken[0]]}'. "
            "Rename or remove one of the two."
        )
    untouched = [name for name in sheet.columns if name not in columns.values()]
    named = pd.DataFrame({new: sheet[old] for new, old in columns.items()} | {name: sheet[name] for name in untouched})
    _check_samples(named["sample"], source)
    return named


def with_subjects(sheet: pd.DataFrame, source: str) -> tuple[pd.DataFrame, str]:
    """Return the sheet with a ``subject`` column, and where it comes from: ``column`` or ``sample``.

    Raises
    ------
    SampleSheetError
        The sheet has a subject column that leaves some sample without a subject.
    """
    if "subject" not in sheet.columns:
        return sheet.assign(subject=sheet["sample"]), "sample"
    unnamed = sheet["subject"].str.lower().isin(_NO_SUBJECT)
    if unnamed.any():
        words = sorted(set(sheet["subject"][unnamed]))
        raise SampleSheetError(
            f"{source}: {int(unnamed.sum())} of {len(sheet)} samples have no subject (the column holds "
            f"{list_names(words)}). Samples of one subject must stay together, so every sample needs its subject's name. "
            "Fill them in; or leave `subject` out of `columns`, if each sample is known to be a subject of its own."
        )
    return sheet, "column"


def rows_where(sheet: pd.DataFrame, where: Where) -> Flags:
    """Tell which rows have one of the values of ``where`` in each of its columns.

    Raises
    ------
    SampleSheetError
        A column or value does not occur, or no row is selected.
    """
    selected = np.ones(len(sheet), dtype=bool)
    for column, accepted in where.items():
        if column not in sheet.columns:
            names = [str(name) for name in sheet.columns]
            raise SampleSheetError(f"`where` names the column '{column}'. {did_you_mean(column, names)}")
        values = sheet[column].astype(str)
        present = sorted(set(values))
        spelt = {word: match_word(word, present) for word in _words(accepted)}
        absent = [word for word, occurring in spelt.items() if occurring is None]
        if absent:
            shown = list_names([show(value) for value in present], 20)
            raise SampleSheetError(
                f"No sample has {list_names(absent)} in '{column}'. These values occur: {shown}. Correct `where`."
            )
        selected &= values.isin(list(spelt.values())).to_numpy()
    if not selected.any():
        raise SampleSheetError(
            "`where` selects no sample: each value occurs, but never all in one row. Use fewer conditions."
        )
    return selected


def exclude_rows(sheet: pd.DataFrame, where: Where, samples: Sequence[str], key: str) -> list[Exclusion]:
    """Return who is left out by ``where``: those whose value is nearly an accepted one by value, the others together.

    Parameters
    ----------
    sheet, where
        As for `rows_where`, which accepts them.
    samples
        Names of the samples.
    key
        The key of the configuration that holds ``where``, for the reasons.
    """
    selected, names = rows_where(sheet, where), np.asarray(samples, dtype=object)
    exclusions: list[Exclusion] = []
    is_told = selected.copy()
    for column, accepted in where.items():
        values = sheet[column].astype(str)
        words = _words(accepted)
        present = sorted(set(values[~selected]))
        for word in present:
            is_word = (values == word).to_numpy() & ~is_told
            like = "" if match_word(word, words) else looks_like(word, words)
            if like and is_word.any():
                reason = f"{column} is not one of `{key}`"
                exclusions.append(Exclusion(reason, word, tuple(names[is_word]), like))
                is_told |= is_word
    others = tuple(names[~is_told])
    return [*exclusions, *([Exclusion(f"outside `{key}`", "", others)] if others else [])]


def _words(accepted: str | Sequence[str]) -> list[str]:
    return [accepted] if isinstance(accepted, str) else [str(value) for value in accepted]


def typed(sheet: pd.DataFrame) -> pd.DataFrame:
    """Return the sheet with columns of numbers as numbers; names (subject, batch, ...) stay text.

    Whole numbers with gaps stay text too, so that a class ``1`` never becomes ``1.0``.
    """
    return pd.DataFrame(
        {name: sheet[name] if name in _NAMES else _typed(sheet[name]) for name in sheet.columns}, index=sheet.index
    )


def _typed(column: "pd.Series[Any]") -> "pd.Series[Any]":
    cells = column.tolist()
    if all(_WHOLE.fullmatch(cell) for cell in cells):
        return column.astype(np.int64)
    filled = [cell for cell in cells if cell]
    all_numbers = bool(filled) and all(_NUMBER.fullmatch(cell) for cell in filled)
    if not all_numbers or all(_WHOLE.fullmatch(cell) for cell in filled):
        return column
    return pd.Series([float(cell) if cell else np.nan for cell in cells], index=column.index, dtype=np.float64)


def _sample_column(sheet: pd.DataFrame, columns: Mapping[str, str], source: str) -> dict[str, str]:
    if "sample" in columns:
        return {}
    for canonical in _SAMPLE_COLUMNS:
        for name in sheet.columns:
            if name.lower() == canonical:
                return {"sample": name}
    raise SampleSheetError(
        f"{source} has no column called sample or sample_id. It has: {', '.join(sheet.columns)}. Name the one that "
        "holds the sample ids with `columns: {sample: ...}`, or for `score` with --columns sample=NAME."
    )


def _check_samples(samples: "pd.Series[Any]", source: str) -> None:
    blank = int((samples == "").sum())
    if blank:
        raise SampleSheetError(f"{source}: {blank} row(s) have no sample id. Fill them in or remove the rows.")
    repeated = sorted(set(samples[samples.duplicated()]))
    if repeated:
        raise SampleSheetError(
            f"{source}: {len(repeated)} sample id(s) occur more than once: {list_names(repeated)}. Each sample has one row; "
            "several samples of one animal share a `subject`, not a sample id."
        )
