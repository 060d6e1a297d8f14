"""Group means and squeezed variances of every gene under many labellings at once: masked matrix products.

Each labelling is a one-way linear model of all its groups, optionally with covariates, as limma would fit it: the residual variance
of a gene is pooled over the groups and squeezed. Fitting all labellings together makes a null of relabelled contrasts cheap. A
rotated design (`rotation`) is fitted in the same way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.errors import ContrastError
from responder_ml.statistics.squeeze import fit_f_dist, squeeze

# Numbers in the largest array of one block of labellings: some tens of megabytes.
_BLOCK_NUMBERS = 4_000_000


@dataclass(frozen=True)
class GroupFits:
    """One linear model per labelling.

    Attributes
    ----------
    means
        Group means of each gene around the gene's overall mean, adjusted for covariates; labellings x groups x genes. A group
        without samples has mean 0, which is not an estimate.
    covariance
        Their covariance over the residual variance, labellings x groups x groups.
    variance
        Squeezed residual variance, labellings x genes.
    df_total
        Degrees of freedom of t, ``(n_labellings,)``.
    error_factor
        Sampling variance of the means over that of the observed means: 1, or 2 for means of redrawn samples.
    """

    means: Floats = field(repr=False)
    covariance: Floats = field(repr=False)
    variance: Floats = field(repr=False)
    df_total: Floats = field(repr=False)
    error_factor: float = 1.0

    def effect(self, weights: Floats) -> Floats:
        """Return the contrast with these group weights, labellings x genes, in the expression's units (log2 fold change)."""
        used = np.flatnonzero(weights)
        return np.asarray(np.einsum("k,mkg->mg", weights[used], self.means[:, used]), dtype=np.float64)

    def error(self, weights: Floats) -> Floats:
        """Return the contrast's moderated standard error, labellings x genes."""
        unscaled = np.einsum("k,mkl,l->m", weights, self.covariance, weights)
        return np.asarray(np.sqrt(unscaled[:, None] * self.variance), dtype=np.float64)

    def t(self, weights: Floats) -> Floats:
        """Return the contrast's moderated t, labellings x genes; 0 for a gene that never varies."""
        effect, error = self.effect(weights), self.error(weights)
        return np.divide(effect, error, out=np.zeros_like(effect), where=error > 0)


def fit_groups(expression: Floats, codes: Indices, n_groups: int, covariates: Floats | None = None) -> GroupFits:
    """Fit a one-way model to every gene under every labelling.

    Parameters
    ----------
    expression
        Samples x genes, log2 units.
    codes
        Group of each sample under each labelling, labellings x samples; -1 leaves a sample out.
    n_groups
        Number of groups.
    covariates
        Samples x covariates, such as indicators of batch, added to the model of the groups. No column may be constant.

    Raises
    ------
    ContrastError
        The groups and covariates of a labelling cannot be distinguished, or leave no residual degrees of freedom.
    """
    return fit_designs(expression, group_designs(codes, n_groups, covariates), n_groups, codes >= 0)


def group_designs(codes: Indices, n_groups: int, covariates: Floats | None = None) -> Floats:
    """Return indicators of the groups, then the centred covariates; labellings x samples x coefficients.

    Rows of samples left out are zero. Parameters are those of `fit_groups`.
    """
    groups = (codes[:, :, None] == np.arange(n_groups)).astype(np.float64)
    if covariates is None or covariates.shape[1] == 0:
        return np.asarray(groups, dtype=np.float64)
    columns = np.where(codes[:, :, None] >= 0, (covariates - covariates.mean(axis=0))[None], 0.0)
    return np.concatenate([groups, columns], axis=2)


