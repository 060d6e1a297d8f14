"""What a sample sheet must have for an endpoint: its columns, its classes, and one value per subject."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from responder_ml.cohort.subjects import require_one_value
from responder_ml.errors import EndpointError, SampleSheetError


def require_columns(sheet: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a sheet without some of the columns.

    Raises
    ------
    SampleSheetError
        Naming those it lacks and those it has.
    """
    missing = [column for column in columns if column not in sheet.columns]
    if missing:
        raise SampleSheetError(
            f"The endpoint needs the column(s) {', '.join(missing)}, which the sample sheet does not have. "
            f"It has: {', '.join(map(str, sheet.columns))}. Rename with `cohort.columns` or correct `endpoint`."
        )


def require_classes(values: "pd.Series[Any]", classes: Sequence[str]) -> None:
    """Refuse a column in which a class does not occur.

    Raises
    ------
    EndpointError
        Naming the class and the values that occur.
    """
    present = sorted(set(values))
    for name in classes:
        if name not in present:
            raise EndpointError(
                f"No sample has '{name}' in '{values.name}'. These values occur: {', '.join(present)}. "
                "Correct `endpoint`, or `cohort.where` if it left the class out."
            )


def require_one_value_each(
    sheet: pd.DataFrame,
    units: "pd.Series[str]",
    strata: Sequence[str],
    categories: Sequence[str],
    several_regions: bool,
) -> None:
    """Refuse subjects with two values of a stratum, of a nuisance that is a category, or of sex.

    Parameters
    ----------
    sheet, units
        One row per sample, and its subject.
    strata, categories
        Columns.
    several_regions
        Whether samples of a subject are of several regions, in which a nuisance may differ.

    Raises
    ------
    EndpointError
        Naming the subjects and their values.
    """
    for column in strata:
        require_one_value(sheet, units, column, "stratum", "or take the column out of `strata`")
    if several_regions:
        return
    for column in categories:
        require_one_value(sheet, units, column, "nuisance", "or take the column out of `nuisance`")
    if "sex" in sheet.columns:
        require_one_value(
            sheet, sheet["subject"].astype(str), "sex", "column", "or rename the column if it is not the subject's"
        )
