"""ROC and precision-recall curves whose area is the headline's AUROC.

Subjects are only ranked against subjects that the same model scored, that is within an outer fold. Fold curves are
averaged at equal false positive rates, each weighted by the fold's number of comparable pairs, so the area under the
average is the AUROC over pairs within a fold, the report's headline. Pooling log-odds of different models would pull the
curve of noise below the diagonal.

References
----------
Davis J, Goadrich M (2006) doi:10.1145/1143844.1143874 (precision-recall from ROC at a fixed share of positives)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from responder_ml.arrays import Floats
from responder_ml.report.subject_decisions import SubjectDecisions

# Cells of equal width between 0 and 1. Divisible by the class sizes of small folds, so their steps fall on cell borders
# and the mean over cells is the exact area.
_CELLS = 240
_BAND = (0.025, 0.975)


@dataclass(frozen=True)
class Curve:
    """A curve with its spread over repeats.

    Attributes
    ----------
    x, y
        The average curve, at the middle of each cell.
    low, high
        2.5 % and 97.5 % quantiles over repeats at each ``x``.
    """

    x: Floats
    y: Floats
    low: Floats
    high: Floats

    @property
    def area(self) -> float:
        """Area under the average curve."""
        return float(self.y.mean())


def average_roc(decisions: SubjectDecisions) -> Curve | None:
    """Return true positive rate against false positive rate; None where no fold holds both classes."""
    rates, weights = _repeat_rates(decisions)
    if not weights.any():
        return None
    mean = np.average(rates, axis=0, weights=weights)
    low, high = np.quantile(rates[weights > 0], _BAND, axis=0)
    return Curve(_grid(), mean, low, high)


def average_precision_recall(decisions: SubjectDecisions) -> Curve | None:
    """Return precision against recall at this cohort's share of positives; None where no fold holds both classes."""
    rates, weights = _repeat_rates(decisions)
    if not weights.any():
        return None
    share = float(decisions.labels.mean())
    mean = _precision(np.average(rates, axis=0, weights=weights), share)
    precisions = np.array([_precision(rate, share) for rate in rates[weights > 0]])
    low, high = np.quantile(precisions, _BAND, axis=0)
    return Curve(_grid(), mean, low, high)


def _grid() -> Floats:
    return (np.arange(_CELLS) + 0.5) / _CELLS


def _repeat_rates(decisions: SubjectDecisions) -> tuple[Floats, Floats]:
    """Return each repeat's true positive rates, repeats x cells, and its number of comparable pairs."""
    rates, weights = [], []
    for log_odds, folds in zip(decisions.log_odds, decisions.folds, strict=True):
        inside = [folds == fold for fold in np.unique(folds)]
        pairs = np.array([_pairs(decisions.labels[rows]) for rows in inside], dtype=np.float64)
        curves = np.array([_fold_rates(decisions.labels[rows], log_odds[rows]) for rows in inside])
        weights.append(pairs.sum())
        rates.append(np.average(curves, axis=0, weights=pairs) if pairs.any() else np.zeros(_CELLS))
    return np.array(rates), np.array(weights)


def _pairs(labels: NDArray[np.int8]) -> int:
    positive = int(np.count_nonzero(labels == 1))
    return positive * (len(labels) - positive)


def _fold_rates(labels: NDArray[np.int8], log_odds: Floats) -> Floats:
    if not _pairs(labels):
        return np.zeros(_CELLS)
    false_positive, true_positive, _ = roc_curve(labels, log_odds, drop_intermediate=False)
    return np.asarray(np.interp(_grid(), false_positive, true_positive), dtype=np.float64)


def _precision(rate: Floats, share: float) -> Floats:
    """Turn true positive rates over false positive rates into precision over recall."""
    recall = _grid()
    false_positive = np.interp(recall, [0.0, *rate, 1.0], [0.0, *_grid(), 1.0])
    true = share * recall
    return np.asarray(true / (true + (1.0 - share) * false_positive), dtype=np.float64)
