"""The self-contained gene-set test: do the genes of a set differ between the groups at all, together?

Each set has two statistics: the mean of its genes' signed z, and of their sizes ("mixed"). Their null is made by rotating the
coordinates of all genes by one random rotation at a time (`gene_effects`), which keeps the genes' correlation and needs no
exchangeable subjects, so covariates may be in the model. Every rotation serves all sets: the z of each gene is rotated once, and
one sparse product adds it up for thousands of sets.

The smallest p is one over the number of rotations plus one; it is not limited by the number of relabellings.

References
----------
Wu D et al. (2010) ROAST: rotation gene set tests for complex microarray experiments. Bioinformatics 26:2176-2182.
doi:10.1093/bioinformatics/btq401
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from responder_ml.arrays import Floats, Indices
from responder_ml.contrasts.gene_effects import GeneEffects, check_members

ROTATIONS = 9_999
"""Rotations by default: the smallest p is 1e-4."""
# Rotations made at once: a gene's z under all of them then stays in the second-level cache.
_TOGETHER = 256
# With as many degrees of freedom t is normal to all digits that matter.
_MOST_DF = 10_000.0


def draw_rotations(count: int, directions: int, rng: np.random.Generator) -> Floats:
    """Return random unit vectors, rotations x directions: where each rotation takes the direction of the contrast.

    Parameters
    ----------
    count
        Number of rotations.
    directions
        Residual degrees of freedom plus one.
    rng
        Source of random numbers.
    """
    drawn = rng.standard_normal((count, directions))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float64)


def roast(effects: GeneEffects, members: Any, rotations: Floats) -> pd.DataFrame:
    """Test every set by rotation.

    Parameters
    ----------
    effects
        The linear model of every gene.
    members
        ``scipy.sparse`` array of signed weights, genes x sets.
    rotations
        From `draw_rotations`.

    Returns
    -------
    One row for each set: the mean of its genes' signed z, ``mean_z``, with the two-sided ``p``; the mean of their sizes,
    ``mean_size``, with ``p_mixed``.
    """
    check_members(members)
    table = sparse.csr_array(members, dtype=np.float64)
    used = np.flatnonzero(np.diff(table.indptr))
    of_sets = sparse.csr_array(table[used].T)
    sizes = abs(of_sets)
    total = np.asarray(sizes.sum(axis=1), dtype=np.float64)
    coordinates = np.column_stack([effects.contrast, effects.residuals])[used]
    observed = _z(coordinates, np.eye(1, coordinates.shape[1]), effects)
    directional, mixed = (of_sets @ observed)[:, 0], (sizes @ np.abs(observed))[:, 0]
    beyond, beyond_mixed = np.zeros((2, len(total)), dtype=np.intp)
    for start in range(0, len(rotations), _TOGETHER):
        z = _z(coordinates, rotations[start : start + _TOGETHER], effects)
        beyond += _count_beyond(np.abs(of_sets @ z), np.abs(directional))
        np.abs(z, out=z)
        beyond_mixed += _count_beyond(sizes @ z, mixed)
    return pd.DataFrame(
        {
            "mean_z": directional / total,
            "p": (beyond + 1.0) / (len(rotations) + 1.0),
            "mean_size": mixed / total,
            "p_mixed": (beyond_mixed + 1.0) / (len(rotations) + 1.0),
        }
    )


def _z(coordinates: Floats, rotations: Floats, effects: GeneEffects) -> Floats:
    """Return the z of every gene's moderated t along each rotation, genes x rotations."""
    # Compiled code is slow to load, and commands that only read a job do not need it.
    from responder_ml.contrasts.rotated_z import rotated_z

    along = coordinates @ rotations.T
    squares = np.einsum("ij,ij->i", coordinates, coordinates)
    finite = not np.isinf(effects.prior_df)
    prior_df = effects.prior_df if finite else 0.0
    total_df = min(effects.df_residual + effects.prior_df, _MOST_DF)
    rotated_z(along, squares, effects.df_residual, prior_df, effects.prior_variance, finite, total_df)
    return along


def _count_beyond(rotated: Floats, observed: Floats) -> Indices:
    """Return how often each set's statistic is at least the observed one, rounding aside."""
    return np.asarray(np.sum(rotated >= (observed * (1.0 - 1e-12))[:, None], axis=1), dtype=np.intp)
