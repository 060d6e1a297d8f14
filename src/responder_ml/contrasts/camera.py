"""The competitive gene-set test: do the genes of a set differ more between the groups than all other genes do?

Genes of a set are correlated, so that their mean varies more than that of independent genes; a test that ignores this finds every
co-expressed set. Camera compares the mean z of a set with that of the rest by a two-sample t-test in which the variance of the
set's mean is inflated by what the residuals of the linear model say about its correlation.

A set with an up and a down side is tested by the mean z of its up side less that of its down side; the other genes then have no
part in the difference, only in its scale.

The other genes are taken to be many and their mean to vary little: where all genes belong to a handful of modules, their mean moves
with these, and p is too small.

References
----------
Wu D, Smyth GK (2012) Camera: a competitive gene set test accounting for inter-gene correlation. Nucleic Acids Res 40:e133.
doi:10.1093/nar/gks461
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import stdtr

from responder_ml.arrays import Floats
from responder_ml.contrasts.gene_effects import GeneEffects, check_members, z_of_t

# Variances below this are a gene that does not vary; its residuals stay near zero instead of becoming large.
_LEAST_VARIANCE = 1e-8


def camera(effects: GeneEffects, members: Any, correlation: float | None = None) -> pd.DataFrame:
    """Test every set against the genes outside it.

    Parameters
    ----------
    effects
        The linear model of every gene.
    members
        ``scipy.sparse`` array of signed weights, genes x sets; only the signs are used.
    correlation
        Mean correlation between the genes of a set, where it is to be preset (limma presets 0.01); estimated for each set from
        the residuals by default, which holds the type-I error whatever the sets are.

    Returns
    -------
    One row for each set: ``difference`` of mean z, the ``correlation`` used (not-a-number for a single gene), ``t`` and two-sided
    ``p``, which is not-a-number for a set of all genes.
    """
    check_members(members)
    df = effects.df_residual
    n_genes = len(effects.contrast)
    z = z_of_t(effects.t, min(df + effects.prior_df, float(n_genes) * df))
    signs = sparse.csr_array(members)
    set_of = signs.indices
    is_up, is_down = signs.data > 0, signs.data < 0
    n_up, n_down = (np.bincount(set_of[side], minlength=signs.shape[1]).astype(np.float64) for side in (is_up, is_down))
    size, two_sided = n_up + n_down, (n_up > 0) & (n_down > 0)
    # Weight of each gene in the difference: a mean of the up side less a mean of the down side.
    of_members = is_up / np.maximum(n_up, 1.0)[set_of] - is_down / np.maximum(n_down, 1.0)[set_of]
    weights = sparse.csr_array((of_members, set_of, signs.indptr), shape=signs.shape)
    difference = np.asarray(weights.T @ z)
    # Against all other genes where there is one side; a set of only down genes is one side, too.
    one_sided_sign = np.where(n_up > 0, 1.0, -1.0)
    outside = n_genes - size
    difference = np.where(
        two_sided, difference, n_genes / np.maximum(outside, 1.0) * (difference - one_sided_sign * z.mean())
    )
    if correlation is None:
        sd = np.sqrt(np.maximum(effects.variance, _LEAST_VARIANCE))
        of_scaled = of_members / np.repeat(sd, np.diff(signs.indptr))
        moved = sparse.csr_array((of_scaled, set_of, signs.indptr), shape=signs.shape).T @ effects.residuals
        inflated = np.einsum("ij,ij->i", moved, moved) / df
    else:
        inflated = _with_preset(n_up, correlation) + _with_preset(n_down, correlation)
    independent = _share(n_up) + _share(n_down)
    used = np.maximum(inflated, independent) + np.where(two_sided, 0.0, _share(outside))
    spread = (n_genes - 1) * z.var(ddof=1) - np.where(two_sided, 0.0, difference**2 * size * outside / n_genes)
    t = difference / np.sqrt(np.maximum(spread / (n_genes - 2), np.finfo(float).tiny) * used)
    freedom = float(min(df, n_genes - 2)) if correlation is None else float(n_genes - 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.where(size > 1, (inflated * size - 1.0) / (size - 1.0), np.nan)
    between = np.where(two_sided, np.nan, between) if correlation is None else np.full(len(size), correlation)
    # A set of all genes cannot be compared with others.
    p = np.where(two_sided | (outside > 0), 2.0 * stdtr(freedom, -np.abs(t)), np.nan)
    return pd.DataFrame({"difference": difference, "correlation": between, "t": t, "p": p})


def _share(count: Floats) -> Floats:
    return np.asarray(np.where(count > 0, 1.0 / np.maximum(count, 1.0), 0.0), dtype=np.float64)


def _with_preset(count: Floats, correlation: float) -> Floats:
    """Return the variance of a mean of correlated numbers of variance one."""
    return np.asarray(_share(count) * (1.0 + (count - 1.0) * correlation) * (count > 0), dtype=np.float64)
