"""What a builder may use beside expression: the sample sheet, and the samples of the cohort outside the endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.errors import FeatureError


@dataclass(frozen=True)
class Context:
    """The samples of an endpoint and those outside it.

    A fitted builder stores what it learnt from a context, never the context.

    Attributes
    ----------
    sheet
        The sample sheet, one row for each row of the expression that a builder gets.
    column, positive, negative
        The endpoint's column and classes, as the sheet has them. Labels of a training set come from elsewhere: a null
        permutes them.
    outside
        Other samples of the cohort x genes, in the cohort's units. None is of a subject of the endpoint.
    outside_sheet
        Their rows of the sample sheet.
    adjusted
        Covariates that a job adjusts for, rows x columns; None without any. Builders rank with them in the linear model; what
        they explain of the columns themselves is removed later, by `search.adjusted_columns`.
    """

    sheet: pd.DataFrame = field(repr=False)
    column: str
    positive: str
    negative: str
    outside: Floats = field(repr=False)
    outside_sheet: pd.DataFrame = field(repr=False)
    adjusted: Floats | None = field(default=None, repr=False)

    def take(self, rows: Flags | Indices) -> Self:
        """Return the context of some rows of the endpoint."""
        positions = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        adjusted = None if self.adjusted is None else self.adjusted[positions]
        return replace(self, sheet=self.sheet.iloc[positions], adjusted=adjusted)

    def covariates(self, names: Sequence[str]) -> Floats:
        """Return columns of the sheet as numbers, samples x columns: categories as indicators, numbers as they are.

        Raises
        ------
        FeatureError
            A column is missing, or has gaps.
        """
        absent = [name for name in names if name not in self.sheet.columns]
        if absent:
            raise FeatureError(
                f"Covariate(s) {', '.join(absent)} are not in the sample sheet, which has: "
                f"{', '.join(map(str, self.sheet.columns))}. Correct `covariates`, or rename with `cohort.columns`."
            )
        parts = [_as_numbers(self.sheet[name]) for name in names]
        return np.column_stack(parts) if parts else np.empty((len(self.sheet), 0))


def _as_numbers(values: "pd.Series[str]") -> Floats:
    if values.isna().any():
        raise FeatureError(
            f"Covariate '{values.name}' is missing for {int(values.isna().sum())} of {len(values)} samples. "
            "Fill it in, leave the samples out, or drop the covariate."
        )
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype=np.float64)
        return np.asarray((numbers - numbers.mean())[:, None])
    words = values.astype(str).to_numpy()
    return np.asarray(words[:, None] == np.unique(words)[None, 1:], dtype=np.float64)
