"""Moderated t of rotated genes and its normal deviate, compiled: a gene-set test asks for tens of millions of them."""

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.statistics.compiled import compiled


@compiled
def rotated_z(
    along: Floats,
    squares: Floats,
    df: float,
    prior_df: float,
    prior_variance: float,
    finite: bool,
    total_df: float,
) -> None:
    """Replace every coordinate along a rotation by the z of its moderated t, by Bailey's formula (`gene_effects.bailey_z`).

    Parameters
    ----------
    along
        Coordinate of each gene along each rotation, genes x rotations; receives the results.
    squares
        Sum of squares of all coordinates of each gene.
    df
        Residual degrees of freedom.
    prior_df, prior_variance
        Prior of the residual variances.
    finite
        Whether the prior has finitely many degrees of freedom; every variance is the prior's otherwise.
    total_df
        Degrees of freedom of t.
    """
    factor = (total_df + 0.125) / (total_df + 1.125)
    scale, share = total_df + 19.0 / 12.0, 1.0 / (total_df + 1.0 / 12.0)
    for gene in range(along.shape[0]):
        for rotation in range(along.shape[1]):
            value = along[gene, rotation]
            square = value * value
            variance = prior_variance
            if finite:
                rest = max(squares[gene] - square, 0.0)
                variance = (prior_df * prior_variance + rest) / (prior_df + df)
            if variance > 0.0:
                size = factor * np.sqrt(scale * np.log1p(square / variance * share))
                along[gene, rotation] = size if value > 0.0 else -size
            else:
                along[gene, rotation] = 0.0
