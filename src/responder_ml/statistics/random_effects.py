"""Random-effects meta-analysis: one effect estimated in several independent cohorts, whose true effects differ.

``y_i = mu + u_i + e_i`` with ``u_i`` of variance tau^2 between cohorts and ``e_i`` of the known variance within. tau^2 is
estimated by restricted maximum likelihood; the interval of mu is Hartung and Knapp's: Student's t with one degree of freedom less
than cohorts, and the observed spread in place of the assumed one. That covers as it should on average, but two equal estimates
would have an interval of no width; the spread is therefore never taken to be smaller than assumed ("ad hoc" in metafor), which
is wide where cohorts are alike (`experiments/meta_coverage`).

References
----------
Viechtbauer W (2005) Bias and efficiency of meta-analytic variance estimators. J Educ Behav Stat 30:261-293.
    doi:10.3102/10769986030003261
Hartung J, Knapp G (2001) doi:10.1002/sim.791
Viechtbauer W (2007) Confidence intervals for the amount of heterogeneity in meta-analysis. doi:10.1002/sim.2514 (Q-profile)
Higgins JPT, Thompson SG (2002) Quantifying heterogeneity in a meta-analysis. doi:10.1002/sim.1186
Higgins JPT, Thompson SG, Spiegelhalter DJ (2009) doi:10.1111/j.1467-985X.2008.00552.x (prediction interval)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, t

from responder_ml.arrays import Floats

_LEVEL = 0.95
# Relative precision of tau^2.
_PRECISION = 1e-14


@dataclass(frozen=True)
class Pooled:
    """The mean effect over cohorts.

    Attributes
    ----------
    estimate, standard_error
        Mean effect, and its standard error after Hartung and Knapp.
    interval
        95 % interval of the mean effect.
    p_value
        Two-sided p of a mean effect of zero.
    tau2, tau2_interval
        Variance between cohorts, and its 95 % interval (Q-profile).
    i2
        Share of the variance of estimates that is between cohorts, 0 to 1.
    q, q_p_value
        Cochran's Q, and p of equal effects in all cohorts.
    prediction
        95 % interval of the effect in a new cohort.
    """

    estimate: float
    standard_error: float
    interval: tuple[float, float]
    p_value: float
    tau2: float
    tau2_interval: tuple[float, float]
    i2: float
    q: float
    q_p_value: float
    prediction: tuple[float, float]


def pool(estimates: Floats, variances: Floats, null: float = 0.0, *, never_narrower: bool = True) -> Pooled:
    """Pool the estimates of independent cohorts.

    Parameters
    ----------
    estimates, variances
        Estimate of each cohort and its sampling variance, shape ``(n_cohorts,)``; at least two cohorts, variances above 0.
    null
        Value that p is about.
    never_narrower
        Whether the observed spread is replaced by the assumed one where it is smaller.

    Raises
    ------
    ValueError
        Fewer than two cohorts, or variances that are not above 0.
    """
    y, v = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if len(y) < 2 or not (np.all(np.isfinite(y)) and np.all(np.isfinite(v)) and np.all(v > 0)):
        raise ValueError("Pooling needs finite estimates of at least two cohorts, with variances above 0.")
    df = len(y) - 1
    tau2 = _reml(y, v)
    weights = 1.0 / (v + tau2)
    mean = float(np.sum(weights * y) / np.sum(weights))
    spread = float(np.sum(weights * (y - mean) ** 2) / df)
    if never_narrower:
        spread = max(spread, 1.0)
    error = float(np.sqrt(spread / np.sum(weights)))
    width = float(t.ppf(0.5 + _LEVEL / 2, df))
    q = _q(y, v, 0.0)
    # The variance within a typical cohort (Higgins and Thompson 2002).
    fixed = 1.0 / v
    typical = df * np.sum(fixed) / (np.sum(fixed) ** 2 - np.sum(fixed**2))
    to_new = float(np.sqrt(tau2 + error**2))
    return Pooled(
        estimate=mean,
        standard_error=error,
        interval=(mean - width * error, mean + width * error),
        p_value=float(2.0 * t.sf(abs(mean - null) / error, df)),
        tau2=tau2,
        tau2_interval=_q_profile(y, v),
        i2=float(tau2 / (tau2 + typical)),
        q=q,
        q_p_value=float(chi2.sf(q, df)),
        prediction=(mean - width * to_new, mean + width * to_new),
    )


def _reml(y: Floats, v: Floats) -> float:
    """Return tau^2 where the derivative of the restricted likelihood is zero, or 0 where it falls from there on."""

    def derivative(tau2: float) -> float:
        weights = 1.0 / (v + tau2)
        total = np.sum(weights)
        mean = np.sum(weights * y) / total
        return float(np.sum(weights**2 * (y - mean) ** 2) - np.sum(weights) + np.sum(weights**2) / total)

    return _root(derivative, y, v)


def _q(y: Floats, v: Floats, tau2: float) -> float:
    weights = 1.0 / (v + tau2)
    mean = np.sum(weights * y) / np.sum(weights)
    return float(np.sum(weights * (y - mean) ** 2))


def _q_profile(y: Floats, v: Floats) -> tuple[float, float]:
    """Return the values of tau^2 at which Q is at the ends of its 95 % range."""
    ends = chi2.ppf([0.5 + _LEVEL / 2, 0.5 - _LEVEL / 2], len(y) - 1)
    low, high = (_root(partial(_beyond, y, v, float(end)), y, v) for end in ends)
    return low, high


def _beyond(y: Floats, v: Floats, end: float, tau2: float) -> float:
    return _q(y, v, tau2) - end


def _root(falling: Callable[[float], float], y: Floats, v: Floats) -> float:
    """Return where a function of tau^2 that falls through zero does so; 0 where it is below from the start."""
    if falling(0.0) <= 0:
        return 0.0
    high = float(np.ptp(y) ** 2 + v.max())
    while falling(high) > 0:
        high *= 4.0
    return float(brentq(falling, 0.0, high, xtol=_PRECISION * high, rtol=4 * np.finfo(float).eps))
