"""Gene-wise linear models with moderated t: limma's lmFit, contrasts.fit and eBayes for designs of full rank.

Arrays in, one frozen table out. Without weights one hat matrix serves all genes; with weights every gene has its own, and the
standard error of a contrast comes from that gene's own covariance. (limma's contrasts.fit approximates it from the covariance
of the unweighted design; the two agree where the contrast is a coefficient of the design.)

References
----------
Smyth GK (2004) Linear models and empirical Bayes methods. Stat Appl Genet Mol Biol 3:3. doi:10.2202/1544-6115.1027
Ritchie ME et al. (2015) limma powers differential expression analyses. Nucleic Acids Res 43:e47. doi:10.1093/nar/gkv007
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import stdtr

from responder_ml.arrays import Floats
from responder_ml.errors import ContrastError
from responder_ml.statistics.squeeze import fit_f_dist, squeeze


@dataclass(frozen=True)
class ModeratedFit:
    """Contrasts of a linear model fitted to every gene.

    Attributes
    ----------
    effect
        Estimated contrasts, units of the expression (log2), contrasts x genes.
    stdev_unscaled
        Their standard error over the residual standard deviation, contrasts x genes.
    sigma
        Residual standard deviation, ``(n_genes,)``.
    df_residual
        Residual degrees of freedom.
    prior_df, prior_variance
        Prior of the residual variances; ``prior_df`` may be infinite.
    posterior_variance
        Squeezed residual variances, ``(n_genes,)``.
    df_total
        Degrees of freedom of t, at most those of all genes together.
    t, p
        Moderated t and two-sided p, contrasts x genes. A gene that never varies has t 0 and p 1.
    covariance_unscaled
        Covariance of the contrasts over the residual variance, contrasts x contrasts, without regard to weights.
    """

    effect: Floats = field(repr=False)
    stdev_unscaled: Floats = field(repr=False)
    sigma: Floats = field(repr=False)
    df_residual: float
    prior_df: float
    prior_variance: float
    posterior_variance: Floats = field(repr=False)
    df_total: float
    t: Floats = field(repr=False)
    p: Floats = field(repr=False)
    covariance_unscaled: Floats = field(repr=False)


def fit_linear_model(
    expression: Floats, design: Floats, contrasts: Floats | None = None, weights: Floats | None = None
) -> ModeratedFit:
    """Fit a linear model to every gene and test contrasts of its coefficients with moderated t.

    Parameters
    ----------
    expression
        Samples x genes, log2 units.
    design
        Samples x coefficients, of full rank with fewer coefficients than samples.
    contrasts
        Contrasts x coefficients; each coefficient by itself if not given.
    weights
        Positive precision of each observation, samples x genes, such as `voom` returns.

    Raises
    ------
    ContrastError
        Values that are not finite, weights that are not positive, or a design that is not of full rank or leaves no residual.
    """
    expression, design = np.asarray(expression, dtype=np.float64), np.asarray(design, dtype=np.float64)
    _check(expression, design, weights)
    wanted = np.eye(design.shape[1]) if contrasts is None else np.asarray(contrasts, dtype=np.float64)
    covariance = wanted @ np.linalg.inv(design.T @ design) @ wanted.T
    df = float(design.shape[0] - design.shape[1])
    if weights is None:
        coefficients = np.linalg.lstsq(design, expression, rcond=None)[0]
        stdev = np.repeat(np.sqrt(np.diag(covariance))[:, None], expression.shape[1], axis=1)
        squares = np.sum((expression - design @ coefficients) ** 2, axis=0)
    else:
        coefficients, stdev = _fit_weighted(expression, design, wanted, weights)
        squares = np.sum(weights * (expression - design @ coefficients) ** 2, axis=0)
    return _moderate(wanted @ coefficients, stdev, squares / df, df, covariance)


def _fit_weighted(expression: Floats, design: Floats, wanted: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return coefficients (coefficients x genes) and unscaled standard errors (contrasts x genes) from Householder QR."""
    root = np.sqrt(weights).T
    q, r = np.linalg.qr(root[:, :, None] * design)
    right = np.einsum("gnp,gn->gp", q, root * expression.T)
    coefficients = np.linalg.solve(r, right[:, :, None])[:, :, 0].T
    # c' (X'WX)^-1 c = |R^-T c|^2
    solved = np.linalg.solve(np.swapaxes(r, 1, 2), np.broadcast_to(wanted.T, (len(r), *wanted.T.shape)))
    return coefficients, np.sqrt(np.sum(solved**2, axis=1)).T


def _moderate(effect: Floats, stdev: Floats, variance: Floats, df: float, covariance: Floats) -> ModeratedFit:
    prior_df, prior_variance = (float(each) for each in fit_f_dist(variance, df))
    posterior = squeeze(variance, df, prior_df, prior_variance)
    df_total = min(df + prior_df, df * variance.size)
    error = stdev * np.sqrt(posterior)
    t = np.divide(effect, error, out=np.zeros_like(effect), where=error > 0)
    return ModeratedFit(
        effect=effect,
        stdev_unscaled=stdev,
        sigma=np.sqrt(variance),
        df_residual=df,
        prior_df=prior_df,
        prior_variance=prior_variance,
        posterior_variance=posterior,
        df_total=df_total,
        t=t,
        p=np.asarray(2.0 * stdtr(df_total, -np.abs(t)), dtype=np.float64),
        covariance_unscaled=covariance,
    )


def _check(expression: Floats, design: Floats, weights: Floats | None) -> None:
    samples, coefficients = design.shape
    if not np.all(np.isfinite(expression)) or (weights is not None and not np.all(weights > 0)):
        raise ContrastError(
            "A linear model needs finite expression and positive weights; found others. Remove or repair those samples or genes."
        )
    rank = int(np.linalg.matrix_rank(design))
    if rank < coefficients:
        raise ContrastError(
            f"The design has {coefficients} coefficients but rank {rank}: a covariate, such as batch, cannot be told apart from "
            "the groups. Leave the covariate out, or compare groups within one of its levels."
        )
    if samples <= coefficients:
        raise ContrastError(
            f"{samples} samples for {coefficients} coefficients leave nothing to estimate variance from. "
            "Use fewer groups or covariates."
        )
