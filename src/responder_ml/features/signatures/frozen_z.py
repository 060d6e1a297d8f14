"""Z-scores of genes by their mean and standard deviation in the training rows, which stay frozen."""

import numpy as np

from responder_ml.arrays import Flags, Floats


def gene_scale(expression: Floats) -> tuple[Floats, Floats]:
    """Return each gene's mean and standard deviation (n - 1); the latter is 0 for a gene that does not vary.

    A gene that is constant up to rounding counts as not varying: dividing by rounding error would turn
    it into noise.

    Parameters
    ----------
    expression
        Training samples x genes.
    """
    n_samples = len(expression)
    mean = expression.mean(axis=0)
    variance = expression.var(axis=0, ddof=1)
    return mean, np.where(is_constant(mean, variance, n_samples), 0.0, np.sqrt(variance))


def frozen_z(expression: Floats, mean: Floats, scale: Floats) -> Floats:
    """Return z-scores, 0 for genes whose scale is 0.

    Parameters
    ----------
    expression
        Samples x genes.
    mean, scale
        From `gene_scale`, shape ``(n_genes,)``.
    """
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    z = expression - mean
    z *= inverse
    return z


def is_constant(mean: Floats, variance: Floats, count: int) -> Flags:
    """Return which variances are no more than the rounding error of ``count`` equal numbers.

    The bound is that of Chan, Golub and LeVeque for a two-pass variance, doi:10.1080/00031305.1983.10483115.
    """
    unit = np.finfo(np.float64).eps
    return np.asarray(variance <= count * unit * variance + (count * unit * mean) ** 2)
