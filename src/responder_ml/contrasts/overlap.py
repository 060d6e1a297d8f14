"""How far two contrasts agree: signed overlap of their called genes, and correlation of their statistics over all genes.

All functions work along the last axis, so leading axes can be labellings. For contrasts that share a group none of these
quantities is 0, or 1, or one half, without any effect; see `claim_statistic.expected_correlation`.

References
----------
Jaccard P (1912) The distribution of the flora in the alpine zone. New Phytol 11:37-50.
doi:10.1111/j.1469-8137.1912.tb05611.x
"""

import numpy as np

from responder_ml.arrays import Flags, Floats, Integers, Signs


def signed_jaccard(first: Signs, second: Signs) -> Floats:
    """Return the share of genes called alike by both contrasts among those called by either; 0 if none is called."""
    union = _count((first != 0) | (second != 0))
    same = _count(first * second > 0)
    return np.divide(same, union, out=np.zeros(np.shape(union)), where=union > 0)


def log_odds_ratio(first: Signs, second: Signs) -> Floats:
    """Return the natural log odds ratio of being called alike by two contrasts, every count enlarged by one half to be finite.

    log((same + 1/2)(neither + 1/2) / ((first only + 1/2)(second only + 1/2))); genes called in opposite directions are in no count.

    Parameters
    ----------
    first, second
        Genes called up (1), down (-1) or not (0), ``(..., n_genes)``.
    """
    product = first * second
    same = _count(product > 0)
    both = same + _count(product < 0)
    in_first, in_second = _count(first != 0), _count(second != 0)
    neither = first.shape[-1] - in_first - in_second + both
    first_only, second_only = in_first - both, in_second - both
    return np.asarray(
        np.log((same + 0.5) * (neither + 0.5)) - np.log((first_only + 0.5) * (second_only + 0.5)), dtype=np.float64
    )


def cosine(first: Floats, second: Floats) -> Floats:
    """Return sum(a b) / sqrt(sum(a^2) sum(b^2)); 0 if either is zero throughout."""
    size = np.sqrt(np.sum(first**2, axis=-1) * np.sum(second**2, axis=-1))
    product = np.einsum("...g,...g->...", first, second)
    return np.asarray(np.divide(product, size, out=np.zeros(np.shape(product)), where=size > 0), dtype=np.float64)


def pearson(first: Floats, second: Floats) -> Floats:
    """Return Pearson's correlation: the cosine of the centred values."""
    return cosine(first - first.mean(axis=-1, keepdims=True), second - second.mean(axis=-1, keepdims=True))


def _count(condition: Flags) -> Integers:
    return np.asarray(np.count_nonzero(condition, axis=-1), dtype=np.int64)
