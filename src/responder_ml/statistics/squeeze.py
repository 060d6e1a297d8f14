"""Empirical-Bayes squeezing of gene-wise variances towards a common prior.

References
----------
Smyth GK (2004) Linear models and empirical Bayes methods. Stat Appl Genet Mol Biol 3:3.
doi:10.2202/1544-6115.1027
"""

import numpy as np
from scipy.special import digamma, polygamma

from responder_ml.arrays import Flags, Floats
from responder_ml.statistics.columns import median

# limma floors variances at this share of their median, so that a constant gene has a finite logarithm.
_FLOOR_SHARE = 1e-5
# The floor where every gene is constant and the median is 0.
_LEAST = 1e-30


def trigamma_inverse(values: Floats) -> Floats:
    """Solve trigamma(y) = values for y > 0 by Newton's method on 1/trigamma, which is nearly linear."""
    values = np.asarray(values, dtype=np.float64)
    y = 0.5 + 1.0 / values
    for _ in range(50):
        tri = polygamma(1, y)
        step = tri * (1.0 - tri / values) / polygamma(2, y)
        y = y + step
        if np.all(-step / y < 1e-10):
            break
    # The asymptotes, as in limma: Newton's method loses digits where trigamma is huge or tiny.
    y = np.where(values > 1e7, 1.0 / np.sqrt(values), y)
    return np.asarray(np.where(values < 1e-6, 1.0 / values, y), dtype=np.float64)


def fit_f_dist(variances: Floats, df: float | Floats) -> tuple[Floats, Floats]:
    """Estimate the prior of gene-wise variances by moments of their logarithms, as limma's fitFDist does.

    A variance s2 with d degrees of freedom is s0^2 times an F of (d, d0) degrees of freedom. With e = log(s2) - digamma(d/2) +
    log(d/2), the prior d0 solves trigamma(d0/2) = var(e) - trigamma(d/2), and log(s0^2) = mean(e) + digamma(d0/2) - log(d0/2).
    Where the right side is 0 or less, the variances differ no more than chance: d0 is infinite and s0^2 the mean of s2.

    Parameters
    ----------
    variances
        Residual variances, genes along the last axis, shape ``(..., n_genes)``.
    df
        Residual degrees of freedom, a number or of shape ``(...)``.

    Returns
    -------
    prior_df, prior_variance
        Shape ``(...)``; ``prior_df`` is infinite where the variances differ no more than chance.
    """
    return prior_of_logs(*log_moments(np.asarray(variances)), df)


def log_moments(variances: Floats) -> tuple[Floats, Floats, Floats]:
    """Return mean and sample variance of the logarithms of the floored variances, and the mean of the floored variances.

    Parameters
    ----------
    variances
        Genes along the last axis.
    """
    floored = _floored(variances)
    logs = np.log(floored)
    mean = np.asarray(np.mean(logs, axis=-1, dtype=np.float64))
    squares = np.sum((logs - mean[..., None]) ** 2, axis=-1, dtype=np.float64)
    spread = np.asarray(squares / max(logs.shape[-1] - 1, 1), dtype=np.float64)
    return mean, spread, np.asarray(np.mean(floored, axis=-1, dtype=np.float64))


def prior_of_logs(mean: Floats, spread: Floats, pooled: Floats, df: float | Floats) -> tuple[Floats, Floats]:
    """Estimate the prior from the moments of the logarithms of the (floored) variances.

    Parameters
    ----------
    mean, spread
        Mean and sample variance of the logarithms, shape ``(...)``.
    pooled
        Mean of the floored variances: the prior where they differ no more than chance.
    df
        Residual degrees of freedom, a number or of shape ``(...)``.

    Returns
    -------
    prior_df, prior_variance
        As for `fit_f_dist`.
    """
    half_df = np.asarray(df, dtype=np.float64) / 2.0
    excess = spread - polygamma(1, half_df)
    finite = excess > 0
    half_prior = trigamma_inverse(np.where(finite, excess, 1.0))
    log_variance = mean - digamma(half_df) + np.log(half_df) + digamma(half_prior) - np.log(half_prior)
    return np.where(finite, 2.0 * half_prior, np.inf), np.where(finite, np.exp(log_variance), pooled)


def squeeze(variances: Floats, df: float | Floats, prior_df: float | Floats, prior_variance: float | Floats) -> Floats:
    """Return the posterior variances, genes along the last axis.

    Parameters
    ----------
    variances
        Shape ``(..., n_genes)``.
    df, prior_df, prior_variance
        Numbers or arrays that broadcast against ``variances``; give leading axes a trailing length-one axis.
    """
    df, prior_df, prior_variance = (np.asarray(value, dtype=np.float64) for value in (df, prior_df, prior_variance))
    finite_prior = np.where(np.isinf(prior_df), 0.0, prior_df)
    weighted = (finite_prior * prior_variance + df * variances) / (finite_prior + df)
    return np.asarray(np.where(np.isinf(prior_df), prior_variance, weighted), dtype=np.float64)


def may_need_floor(lowest: Floats, mean: Floats, spread: Floats) -> Flags:
    """Return whether some variance may be below limma's floor, from logarithms of variances and without their median.

    A median is never more than one standard deviation from the mean.

    Parameters
    ----------
    lowest, mean, spread
        Lowest value, mean and variance of the logarithms.
    """
    return np.asarray(lowest < mean + np.sqrt(spread) + np.log(_FLOOR_SHARE))


def _floored(variances: Floats) -> Floats:
    floor = np.maximum(_FLOOR_SHARE * median(variances), _LEAST)
    if np.all(np.min(variances, axis=-1) >= floor):
        return variances
    return np.maximum(variances, floor[..., None])
