"""Split the correlation of two contrasts into a technical part, from shared groups, and a biological one: limma's ``genas``.

Effects of a gene in two contrasts are modelled as ``beta ~ N(0, (V0 + V) s^2)``: V comes from the design and carries the technical
correlation, V0 is the covariance of true effects, estimated over all genes by maximum likelihood of the bivariate t that results
when s^2 has its posterior.

References
----------
Majewski IJ et al. (2010) Opposing roles of polycomb repressive complexes in hematopoietic stem and progenitor cells. Blood
116:731-739. doi:10.1182/blood-2009-12-260760
Ritchie ME et al. (2015) limma powers differential expression analyses. Nucleic Acids Res 43:e47. doi:10.1093/nar/gkv007
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize
from scipy.stats import chi2

from responder_ml.arrays import Floats
from responder_ml.statistics.linear_model import ModeratedFit

CAUTION = (
    "The p-value takes genes as independent. They are not, so it is too small; it says nothing that a relabelling of subjects "
    "does not say better."
)


@dataclass(frozen=True)
class CorrelationSplit:
    """Technical and biological correlation of two contrasts.

    Attributes
    ----------
    technical
        What the design alone produces.
    biological
        Correlation of the true effects.
    covariance
        Of the true effects over the residual variance, ``(2, 2)``.
    deviance, p
        Likelihood-ratio test of biological correlation 0; see `CAUTION`.
    """

    technical: float
    biological: float
    covariance: Floats = field(repr=False)
    deviance: float
    p: float


def split_correlation(fit: ModeratedFit, first: int, second: int) -> CorrelationSplit:
    """Estimate the biological correlation of two contrasts of one unweighted linear model.

    Parameters
    ----------
    fit
        As `fit_linear_model` returns without weights.
    first, second
        Rows of the two contrasts.
    """
    rows = np.array([first, second])
    beta, design = fit.effect[rows], fit.covariance_unscaled[np.ix_(rows, rows)]
    scaled = beta / np.sqrt(fit.posterior_variance)
    start = np.maximum(np.mean(scaled**2, axis=1) - np.diag(design), 0.01)

    def loss(parameters: Floats) -> float:
        return _negative_log_likelihood(_covariance(parameters) + design, scaled, fit.df_total)

    def null_loss(parameters: Floats) -> float:
        return loss(np.append(parameters, 0.0))

    tight = {"xatol": 1e-8, "fatol": 1e-8, "maxiter": 5000, "maxfev": 5000}
    null = minimize(null_loss, np.log(start), method="Nelder-Mead", options=tight)
    found = minimize(loss, np.append(null.x, 0.0), method="Nelder-Mead", options=tight)
    covariance = _covariance(found.x)
    deviance = max(0.0, 2.0 * float(null.fun - found.fun))
    return CorrelationSplit(
        technical=_correlation(design),
        biological=_correlation(covariance),
        covariance=covariance,
        deviance=deviance,
        p=float(chi2.sf(deviance, 1)),
    )


def _covariance(parameters: Floats) -> Floats:
    """Return L D L' with D = diag(exp(a1), exp(a2)) and L unit lower triangular: any positive definite matrix."""
    lower = np.array([[1.0, 0.0], [parameters[2], 1.0]])
    # Beyond these bounds a variance is zero or infinite for every purpose.
    return np.asarray(lower @ np.diag(np.exp(np.clip(parameters[:2], -30.0, 30.0))) @ lower.T, dtype=np.float64)


def _negative_log_likelihood(covariance: Floats, scaled: Floats, df: float) -> float:
    """Return the loss without its constant, of a bivariate t or, with infinite ``df``, a normal."""
    determinant = covariance[0, 0] * covariance[1, 1] - covariance[0, 1] ** 2
    x, y = scaled
    distance = (covariance[1, 1] * x**2 - 2 * covariance[0, 1] * x * y + covariance[0, 0] * y**2) / determinant
    kernel = distance / 2.0 if np.isinf(df) else 0.5 * (2.0 + df) * np.log1p(distance / df)
    return float(np.sum(kernel) + 0.5 * scaled.shape[1] * np.log(determinant))


def _correlation(covariance: Floats) -> float:
    return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
