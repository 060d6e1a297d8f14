"""How far two contrasts agree: signed overlap of their called genes, and correlation of their statistics over all genes.

All functions work along the last axis, so leading axes can be labellings. For contrasts that share a group none of these
quantities is 0, or 1, or one half, without any effect; see `shared_reference`.

References
----------
Fisher RA (1922) On the interpretation of chi-squared from contingency tables. J R Stat Soc 85:87-94. doi:10.2307/2340521
Jaccard P (1912) The distribution of the flora in the alpine zone. New Phytol 11:37-50.
doi:10.1111/j.1469-8137.1912.tb05611.x
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import fisher_exact

from responder_ml.arrays import Flags, Floats, Integers, Signs
from responder_ml.contrasts.ranking import Ranking

P_CAUTION = (
    "Fisher's p takes genes as independent and the contrasts as independent. Genes are correlated, and contrasts that share a "
    "group are correlated without any effect, so this p is far too small; use the relabelling p."
)


@dataclass(frozen=True)
class SignedOverlap:
    """Genes by whether two contrasts call them and in which direction; each count has the leading axes of the calls.

    Attributes
    ----------
    same, opposite
        Called in both, in the same or in opposite directions.
    first_only, second_only, neither
        The rest.
    """

    same: Integers
    opposite: Integers
    first_only: Integers
    second_only: Integers
    neither: Integers


def signed_overlap(first: Signs, second: Signs) -> SignedOverlap:
    """Count genes called up (1), down (-1) or not (0) by two contrasts; shapes ``(..., n_genes)``."""
    product = first * second
    same, opposite = _count(product > 0), _count(product < 0)
    in_first, in_second = _count(first != 0), _count(second != 0)
    both = same + opposite
    return SignedOverlap(
        same, opposite, in_first - both, in_second - both, first.shape[-1] - in_first - in_second + both
    )


def signed_jaccard(first: Signs, second: Signs) -> Floats:
    """Return the share of genes called alike by both contrasts among those called by either; 0 if none is called."""
    union = _count((first != 0) | (second != 0))
    same = _count(first * second > 0)
    return np.divide(same, union, out=np.zeros(np.shape(union)), where=union > 0)


def log_odds_ratio(first: Signs, second: Signs, direction: int) -> Floats:
    """Return the natural log odds ratio of being called in both contrasts, every count enlarged by one half so that it is finite.

    Parameters
    ----------
    first, second
        Calls, ``(..., n_genes)``.
    direction
        1 counts genes called in the same direction as "both", -1 those called in opposite directions.
    """
    found = signed_overlap(first, second)
    both = found.same if direction > 0 else found.opposite
    either = found.first_only, found.second_only
    return np.asarray(
        np.log((both + 0.5) * (found.neither + 0.5)) - np.log((either[0] + 0.5) * (either[1] + 0.5)), dtype=np.float64
    )


def fisher_overlap(first: Signs, second: Signs, direction: int) -> tuple[float, float]:
    """Return Fisher's odds ratio and one-sided p for one pair of contrasts; `P_CAUTION` says why not to believe the p.

    Parameters
    ----------
    first, second
        Calls, ``(n_genes,)``.
    direction
        As for `log_odds_ratio`.
    """
    found = signed_overlap(first, second)
    both = found.same if direction > 0 else found.opposite
    table = [[int(both), int(found.first_only)], [int(found.second_only), int(found.neither)]]
    odds, p = fisher_exact(table, alternative="greater")
    return float(odds), float(p)


def cosine(first: Floats, second: Floats) -> Floats:
    """Return sum(a b) / sqrt(sum(a^2) sum(b^2)); 0 if either is zero throughout."""
    size = np.sqrt(np.sum(first**2, axis=-1) * np.sum(second**2, axis=-1))
    product = np.einsum("...g,...g->...", first, second)
    return np.asarray(np.divide(product, size, out=np.zeros(np.shape(product)), where=size > 0), dtype=np.float64)


def pearson(first: Floats, second: Floats) -> Floats:
    """Return Pearson's correlation: the cosine of the centred values."""
    return cosine(first - first.mean(axis=-1, keepdims=True), second - second.mean(axis=-1, keepdims=True))


def spearman(first: Floats, second: Floats) -> Floats:
    """Return Spearman's correlation: Pearson's of the ranks, ties at their mean rank."""
    return pearson(*(Ranking.of(each).mean_ranks(each) for each in (first, second)))


def _count(condition: Flags) -> Integers:
    return np.asarray(np.count_nonzero(condition, axis=-1), dtype=np.int64)
