"""Empirical-Bayes squeezing of gene-wise variances towards a common prior.

References
----------
Smyth GK (2004) Linear models and empirical Bayes methods. Stat Appl Genet Mol Biol 3:3.
doi:10.2202/1544-6115.1027
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

Floats = NDArray[np.float64]

# limma floors variances at this share of their median, so that a constant gene has a finite logarithm.
_FLOOR_SHARE = 1e-5
# Where every column is constant there is no median to take a share of.
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
    # The asymptotes: Newton loses digits where trigamma is huge or tiny.
    y = np.where(values > 1e7, 1.0 / np.sqrt(values), y)
    return np.asarray(np.where(values < 1e-6, 1.0 / values, y), dtype=np.float64)


def fit_f_dist(variances: Floats, df: float | Floats) -> tuple[Floats, Floats]:
    """Estimate the prior of gene-wise variances by moments of their logarithms.

    Parameters
    ----------
    variances
        Residual variances, genes along the last axis, shape ``(..., n_genes)``. Not-a-number marks a gene left out.
    df
        Residual degrees of freedom, a number or of shape ``(...)``.

    Returns
    -------
    prior_df, prior_variance
        Shape ``(...)``; ``prior_df`` is infinite where the variances differ no more than chance.
    """
    variances = np.asarray(variances)
    half_df = np.asarray(df, dtype=np.float64) / 2.0
    mean = np.nanmean(variances, axis=-1, dtype=np.float64)
    floored = _floored(variances, mean)
    logs = np.log(floored)
    count = np.sum(~np.isnan(logs), axis=-1)
    log_mean = np.nanmean(logs, axis=-1, dtype=np.float64)
    spread = np.nansum((logs - log_mean[..., None]) ** 2, axis=-1, dtype=np.float64) / np.maximum(count - 1, 1)
    excess = spread - polygamma(1, half_df)
    centre = log_mean - digamma(half_df) + np.log(half_df)
    finite = excess > 0
    half_prior = trigamma_inverse(np.where(finite, excess, 1.0))
    prior_df = np.where(finite, 2.0 * half_prior, np.inf)
    scaled = np.exp(centre + digamma(half_prior) - np.log(half_prior))
    pooled = np.nanmean(floored, axis=-1, dtype=np.float64)
    return prior_df, np.where(finite, scaled, pooled)


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


def _floored(variances: Floats, mean: Floats) -> Floats:
    """Apply limma's floor; the median is only worked out where it can matter, since it never exceeds twice the mean."""
    lowest = np.nanmin(variances, axis=-1)
    if np.all((lowest >= 2.0 * _FLOOR_SHARE * mean) & (lowest > 0)):
        return variances
    floor = np.maximum(_FLOOR_SHARE * np.nanmedian(variances, axis=-1), _LEAST)
    return np.maximum(variances, floor[..., None])