def fit_designs(expression: Floats, designs: Floats, n_groups: int, used: Flags) -> GroupFits:
    """Fit the linear model of each design, whose first columns stand for the groups, to every gene.

    Parameters
    ----------
    expression
        Samples x genes, log2 units.
    designs
        Designs x samples x coefficients. A constant must lie in the span of each.
    n_groups
        Number of groups.
    used
        Samples that take part, designs x samples.

    Raises
    ------
    ContrastError
        As for `fit_groups`.
    """
    centred = expression - expression.mean(axis=0)
    inverse, df = _invert(designs, used)
    coefficients, squares = _solve(centred, designs, used, inverse)
    variance = np.maximum(squares / df[:, None], np.finfo(np.float64).tiny)
    prior_df, prior_variance = fit_f_dist(variance, df)
    posterior = squeeze(variance, df[:, None], prior_df[:, None], prior_variance[:, None])
    return GroupFits(
        means=coefficients[:, :n_groups],
        covariance=inverse[:, :n_groups, :n_groups],
        variance=posterior,
        df_total=np.minimum(df + prior_df, df * expression.shape[1]),
    )


def resample_groups(
    expression: Floats, codes: Indices, n_groups: int, drawn: Floats, covariates: Floats | None = None
) -> GroupFits:
    """Fit the observed groups to redrawn samples, for the subject bootstrap.

    Means are those of the redrawn samples; variances are those of the observed samples, since a sample drawn twice would count as
    two that agree.

    Parameters
    ----------
    expression, n_groups, covariates
        As for `fit_groups`.
    codes
        Group of each sample, ``(n_samples,)``.
    drawn
        How often each sample was drawn, draws x samples.
    """
    observed = fit_groups(expression, codes[None], n_groups, covariates)
    design = group_designs(codes[None], n_groups, covariates)
    weighted = design * drawn[:, :, None]
    inverse = np.linalg.pinv(np.einsum("mnp,nq->mpq", weighted, design[0]), hermitian=True)
    coefficients = _times(inverse, _sums(expression - expression.mean(axis=0), weighted))
    count = len(drawn)
    return GroupFits(
        means=coefficients[:, :n_groups],
        covariance=np.broadcast_to(observed.covariance, (count, n_groups, n_groups)),
        variance=np.broadcast_to(observed.variance, (count, expression.shape[1])),
        df_total=np.broadcast_to(observed.df_total, (count,)),
        error_factor=2.0,
    )


def blocks(n_labellings: int, n_groups: int, n_genes: int) -> Iterator[slice]:
    """Yield slices of labellings small enough to be fitted together."""
    size = max(1, _BLOCK_NUMBERS // (n_groups * n_genes))
    for start in range(0, n_labellings, size):
        yield slice(start, min(start + size, n_labellings))


def _invert(design: Floats, used: Flags) -> tuple[Floats, Floats]:
    """Return the inverse of each design's cross products (0 for absent groups) and its residual degrees of freedom."""
    present = np.any(design != 0, axis=1).sum(axis=1)
    rank = np.linalg.matrix_rank(design)
    if np.any(rank < present):
        raise ContrastError(
            "A covariate, such as batch, cannot be distinguished from the groups. Leave it out, or compare groups within one batch."
        )
    df = used.sum(axis=1) - rank
    if np.any(df < 1):
        raise ContrastError(
            "The groups leave no residual degrees of freedom. At least one group needs two subjects or more."
        )
    gram = np.einsum("mnp,mnq->mpq", design, design)
    return np.linalg.pinv(gram, hermitian=True), df


def _solve(centred: Floats, design: Floats, used: Flags, inverse: Floats) -> tuple[Floats, Floats]:
    """Return coefficients (labellings x coefficients x genes) and residual sums of squares (labellings x genes)."""
    sums = _sums(centred, design)
    coefficients = _times(inverse, sums)
    squared = centred**2
    total = squared.sum(axis=0) if np.all(used) else used.astype(np.float64) @ squared
    sums *= coefficients
    return coefficients, np.maximum(total - sums.sum(axis=1), 0.0)


def _times(inverse: Floats, sums: Floats) -> Floats:
    diagonal = np.diagonal(inverse, axis1=1, axis2=2)
    if np.count_nonzero(inverse) == np.count_nonzero(diagonal):
        return sums * diagonal[:, :, None]
    return inverse @ sums


def _sums(centred: Floats, design: Floats) -> Floats:
    """Return design' y of every labelling as one matrix product."""
    labellings, samples, coefficients = design.shape
    stacked = design.transpose(0, 2, 1).reshape(labellings * coefficients, samples)
    return (stacked @ centred).reshape(labellings, coefficients, -1)
