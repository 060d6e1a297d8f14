"""Rotate residuals: the null of contrasts with covariates, such as batch, in the model.

Relabelling needs subjects that are exchangeable; animals of different batches are not, and adjusting for batch does not make
them so, because the correlation of two adjusted contrasts depends on which batches their animals are in. Here the design is fixed
and the data are rotated. Under the null hypothesis the exchanged groups have one mean: the reduced model, covariates included,
is fitted with those groups merged, and its residuals, ``n - p`` independent directions, are rotated at random by one rotation for
all genes. Gene correlation, batch and the real difference between susceptible and control stay; the tested difference is removed.

With errors that are normal and equally variable between subjects, rotated data are distributed as the observed ones given what the
null leaves free, so the p-value is exact. Log2 counts per million of expressed genes are close enough to that; low
counts are not. The smallest p is not limited by a number of relabellings.

References
----------
Langsrud O (2005) Rotation tests. Stat Comput 15:53-60. doi:10.1007/s11222-005-4789-5
Wu D et al. (2010) ROAST: rotation gene set tests for complex microarray experiments. Bioinformatics 26:2176-2182.
doi:10.1093/bioinformatics/btq401
"""

from collections.abc import Sequence

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.contrasts.group_fits import group_designs
from responder_ml.errors import ContrastError


def rotate_designs(
    codes: Indices,
    n_groups: int,
    exchange: Sequence[Sequence[int]],
    *,
    count: int,
    rng: np.random.Generator,
    covariates: Floats | None = None,
) -> Floats:
    """Return the observed design and ``count`` rotated ones, designs x samples x coefficients.

    Fitting the data to a design rotated by T' is the same as fitting data rotated by T to the design.

    Parameters
    ----------
    codes
        Observed group of each sample, none of them -1, ``(n_samples,)``.
    n_groups
        Number of groups.
    exchange
        Sets of groups that share one mean under the null hypothesis.
    count
        Rotations.
    rng
        Source of random rotations.
    covariates
        Samples x covariates.

    Raises
    ------
    ContrastError
        Fewer than two residual directions remain.
    """
    design = group_designs(codes[None], n_groups, covariates)[0]
    merged = codes.copy()
    for groups in exchange:
        merged[np.isin(codes, groups)] = groups[0]
    free, residual = _split(group_designs(merged[None], n_groups, covariates)[0])
    if residual.shape[1] < 2:
        raise ContrastError(
            f"{residual.shape[1]} residual direction(s) remain; rotation needs two. Use fewer covariates, or relabel within strata."
        )
    drawn, _ = np.linalg.qr(rng.normal(size=(count, residual.shape[1], residual.shape[1])))
    # Random signs make the Q of a normal matrix uniform over all rotations and reflections.
    drawn *= rng.choice([-1.0, 1.0], size=(count, 1, residual.shape[1]))
    fixed = free @ (free.T @ design)
    rotated = residual @ (np.swapaxes(drawn, 1, 2) @ (residual.T @ design))
    return np.concatenate([design[None], fixed + rotated])


def _split(design: Floats) -> tuple[Floats, Floats]:
    """Return orthonormal bases of the design's span and of what is orthogonal to it."""
    vectors, sizes, _ = np.linalg.svd(design)
    rank = int(np.count_nonzero(sizes > sizes.max() * max(design.shape) * np.finfo(np.float64).eps))
    return vectors[:, :rank], vectors[:, rank:]
