"""Random-effects meta-analysis: one effect estimated in several cohorts, whose true effects differ.

``y_i = mu + u_i + e_i`` with ``u_i`` of variance tau^2 between cohorts and ``e_i`` of the known variance within. tau^2 is
estimated by restricted maximum likelihood; the interval of mu is Hartung and Knapp's: Student's t with one degree of freedom less
than cohorts, and the observed spread in place of the assumed one. That covers as it should on average, but two equal estimates
would have an interval of no width; the spread is therefore never taken to be smaller than assumed ("ad hoc" in metafor), which
is wide where cohorts are alike (`experiments/meta_coverage`).

Cohorts that share animals, such as two treatments against one control group, have correlated errors ``e_i``. Their covariance V is
known from the sizes of the groups (`shared_correlation`), and everything above holds with generalised least squares: with
``V = U diag(l) U'`` the estimates ``U'y`` have independent errors of variances ``l + tau^2`` about ``mu U'1``, so that one set of
formulas serves both. The weights ``(V + tau^2)^-1 1`` count a shared control once, and may be negative.

References
----------
Viechtbauer W (2005) Bias and efficiency of meta-analytic variance estimators. J Educ Behav Stat 30:261-293.
    doi:10.3102/10769986030003261
Hartung J, Knapp G (2001) doi:10.1002/sim.791
Viechtbauer W (2007) Confidence intervals for the amount of heterogeneity in meta-analysis. doi:10.1002/sim.2514 (Q-profile)
Higgins JPT, Thompson SG (2002) Quantifying heterogeneity in a meta-analysis. doi:10.1002/sim.1186
Gleser LJ, Olkin I (2009) Stochastically dependent effect sizes. In: The handbook of research synthesis and meta-analysis, 2nd ed.
    Russell Sage Foundation.
Higgins JPT, Thompson SG, Spiegelhalter DJ (2009) doi:10.1111/j.1467-985X.2008.00552.x (prediction interval)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, t

from responder_ml.arrays import Floats

_LEVEL = 0.95
# Relative precision of tau^2.
_PRECISION = 1e-14
# Smallest variance of a combination of cohorts, as a share of the largest; below it one follows from the others.
_LEAST_VARIANCE = 1e-9


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
    weights
        What each estimate counts in the mean; they add up to 1, and may be negative where cohorts share animals.
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
    weights: Floats = field(repr=False, compare=False)


def pool(
    estimates: Floats,
    variances: Floats,
    null: float = 0.0,
    *,
    never_narrower: bool = True,
    correlation: Floats | None = None,
) -> Pooled:
    """Pool the estimates of cohorts.

    Parameters
    ----------
    estimates, variances
        Estimate of each cohort and its sampling variance, shape ``(n_cohorts,)``; at least two cohorts, variances above 0.
    null
        Value that p is about.
    never_narrower
        Whether the observed spread is replaced by the assumed one where it is smaller.
    correlation
        Correlation of the sampling errors, cohorts x cohorts; None for independent cohorts.

    Raises
    ------
    ValueError
        Fewer than two cohorts, variances that are not above 0, or errors of which one follows from the others.
    """
    y, v = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if len(y) < 2 or not (np.all(np.isfinite(y)) and np.all(np.isfinite(v)) and np.all(v > 0)):
        raise ValueError("Pooling needs finite estimates of at least two cohorts, with variances above 0.")
    model = _Independent.of(y, v, correlation)
    df = len(y) - 1
    tau2 = model.reml()
    mean = model.mean(tau2)
    weights = model.weights(tau2)
    information = float(np.sum(weights * model.ones**2))
    spread = model.q(tau2) / df
    if never_narrower:
        spread = max(spread, 1.0)
    error = float(np.sqrt(spread / information))
    width = float(t.ppf(0.5 + _LEVEL / 2, df))
    q = model.q(0.0)
    to_new = float(np.sqrt(tau2 + error**2))
    return Pooled(
        estimate=mean,
        standard_error=error,
        interval=(mean - width * error, mean + width * error),
        p_value=float(2.0 * t.sf(abs(mean - null) / error, df)),
        tau2=tau2,
        tau2_interval=model.q_profile(),
        i2=float(tau2 / (tau2 + model.typical_variance())),
        q=q,
        q_p_value=float(chi2.sf(q, df)),
        prediction=(mean - width * to_new, mean + width * to_new),
        weights=np.asarray(model.axes @ (weights * model.ones) / information, dtype=np.float64),
    )


def shared_correlation(memberships: Sequence[Mapping[str, int]]) -> Floats:
    """Return the correlation of the errors of contrasts of two groups each, which may share subjects.

    With weights 1/n for the subjects of the positive class and -1/m for those of the negative one, it is the sum of their products
    over shared subjects, over the root of both sums of squares. Two treatments of n and m animals against one control group of k
    have (1/k) / sqrt((1/n + 1/k)(1/m + 1/k)). It holds for differences of means of equal variance, and for standardised
    differences and AUROCs where these are small.

    Parameters
    ----------
    memberships
        Of each contrast, 1 (positive) or 0 (negative) for each of its subjects.

    Examples
    --------
    >>> one = {"a1": 1, "a2": 1, "c1": 0, "c2": 0}
    >>> other = {"b1": 1, "b2": 1, "c1": 0, "c2": 0}
    >>> shared_correlation([one, other]).round(2).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    signed = []
    for contrast in memberships:
        positive = sum(contrast.values())
        negative = len(contrast) - positive
        signed.append({name: 1.0 / positive if label == 1 else -1.0 / negative for name, label in contrast.items()})
    products = [
        [sum(weight * other.get(name, 0.0) for name, weight in one.items()) for other in signed] for one in signed
    ]
    covariance = np.array(products, dtype=np.float64)
    scale = np.sqrt(np.diagonal(covariance))
    return np.asarray(covariance / np.outer(scale, scale), dtype=np.float64)


