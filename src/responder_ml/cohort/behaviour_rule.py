"""Two classes from a measured behaviour: a cut-off, and a margin around it whose subjects are left out."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_ml.cohort.some_of import some_of
from responder_ml.exceptions import EndpointError, SampleSheetError

Floats = NDArray[np.float64]

_ROUNDING = 1e-9
# 0.9 is not nearer to 1.0 than 0.1, whatever the last bit says.

SUFFIX = "_class"
"""A derived column is called after the measured one."""


@dataclass(frozen=True)
class BehaviourRule:
    """Which class a value belongs to.

    No cut-off here is the founding study's: which one it used could not be verified.

    Attributes
    ----------
    cut
        A value of ``cut`` or more lies above.
    margin
        Values nearer to the cut than this belong to no class: such an animal could stand on the other side tomorrow.
    above
        The class that lies above.
    """

    cut: float
    margin: float = 0.0
    above: Literal["positive", "negative"] = "positive"

    def is_near(self, values: Floats) -> NDArray[np.bool_]:
        """Tell which values lie within the margin."""
        return np.asarray(np.abs(values - self.cut) < self.margin - _ROUNDING, dtype=np.bool_)

    def is_positive(self, values: Floats) -> NDArray[np.bool_]:
        """Tell which values belong to the positive class, margin or not."""
        return np.asarray((values >= self.cut) == (self.above == "positive"), dtype=np.bool_)


def measured(sheet: pd.DataFrame, column: str) -> Floats:
    """Return a column of numbers, nan where a cell says nothing.

    Raises
    ------
    SampleSheetError
        A cell holds something else.
    """
    text = sheet[column].astype(object).where(sheet[column].notna(), "").astype(str).str.strip()
    values = pd.to_numeric(text.where(text != "", "nan"), errors="coerce").to_numpy(dtype=np.float64)
    wrong = sorted(set(text[np.isnan(values) & ~text.str.lower().isin(["", "na", "n/a", "nan"]).to_numpy()]))
    if wrong:
        raise SampleSheetError(
            f"`endpoint.rule` needs numbers in '{column}', but it holds {some_of(wrong)}. Leave such cells empty, or name "
            "another column."
        )
    return values


def derive_classes(
    sheet: pd.DataFrame, column: str, rule: BehaviourRule, positive: str, negative: str
) -> "pd.Series[str]":
    """Return each sample's class, empty within the margin and where nothing was measured.

    Raises
    ------
    SampleSheetError
        The column does not hold numbers.
    EndpointError
        A subject has two values.
    """
    values = measured(sheet, column)
    spread = pd.Series(values, index=sheet["subject"].astype(str)).groupby(level=0).agg(["min", "max"])
    mixed = spread.index[(spread["min"] != spread["max"]) & spread["min"].notna()].tolist()
    if mixed:
        raise EndpointError(
            f"{some_of(mixed)} have several values in '{column}'. A subject has one behaviour; correct the sheet."
        )
    classes = np.where(rule.is_positive(values), positive, negative).astype(object)
    classes[np.isnan(values) | rule.is_near(values)] = ""
    return pd.Series(classes, index=sheet.index, dtype=object)
