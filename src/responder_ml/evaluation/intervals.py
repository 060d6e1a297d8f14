"""Paired tests of performance on the same folds: the corrected t test.

Two procedures scored on the same folds are compared by a t test that allows for training sets that overlap. The scores
of repeated cross-validation are not independent, so the ordinary t test on them is far too sure. Nadeau and Bengio
inflate the variance of the mean difference from ``1 / J`` to ``1 / J + n_test / n_train``.

The interval of one AUROC is in `auroc_interval`.

References
----------
Nadeau C, Bengio Y (2003) Inference for the generalization error. doi:10.1023/A:1024068626366
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import copysign, inf, nan, sqrt

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from responder_ml.errors import RunError
from responder_ml.evaluation.auroc_interval import LEVEL
from responder_ml.statistics.multiple_testing import holm

# Differences of AUROCs that vary by less do so through rounding.
_ROUNDING = 1e-12
_COLUMNS = ["first", "second", "difference", "low", "high", "t", "p_value", "p_holm", "n_folds"]


@dataclass(frozen=True)
class CorrectedT:
    """A mean paired difference with its corrected interval and test.

    Attributes
    ----------
    difference
        Mean over folds and repeats; nan if no fold could be scored by both procedures.
    low, high
        95 % interval. Equal to the difference where all folds differ by the same amount, and nan with
        one fold.
    t
        Corrected statistic with ``n_folds - 1`` degrees of freedom; infinite where all folds differ by the same amount
        and it is not zero.
    p_value
        Two-sided. 1 where nothing differs; nan where it cannot be estimated, which is never read as significance.
    n_folds
        Folds over all repeats that were used (J).
    """

    difference: float
    low: float
    high: float
    t: float
    p_value: float
    n_folds: int


def corrected_t(differences: ArrayLike, folds: int) -> CorrectedT:
    """Test whether paired differences of scores are zero on average.

    The statistic is ``mean(d) / sqrt((1 / J + r) var(d))`` with J the number of differences, ``r = 1 / (folds - 1)`` the
    ratio of test to training subjects and var the unbiased variance.

    Parameters
    ----------
    differences
        Score of one procedure minus that of the other, one per fold and repeat, any shape; nan (a fold with one class
        only) is left out.
    folds
        Folds of each repeat (K), at least 2.

    Raises
    ------
    ValueError
        Fewer than 2 folds.
    """
    if folds < 2:
        raise ValueError(f"folds is {folds}; at least 2 are expected")
    values = np.ravel(np.asarray(differences, dtype=np.float64))
    values = values[~np.isnan(values)]
    size = int(values.size)
    if size < 2:
        return CorrectedT(float(values[0]) if size else nan, nan, nan, nan, nan, size)
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    if spread <= _ROUNDING:
        return _without_spread(mean, size)
    error = sqrt(1 / size + 1.0 / (folds - 1)) * spread
    statistic = mean / error
    half = float(student.ppf(0.5 + LEVEL / 2, size - 1)) * error
    p_value = 2 * float(student.sf(abs(statistic), size - 1))
    return CorrectedT(mean, mean - half, mean + half, statistic, p_value, size)


def compare_pairs(scores: Mapping[str, NDArray[np.floating]], folds: int) -> pd.DataFrame:
    """Compare every two procedures that were scored on the same folds.

    Parameters
    ----------
    scores
        AUROC of each fold and repeat by name, all of one shape and with the folds in one order.
    folds
        Folds of each repeat.

    Returns
    -------
    pandas.DataFrame
        One row per pair: first, second, difference (first minus second), low, high (not adjusted for the number of pairs),
        t, p_value, p_holm, n_folds.

    Raises
    ------
    RunError
        The scores are not of one shape.
    """
    shapes = {name: np.shape(of_folds) for name, of_folds in scores.items()}
    if len(set(shapes.values())) > 1:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise RunError(
            f"The scores are of different folds: {listed}. A paired comparison needs the same folds and repeats; "
            "train with the same `search` and `seed` on the same subjects."
        )
    rows = []
    for first, second in combinations(scores, 2):
        test = corrected_t(np.asarray(scores[first]) - np.asarray(scores[second]), folds)
        rows.append((first, second, test.difference, test.low, test.high, test.t, test.p_value, nan, test.n_folds))
    table = pd.DataFrame(rows, columns=_COLUMNS)
    table["p_holm"] = holm(table["p_value"].to_numpy(dtype=np.float64))
    return table


def _without_spread(mean: float, size: int) -> CorrectedT:
    """Return the result where every fold differs by the same amount: the amount, but no test of it."""
    if abs(mean) <= _ROUNDING:
        return CorrectedT(mean, mean, mean, 0.0, 1.0, size)
    return CorrectedT(mean, mean, mean, copysign(inf, mean), nan, size)
