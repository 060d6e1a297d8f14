"""How strongly a column of the sheet is associated with the two classes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from responder_ml.arrays import Floats

_MOST_CATEGORIES = 6


@dataclass(frozen=True)
class Association:
    """A column with few values against two classes.

    Attributes
    ----------
    table
        Counts, values x (negative, positive).
    cramers_v
        0 without association, 1 where the column determines the class.
    by_chance
        Root of the mean squared value under relabelling.
    """

    table: pd.DataFrame
    cramers_v: float
    by_chance: float

    @property
    def is_strong(self) -> bool:
        """Tell whether the squared value exceeds chance by a tenth."""
        return self.cramers_v**2 - self.by_chance**2 >= 0.1

    @property
    def one_class_only(self) -> list[str]:
        """Values that occur in one class alone."""
        return [str(value) for value in self.table.index[(self.table == 0).any(axis=1)]]


def is_categorical(values: "pd.Series[Any]") -> bool:
    """Tell whether values are names or few-valued numbers (read length, lane), not measurements (RIN, age)."""
    if not pd.api.types.is_numeric_dtype(values):
        return True
    return bool(values.nunique() <= max(2, min(_MOST_CATEGORIES, len(values) // 3)))


def associate(values: "pd.Series[Any]", labels: NDArray[np.int8]) -> Association:
    r"""Cross-tabulate a categorical column with two classes.

    With two classes Cramér's V is :math:`\sqrt{\chi^2 / n}`. Under relabelling :math:`E[\chi^2] = (k - 1) n / (n - 1)`
    for :math:`k` values, so V is about :math:`\sqrt{(k - 1) / (n - 1)}` without any association.

    Parameters
    ----------
    values
        One value per unit; missing ones are a value of their own.
    labels
        0 or 1 per unit.

    References
    ----------
    Cramér H (1946) Mathematical Methods of Statistics, chapter 21. Princeton University Press.
    Bergsma W (2013) A bias-correction for Cramér's V and Tschuprow's T. J Korean Stat Soc 42:323-328.
    doi:10.1016/j.jkss.2012.10.002
    """
    named = values.astype(object).where(values.notna(), "(missing)").astype(str)
    table = pd.crosstab(named.to_numpy(), labels).reindex(columns=[0, 1], fill_value=0)
    observed = table.to_numpy(dtype=np.float64)
    total = observed.sum()
    expected = observed.sum(axis=1, keepdims=True) * observed.sum(axis=0) / total
    if len(table) < 2 or np.any(expected == 0):
        return Association(table, 0.0, 0.0)
    chi_squared = float(np.sum((observed - expected) ** 2 / expected))
    by_chance = np.sqrt((len(table) - 1) / (total - 1))
    return Association(table, float(np.sqrt(chi_squared / total)), float(min(by_chance, 1.0)))


def rank_difference(values: Floats, labels: NDArray[np.int8]) -> tuple[float, float]:
    """Return how often a positive unit's value is the larger one (AUROC), and the two-sided p of the rank test."""
    positive, negative = values[labels == 1], values[labels == 0]
    if not len(positive) or not len(negative) or np.ptp(values) == 0:
        return 0.5, 1.0
    result = mannwhitneyu(positive, negative, alternative="two-sided")
    return float(result.statistic / (len(positive) * len(negative))), float(result.pvalue)
