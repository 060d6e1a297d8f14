"""Classes from a measured behaviour: a cut-off, and a margin around it within which subjects have no class."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags, Floats
from responder_ml.cohort.exclusion import Exclusion
from responder_ml.errors import EndpointError, SampleSheetError, list_names

# 0.9 is not nearer to 1.0 than 0.1, whatever the last bit of the difference.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class BehaviourRule:
    """Assigns a measured value to a class.

    No cut-off here is the founding study's: which one it used could not be verified.
    """

    cut: float
    """A value of ``cut`` or more is above; in the column's own unit."""
    margin: float = 0.0
    """Values nearer to the cut than this belong to no class: on another day the animal could be on the other side."""
    above: Literal["positive", "negative"] = "positive"
    """The class that is above."""

    # Read by the configuration, which refuses keys that are none of these.
    __pydantic_config__ = {"extra": "forbid", "use_attribute_docstrings": True}  # noqa: RUF012

    def __post_init__(self) -> None:
        """Refuse a negative margin."""
        if self.margin < 0:
            raise ValueError(f"margin is {self.margin:g}, but must not be below 0")

    def is_near(self, values: Floats) -> Flags:
        """Tell which values lie within the margin."""
        return np.asarray(np.abs(values - self.cut) < self.margin - _ROUNDING, dtype=np.bool_)

    def is_positive(self, values: Floats) -> Flags:
        """Tell which values belong to the positive class, margin or not."""
        return np.asarray((values >= self.cut) == (self.above == "positive"), dtype=np.bool_)


def read_behaviour(sheet: pd.DataFrame, column: str) -> Floats:
    """Return a column of numbers, not-a-number where a cell is empty.

    Raises
    ------
    SampleSheetError
        A cell holds other text.
    """
    text = sheet[column].astype(object).where(sheet[column].notna(), "").astype(str).str.strip()
    values = pd.to_numeric(text.where(text != "", "nan"), errors="coerce").to_numpy(dtype=np.float64)
    not_numbers = sorted(set(text[np.isnan(values) & ~text.str.lower().isin(["", "na", "n/a", "nan"]).to_numpy()]))
    if not_numbers:
        raise SampleSheetError(
            f"The endpoint needs numbers in '{column}', but it holds {list_names(not_numbers)}. Leave such cells empty, or name "
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
    values = read_behaviour(sheet, column)
    spread = pd.Series(values, index=sheet["subject"].astype(str)).groupby(level=0).agg(["min", "max"])
    mixed = spread.index[(spread["min"] != spread["max"]) & spread["min"].notna()].tolist()
    if mixed:
        raise EndpointError(
            f"{list_names(mixed)} have several values in '{column}'. A subject has one behaviour; correct the sheet."
        )
    classes = np.where(rule.is_positive(values), positive, negative).astype(object)
    classes[np.isnan(values) | rule.is_near(values)] = ""
    return pd.Series(classes, index=sheet.index, dtype=object)


def subjects_without_class(
    sheet: pd.DataFrame, column: str, rule: BehaviourRule
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the subjects within the margin of a rule, and those without a value."""
    values, subjects = read_behaviour(sheet, column), sheet["subject"].astype(str).to_numpy()
    near, unknown = subjects[rule.is_near(values)], subjects[np.isnan(values)]
    return tuple(dict.fromkeys(near.tolist())), tuple(dict.fromkeys(unknown.tolist()))


def exclude_without_class(sheet: pd.DataFrame, in_scope: Flags, column: str, rule: BehaviourRule) -> list[Exclusion]:
    """Return the samples that a rule gives no class."""
    values, names = read_behaviour(sheet, column), sheet.index.astype(str).to_numpy()
    reasons = {
        f"{column} is nearer to the cut-off than {rule.margin:g}": rule.is_near(values) & in_scope,
        f"{column} is blank or missing": np.isnan(values) & in_scope,
    }
    return [Exclusion(reason, "", tuple(names[rows].tolist())) for reason, rows in reasons.items() if rows.any()]
