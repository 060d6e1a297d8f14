"""The 95 % interval of a cross-validated concordance with a graded outcome.

As for the AUROC (`auroc_interval`) it holds the true concordances C under which the observed one is within the central 95 %, with
the variance of the concordance of one fixed score times what cross-validation with K folds and R repeats adds, ``c(K, R)``. The
variance is that of Kendall's tau of n subjects, with C = (tau + 1) / 2: the null variance, ties of outcomes included, times the
ratio that a bivariate normal distribution of tau gives,

    Var(tau) / Var(0),    Var(tau) ~ 1 - a^2 + 2 (n - 2) (1/9 - b^2),
    a = 2/pi asin r,    b = 2/pi asin(r / 2),    r = sin(pi tau / 2).

``c(K, R)`` was fitted to AUROCs of simulated cohorts; that it serves the concordance as well, of which the AUROC is the case of two
values, is an assumption, which holds in `experiments/graded_calibration`: 0.935 to 0.970 of intervals cover.

References
----------
Kendall MG (1970) Rank Correlation Methods, 4th edition: the variance with ties, and under a normal distribution
"""

from math import asin, isnan, nan, pi, sin

import numpy as np
from scipy.stats import norm

from responder_ml.arrays import Floats, Indices
from responder_ml.evaluation.agreement import PredictedOutcomes, fold_concordance
from responder_ml.evaluation.auroc_interval import LEVEL, score_ends, variance_inflation


def concordance_interval(predicted: PredictedOutcomes) -> tuple[float, float]:
    """Return the ends of the interval; both not a number where no pair was compared.

    It is meant to hold the concordance that models of the same procedure and number of subjects have on infinitely many new
    subjects.

    Examples
    --------
    A perfect order of ten subjects is no proof of a perfect score.

    >>> outcome = np.arange(10.0)
    >>> one = np.zeros((1, 10), dtype=int)
    >>> low, high = concordance_interval(PredictedOutcomes(outcome, outcome[None], one, one[0], one[0]))
    >>> round(low, 2), high
    (0.88, 1.0)
    """
    value = fold_concordance(predicted)
    if isnan(value):
        return nan, nan
    folds, repeats = len(np.unique(predicted.folds)), len(predicted.folds)
    reach = float(norm.ppf(0.5 + LEVEL / 2)) ** 2 * variance_inflation(folds, repeats)

    def surprising(truth: float) -> bool:
        return (value - truth) ** 2 > reach * concordance_variance(truth, predicted.outcome, predicted.strata)

    return score_ends(surprising, value)


def concordance_variance(truth: float, outcome: Floats, strata: Indices) -> float:
    """Return the variance of the concordance of a fixed score whose true concordance is given.

    Parameters
    ----------
    truth
        True concordance, 0 to 1.
    outcome, strata
        Of each subject; pairs of one stratum are compared.
    """
    total, pairs = 0.0, 0.0
    for code in np.unique(strata):
        values = outcome[strata == code]
        n, (_, ties) = len(values), np.unique(values, return_counts=True)
        compared = (n * (n - 1) - float(np.sum(ties * (ties - 1)))) / 2.0
        if compared == 0:
            continue
        # Kendall's variance of the number of pairs in order less those against it.
        null = (n * (n - 1) * (2 * n + 5) - float(np.sum(ties * (ties - 1) * (2 * ties + 5)))) / 18.0
        total += null * _normal_tau(2.0 * truth - 1.0, n) / _normal_tau(0.0, n)
        pairs += compared
    return total / (2.0 * pairs) ** 2


def _normal_tau(tau: float, n: int) -> float:
    """Return the variance of Kendall's tau of n normal pairs, but for a factor that does not depend on tau."""
    correlation = sin(pi * tau / 2.0)
    whole, half = (2.0 / pi * asin(part) for part in (correlation, correlation / 2.0))
    return max(1.0 - whole**2 + 2.0 * (n - 2) * (1.0 / 9.0 - half**2), 0.0)
