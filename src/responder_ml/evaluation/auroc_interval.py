"""The 95 % interval of a cross-validated AUROC, whose coverage has been measured.

A bootstrap of the out-of-fold decisions covers 70 to 80 % with few subjects, for two reasons. It lets the held-out subjects
vary but not the training sets, which hold the same subjects; and it has no width where every pair is in the right order. This
interval instead asks which true AUROCs would make the observed one unsurprising (a score interval, as Wilson's of a share).
Under a true AUROC A the variance is taken as

    c(K, R) * Var(A, n1, n0),    c(K, R) = (1 + 1.15 (1 - 2 / K)) (1 + 1 / (2 R)),    c = 1 for one fold,

with Var the variance of the AUROC of one fixed score (Hanley and McNeil's, with Newcombe's one number of subjects for both
classes) and c what cross-validation with K folds and R repeats adds. The larger K is, the more subjects two training sets of one
repeat share, and the less their errors average out; few repeats leave in the chance of the splits. The two constants were fitted
to simulated cohorts whose true AUROC is known; ``experiments/interval_coverage`` has the simulation and the coverage of this and
of other intervals.

The interval needs no random numbers, so a seed changes it only through the AUROC itself.

References
----------
Hanley JA, McNeil BJ (1982) The meaning and use of the area under a ROC curve. doi:10.1148/radiology.143.1.7063747
Newcombe RG (2006) Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part 2.
    doi:10.1002/sim.2324
"""

from collections.abc import Callable
from math import isnan, nan

import numpy as np
from scipy.stats import norm

from responder_ml.evaluation.metrics import OutOfFold, auroc

LEVEL = 0.95
"""Coverage of the interval."""

# See the formula above.
_OVERLAP = 1.15
_SPLITTING = 0.5
# Members of a matched pair have opposite scores: what positives and negatives contribute to the variance is the same luck, and
# does not average out (4 z / m in place of 2 z / m, for z the variance of the share of comparisons that one pair wins).
_MATCHED = 2.0
# Halvings of the range in which an end lies; 2 ** -50 is far below what is printed.
_HALVINGS = 50


def auroc_interval(out_of_fold: OutOfFold) -> tuple[float, float]:
    """Return the lower and upper end of the interval of the AUROC; the upper end alone is a 97.5 % upper bound.

    It is meant to hold the AUROC that models of the same procedure and the same number of subjects have on infinitely many new
    subjects, be it that of these models or the mean over other training sets. Decisions in one fold are those of models that were
    fitted to other subjects altogether (external validation, transfer); the interval then is of these models only.

    Parameters
    ----------
    out_of_fold
        Out-of-fold decisions. Where all pairs compared are ties, as those of a constant, the AUROC is one half by construction and
        the interval is that point. Both ends are nan where no pair was compared.

    Examples
    --------
    A perfect ranking of four and five subjects in one fold still is no proof of a perfect score.

    >>> labels = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0], dtype=np.int8)
    >>> decisions, folds = labels[None] * 1.0, np.zeros((1, 9), dtype=int)
    >>> low, high = auroc_interval(OutOfFold(labels, decisions, folds, np.zeros_like(decisions)))
    >>> round(low, 2), high
    (0.61, 1.0)
    """
    value = auroc(out_of_fold)
    if value == 0.5 and _all_ties(out_of_fold):
        return value, value
    positive = int(np.count_nonzero(out_of_fold.labels == 1))
    negative = len(out_of_fold.labels) - positive
    repeats, folds = len(out_of_fold.folds), len(np.unique(out_of_fold.folds))
    inflation = variance_inflation(folds, repeats) * (1.0 if out_of_fold.pair_of is None else _MATCHED)
    return score_interval(value, positive, negative, inflation)


def variance_inflation(folds: int, repeats: int) -> float:
    """Return how much larger the variance of a cross-validated AUROC is than that of one score fixed in advance.

    Parameters
    ----------
    folds
        Outer folds of each repeat; one if the models were fitted to other subjects.
    repeats
        Repeats of the folds.
    """
    if folds < 2:
        return 1.0
    return (1.0 + _OVERLAP * (1.0 - 2.0 / folds)) * (1.0 + _SPLITTING / repeats)


def score_interval(value: float, positive: int, negative: int, inflation: float = 1.0) -> tuple[float, float]:
    """Return the true AUROCs under which an observed one is within the central 95 %.

    Parameters
    ----------
    value
        Observed AUROC, 0 to 1.
    positive, negative
        Subjects of each class, at least one.
    inflation
        Factor on the variance.

    Raises
    ------
    ValueError
        A class without subjects beside an AUROC.
    """
    if isnan(value):
        return nan, nan
    if min(positive, negative) < 1:
        raise ValueError(f"{positive} positive and {negative} negative subjects; at least one of each is expected")
    reach = float(norm.ppf(0.5 + LEVEL / 2)) ** 2 * inflation

    def surprising(truth: float) -> bool:
        return (value - truth) ** 2 > reach * _variance(truth, positive, negative)

    return score_ends(surprising, value)


def score_ends(surprising: Callable[[float], bool], value: float) -> tuple[float, float]:
    """Return between which true values, on both sides of an observed one, truths are not surprising; all lie from 0 to 1."""
    return _end(surprising, 0.0, value), _end(surprising, 1.0, value)


def _variance(truth: float, positive: int, negative: int) -> float:
    """Return the variance of the AUROC of a fixed score, with half of all subjects taken as the number in either class."""
    other = (positive + negative) / 2 - 1
    shared = (1 - truth) / (2 - truth) + truth / (1 + truth)
    return truth * (1 - truth) * (1 + other * shared) / (positive * negative)


def _end(surprising: Callable[[float], bool], outer: float, inner: float) -> float:
    """Return where truths stop being surprising, between the end of the scale and the observed value."""
    if not surprising(outer):
        return outer
    for _ in range(_HALVINGS):
        middle = (outer + inner) / 2
        outer, inner = (middle, inner) if surprising(middle) else (outer, middle)
    return inner


def _all_ties(out_of_fold: OutOfFold) -> bool:
    for decision, fold in zip(out_of_fold.decisions, out_of_fold.folds, strict=True):
        order = np.argsort(fold, kind="stable")
        same_fold = np.diff(fold[order]) == 0
        if np.any(np.diff(decision[order])[same_fold] != 0):
            return False
    return True
