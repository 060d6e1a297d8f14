"""Gene-wise linear models with moderated t: limma's lmFit, contrasts.fit and eBayes for designs of full rank.

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
        Their standard error over the residual standard deviation, ``(n_contrasts,)``.
    sigma
        Residual standard deviation, ``(n_genes,)``.
    df_residual
        Residual degrees of freedom.
    prior_df, prior_variance
        Prior of the residual variances; ``prior_df`` may be infinite.
    df_total
        Degrees of freedom of t, at most those of all genes together.
    t, p
        Moderated t and two-sided p, contrasts x genes. A gene that never varies has t 0 and p 1.
    """

    effect: Floats = field(repr=False)
    stdev_unscaled: Floats = field(repr=False)
    sigma: Floats = field(repr=False)
    df_residual: float
    prior_df: float
    prior_variance: float
    df_total: float
    t: Floats = field(repr=False)
    p: Floats = field(repr=False)


def fit_linear_model(expression: Floats, design: Floats, contrasts: Floats | None = None) -> ModeratedFit:
    """Fit a linear model to every gene and test contrasts of its coefficients with moderated t.

    Parameters
    ----------
    expression
        Samples x genes, log2 units.
    design
        Samples x coefficients, of full rank with fewer coefficients than samples.
    contrasts
        Contrasts x coefficients; each coefficient by itself if absent.

    Raises
    ------
    ContrastError
        Values that are not finite, or a design that is not of full rank or leaves no residual.
    """
    expression, design = np.asarray(expression, dtype=np.float64), np.asarray(design, dtype=np.float64)
    _check(expression, design)
    weights = np.eye(design.shape[1]) if contrasts is None else np.asarray(contrasts, dtype=np.float64)
    covariance = weights @ np.linalg.inv(design.T @ design) @ weights.T
    df = float(design.shape[0] - design.shape[1])
    coefficients = np.linalg.lstsq(design, expression, rcond=None)[0]
    variance = np.sum((expression - design @ coefficients) ** 2, axis=0) / df
    prior_df, prior_variance = (float(value) for value in fit_f_dist(variance, df))
    df_total = min(df + prior_df, df * variance.size)
    effect, stdev_unscaled = weights @ coefficients, np.sqrt(np.diag(covariance))
    error = stdev_unscaled[:, None] * np.sqrt(squeeze(variance, df, prior_df, prior_variance))
    t = np.divide(effect, error, out=np.zeros_like(effect), where=error > 0)
    return ModeratedFit(
        effect=effect,
        stdev_unscaled=stdev_unscaled,
        sigma=np.sqrt(variance),
        df_residual=df,
        prior_df=prior_df,
        prior_variance=prior_variance,
        df_total=df_total,
        t=t,
        p=np.asarray(2.0 * stdtr(df_total, -np.abs(t)), dtype=np.float64),
    )


def _check(expression: Floats, design: Floats) -> None:
    samples, coefficients = design.shape
    if not np.all(np.isfinite(expression)):
        raise ContrastError(
            "A linear model needs finite expression; some values are missing or infinite. Remove or repair those samples or genes."
        )
    rank = int(np.linalg.matrix_rank(design))
    if rank < coefficients:
        raise ContrastError(
            f"The design has {coefficients} coefficients but rank {rank}: a covariate, such as batch, cannot be distinguished "
            "from the groups. Leave the covariate out, or compare groups within one of its levels."
        )
    if samples <= coefficients:
        raise ContrastError(
            f"{samples} samples for {coefficients} coefficients leave nothing to estimate variance from. "
            "Use fewer groups or covariates."
        )
