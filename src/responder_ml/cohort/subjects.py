"""The subject as the unit: one value of everything that an animal, donor or patient has once, and one name."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.cohort.spelling import is_blank, read_number, skeleton
from responder_ml.errors import EndpointError, list_names

_COHORT_WORDS = (
    "cohort",
    "study",
    "experiment",
    "series",
    "dataset",
    "project",
    "site",
    "center",
    "centre",
    "source",
    "gse",
)


def in_order_of_names(cohort: AnnData) -> AnnData:
    """Return samples by subject and name, and genes by name."""
    names = cohort.obs_names.astype(str)
    order = np.lexsort([names, cohort.obs["subject"].astype(str)]) if "subject" in cohort.obs else np.arange(len(names))
    genes = np.argsort(cohort.var_names.astype(str), kind="stable")
    in_order = all(np.array_equal(by_name, np.arange(len(by_name))) for by_name in (order, genes))
    return cohort if in_order else cohort[order, genes].copy()


def require_one_value(sheet: pd.DataFrame, units: "pd.Series[str]", column: str, role: str, advice: str) -> None:
    """Refuse subjects with two values of a column; blank cells do not count.

    Parameters
    ----------
    sheet
        One row per sample.
    units
        The subject of each row, or its state before or after.
    column
        Column of which a subject has one value.
    role
        What the column is to the endpoint, such as "stratum".
    advice
        What to do, beside correcting the sheet.

    Raises
    ------
    EndpointError
        Naming the subjects and their values.
    """
    known = sheet[column].map(lambda value: not is_blank(value)).to_numpy(dtype=bool)
    values = sheet[column][known].astype(str).str.strip().groupby(units[known].astype(str)).unique()
    several = [f"{name} ({', '.join(sorted(words))})" for name, words in values.items() if len(words) > 1]
    if several:
        raise EndpointError(
            f"{list_names(several, quote='')} have several values of the {role} '{column}'. A subject has one; correct the "
            f"sheet, narrow `where`, {advice}.{_reused(sheet, column)}"
        )


def cohort_columns(sheet: pd.DataFrame) -> list[str]:
    """Return the columns that say which cohort or study a sample is of, by their names."""
    return [
        str(name)
        for name in sheet.columns
        if any(word in str(name).lower() for word in _COHORT_WORDS) and 1 < sheet[name].nunique() < len(sheet)
    ]


def spelt_alike(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return groups of subjects whose names differ by case, blanks, punctuation, zeros before a number or look-alike letters.

    Examples
    --------
    >>> spelt_alike(["mouse-m01", "Mouse_m01", "m2"])
    [('Mouse_m01', 'mouse-m01')]
    """
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        number = read_number(name)
        # A program that met a blank cell writes animal 14 as 14.0.
        groups[(skeleton(name, zeros=True) or name) if number is None else f"{number:g}"].add(name)
    return [tuple(sorted(group)) for group in groups.values() if len(group) > 1]


def in_two_cohorts(sheet: pd.DataFrame) -> dict[str, list[str]]:
    """Return, for each column that names a cohort, the subjects with samples in several of them."""
    reused: dict[str, list[str]] = {}
    for column in cohort_columns(sheet):
        counts: Any = sheet[column].astype(str).groupby(sheet["subject"].astype(str)).nunique()
        several = counts.index[counts > 1].astype(str).tolist()
        if several:
            reused[column] = several
    return reused


def _reused(sheet: pd.DataFrame, column: str) -> str:
    others = [name for name in cohort_columns(sheet) if name != column]
    return (
        f" If numbers were used again in another '{others[0]}', give each animal a name of its own." if others else ""
    )
