"""Ranks of genes within a sample; tied genes share the mean of the values at their ranks.

Sharing gives the mean over all orders of the tied genes. It depends neither on the order of genes nor on other samples.
"""

import numpy as np

from responder_ml.arrays import Floats


def share_among_ties(ordered: Floats, amounts: Floats) -> Floats:
    """Return ``amounts`` with each run of equal values given its mean.

    Parameters
    ----------
    ordered
        Sorted values, shape ``(n,)``.
    amounts
        Value at each rank, shape ``(n,)``.
    """
    differs = ordered[1:] != ordered[:-1]
    if differs.all():
        return amounts
    starts = np.concatenate(([0], np.flatnonzero(differs) + 1))
    sizes = np.diff(starts, append=ordered.size)
    return np.asarray(np.repeat(np.add.reduceat(amounts, starts) / sizes, sizes), dtype=np.float64)


def average_ranks(expression: Floats) -> Floats:
    """Return ranks within each sample, 1 for the lowest gene; ties get their mean rank.

    Parameters
    ----------
    expression
        Samples x genes.
    """
    ranks = np.empty(expression.shape)
    positions = np.arange(1.0, expression.shape[1] + 1.0)
    # Row by row everything stays in cache; an unstable sort is enough, since ties share.
    for values, out in zip(expression, ranks, strict=True):
        order = np.argsort(values)
        out[order] = share_among_ties(values[order], positions)
    return ranks
