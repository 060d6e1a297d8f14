"""Genes of many contrasts ranked once, from most up to most down, for the statistics that use ranks."""

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import rankdata

from responder_ml.arrays import Floats, Integers, Signs


@dataclass(frozen=True)
class Ranking:
    """Genes by descending statistic; ties in order of position. Leading axes are labellings.

    Attributes
    ----------
    order
        Genes from the most up to the most down, ``(..., n_genes)``.
    rank
        Rank of each gene, 0 for the most up, ``(..., n_genes)``.
    up, down
        Genes with positive and with negative statistic, ``(...)``.
    tied
        Whether any two genes of one labelling have the same statistic.
    """

    order: Integers = field(repr=False)
    rank: Integers = field(repr=False)
    up: Integers
    down: Integers
    tied: bool

    @classmethod
    def of(cls, statistic: Floats) -> "Ranking":
        """Rank genes along the last axis."""
        order, tied = stable_order(-statistic)
        up, down = (np.asarray(np.count_nonzero(side, axis=-1)) for side in (statistic > 0, statistic < 0))
        return cls(order, ranks_of(order), up, down, tied)

    def extremes(self, size: int) -> Signs:
        """Return 1 for the first and -1 for the last ``size`` genes, as far as they have that sign, and 0 for the others.

        Raises
        ------
        ValueError
            ``size`` is below 1 or above half the genes.
        """
        total = self.rank.shape[-1]
        if not 1 <= size <= total // 2:
            raise ValueError(f"size is {size}, but must lie between 1 and half of the {total} genes")
        is_up = self.rank < np.minimum(size, self.up)[..., None]
        is_down = self.rank >= total - np.minimum(size, self.down)[..., None]
        return np.asarray(is_up.astype(np.int8) - is_down.astype(np.int8), dtype=np.int8)

    def mean_ranks(self, statistic: Floats) -> Floats:
        """Return ascending ranks from 1 of the statistic that was ranked, ties at their mean rank."""
        if self.tied:
            return np.asarray(rankdata(statistic, axis=-1), dtype=np.float64)
        return np.asarray(self.rank.shape[-1] - self.rank, dtype=np.float64)


def stable_order(values: Floats) -> tuple[Integers, bool]:
    """Return positions in ascending order of value along the last axis, ties in order of position, and whether there are ties."""
    # The unstable sort is several times faster, and without ties the same.
    order = np.argsort(values, axis=-1)
    ordered = np.take_along_axis(values, order, axis=-1)
    tied = bool(np.any(ordered[..., 1:] == ordered[..., :-1]))
    return (np.argsort(values, axis=-1, kind="stable") if tied else order), tied


def ranks_of(order: Integers) -> Integers:
    """Return the rank of each gene from 0, given the genes in order."""
    ranks = np.empty(order.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(order.shape[-1]), order.shape), axis=-1)
    return ranks