@dataclass(frozen=True)
class _Independent:
    """Estimates on axes along which their errors are independent; for independent cohorts, the cohorts.

    Attributes
    ----------
    axes
        Orthonormal, cohorts x axes.
    y, v
        The estimates on the axes, and the variances of their errors.
    ones
        What a mean of 1 in every cohort is on the axes.
    """

    axes: Floats
    y: Floats
    v: Floats
    ones: Floats

    @classmethod
    def of(cls, y: Floats, v: Floats, correlation: Floats | None) -> "_Independent":
        if correlation is None or not np.any(correlation - np.eye(len(y))):
            return cls(np.eye(len(y)), y, v, np.ones(len(y)))
        errors = np.sqrt(v)
        variances, axes = np.linalg.eigh(correlation * np.outer(errors, errors))
        if variances[0] <= _LEAST_VARIANCE * variances[-1]:
            raise ValueError(
                "The errors of some cohorts follow from those of the others: they are of the same animals."
            )
        return cls(axes, axes.T @ y, variances, axes.T @ np.ones(len(y)))

    def weights(self, tau2: float) -> Floats:
        return 1.0 / (self.v + tau2)

    def mean(self, tau2: float) -> float:
        weights = self.weights(tau2)
        return float(np.sum(weights * self.ones * self.y) / np.sum(weights * self.ones**2))

    def q(self, tau2: float) -> float:
        """Return the weighted sum of squares about the mean."""
        return float(np.sum(self.weights(tau2) * (self.y - self.mean(tau2) * self.ones) ** 2))

    def typical_variance(self) -> float:
        """Return the variance within a typical cohort (Higgins and Thompson 2002)."""
        fixed = self.weights(0.0)
        total = np.sum(fixed * self.ones**2)
        trace = np.sum(fixed) - np.sum(fixed**2 * self.ones**2) / total
        return float((len(self.y) - 1) / trace)

    def reml(self) -> float:
        """Return tau^2 where the derivative of the restricted likelihood is zero, or 0 where it falls from there on."""

        def derivative(tau2: float) -> float:
            weights = self.weights(tau2)
            total = np.sum(weights * self.ones**2)
            residual = self.y - self.mean(tau2) * self.ones
            return float(np.sum(weights**2 * residual**2) - np.sum(weights) + np.sum(weights**2 * self.ones**2) / total)

        return self._root(derivative)

    def q_profile(self) -> tuple[float, float]:
        """Return the values of tau^2 at which Q is at the ends of its 95 % range."""
        ends = chi2.ppf([0.5 + _LEVEL / 2, 0.5 - _LEVEL / 2], len(self.y) - 1)
        low, high = (self._root(partial(self._beyond, float(end))) for end in ends)
        return low, high

    def _beyond(self, end: float, tau2: float) -> float:
        return self.q(tau2) - end

    def _root(self, falling: Callable[[float], float]) -> float:
        """Return where a function of tau^2 that falls through zero does so; 0 where it is below from the start."""
        if falling(0.0) <= 0:
            return 0.0
        high = float(np.ptp(self.axes @ self.y) ** 2 + self.v.max())
        while falling(high) > 0:
            high *= 4.0
        return float(brentq(falling, 0.0, high, xtol=_PRECISION * high, rtol=4 * np.finfo(float).eps))
