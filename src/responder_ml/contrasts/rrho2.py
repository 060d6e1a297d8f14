"""Stratified rank-rank hypergeometric overlap (RRHO2) of two contrasts: a map per quadrant, and its largest values.

Definition. Genes are ranked by a signed statistic in each of two contrasts. In the first contrast ``A_i`` holds the ``i`` genes at
one end, ``i`` a multiple of ``step`` or the number of genes with that sign; ``B_j`` likewise in the second. The value at ``(i, j)``
is ``-log10 P(X >= |A_i and B_j|)``, X hypergeometric with sets of ``i`` and ``j`` among all N genes. Up-up and down-down are the
concordant quadrants, up-down and down-up the discordant ones: reversal. Ties go to the lower position. (The R package begins its
lists at 1 instead of ``step`` and passes one gene too many as background.)

The hypergeometric p takes genes as independent and the contrasts as independent; with a shared group neither holds. It is a
measure of overlap here, to be judged against relabelled contrasts.

References
----------
Cahill KM et al. (2018) Improved identification of concordant and discordant gene expression signatures using an updated
rank-rank hypergeometric overlap approach. Sci Rep 8:9588. doi:10.1038/s41598-018-27903-2
Plaisier SB et al. (2010) Rank-rank hypergeometric overlap. Nucleic Acids Res 38:e169. doi:10.1093/nar/gkq636
"""

from dataclasses import dataclass, field

import numpy as np

from responder_ml.arrays import Floats, Integers
from responder_ml.contrasts.ranking import Ranking
from responder_ml.statistics.hypergeometric import log_overlap_bounds, log_overlap_tail

UP, DOWN = 1, -1
Quadrants = tuple[tuple[int, int], tuple[int, int]]
CONCORDANT: Quadrants = ((UP, UP), (DOWN, DOWN))
DISCORDANT: Quadrants = ((UP, DOWN), (DOWN, UP))
_LN10 = float(np.log(10.0))


@dataclass(frozen=True)
class Rrho2Map:
    """Maps of -log10 p; rows are list sizes in the first contrast, columns in the second, the most extreme genes first.

    Attributes
    ----------
    up_up, down_down, up_down, down_up
        Quadrants, named by the sign in the first and in the second contrast.
    first_up, first_down, second_up, second_down
        List sizes of rows and columns.
    step
        Genes from one list size to the next.
    """

    up_up: Floats = field(repr=False)
    down_down: Floats = field(repr=False)
    up_down: Floats = field(repr=False)
    down_up: Floats = field(repr=False)
    first_up: Integers = field(repr=False)
    first_down: Integers = field(repr=False)
    second_up: Integers = field(repr=False)
    second_down: Integers = field(repr=False)
    step: int

    @property
    def concordant(self) -> float:
        """Largest value where the contrasts agree, 0 if a quadrant is empty."""
        return max((float(part.max()) for part in (self.up_up, self.down_down) if part.size), default=0.0)

    @property
    def discordant(self) -> float:
        """Largest value where the contrasts oppose each other, 0 if a quadrant is empty."""
        return max((float(part.max()) for part in (self.up_down, self.down_up) if part.size), default=0.0)


def rrho2(first: Floats, second: Floats, step: int) -> Rrho2Map:
    """Return the four maps of two contrasts.

    Parameters
    ----------
    first, second
        Signed statistic of each gene, such as moderated t, ``(n_genes,)``. Genes at 0 belong to no end.
    step
        Genes from one list size to the next.

    Raises
    ------
    ValueError
        The lengths differ or ``step`` is below 1.
    """
    rankings = Ranking.of(np.atleast_2d(first)), Ranking.of(np.atleast_2d(second))
    _check(*rankings, step)
    ends = {
        (which, sign): _End.of(ranking, sign, step) for which, ranking in enumerate(rankings) for sign in (UP, DOWN)
    }
    maps = {}
    for signs in (*CONCORDANT, *DISCORDANT):
        overlaps, rows, columns = _overlaps(ends[0, signs[0]], ends[1, signs[1]])
        sizes = rows[0][:, None], columns[0][None, :]
        heights = -log_overlap_tail(overlaps[0], *sizes, first.size) / _LN10
        maps[signs] = heights[np.ix_(rows[0] > 0, columns[0] > 0)]
    sizes_of = {key: end.sizes[0][end.sizes[0] > 0] for key, end in ends.items()}
    return Rrho2Map(
        maps[UP, UP], maps[DOWN, DOWN], maps[UP, DOWN], maps[DOWN, UP],
        sizes_of[0, UP], sizes_of[0, DOWN], sizes_of[1, UP], sizes_of[1, DOWN], step,
    )  # fmt: skip


def rrho2_maximum(first: Ranking, second: Ranking, quadrants: Quadrants, step: int) -> Floats:
    """Return the largest value of some quadrants for many pairs of contrasts.

    Parameters
    ----------
    first, second
        Rankings of pairs x genes.
    quadrants
        `CONCORDANT` or `DISCORDANT`.
    step
        As for `rrho2`.

    Returns
    -------
    numpy.ndarray
        -log10 p, ``(n_pairs,)``.
    """
    _check(first, second, step)
    total = first.rank.shape[1]
    heights = [_largest(_End.of(first, one, step), _End.of(second, other, step), total) for one, other in quadrants]
    return np.asarray(np.max(heights, axis=0), dtype=np.float64)


@dataclass(frozen=True)
class _End:
    """One end of the rankings of many contrasts, cut into lists.

    Attributes
    ----------
    first_list
        The smallest list that holds the gene, -1 for none; pairs x genes.
    sizes
        Sizes of the lists, 0 where a pair has fewer; pairs x lists.
    """

    first_list: Integers
    sizes: Integers

    @classmethod
    def of(cls, ranking: Ranking, sign: int, step: int) -> "_End":
        count = ranking.up if sign == UP else ranking.down
        from_end = ranking.rank if sign == UP else ranking.rank.shape[1] - 1 - ranking.rank
        lists = np.arange(1, max(1, int(-(-count.max() // step))) + 1) * step
        sizes = np.where(lists - step < count[:, None], np.minimum(lists, count[:, None]), 0)
        return cls(np.where(from_end < count[:, None], from_end // step, -1), sizes)


def _check(first: Ranking, second: Ranking, step: int) -> None:
    if first.rank.shape != second.rank.shape:
        raise ValueError(
            f"two contrasts of the same genes are needed; the shapes are {first.rank.shape} and {second.rank.shape}"
        )
    if step < 1:
        raise ValueError(f"step is {step}, but must be 1 or more")


def _overlaps(rows: _End, columns: _End) -> tuple[Integers, Integers, Integers]:
    """Return the overlap of every pair of lists, pairs x row lists x column lists, and the sizes of both."""
    (pairs, height), width = rows.sizes.shape, columns.sizes.shape[1]
    both = (rows.first_list >= 0) & (columns.first_list >= 0)
    pair = np.arange(pairs)[:, None]
    cell = ((pair * height + rows.first_list) * width + columns.first_list)[both]
    counts = np.bincount(cell, minlength=pairs * height * width).reshape(pairs, height, width)
    # A list that does not exist has size 0 and no overlap.
    overlaps = counts.cumsum(axis=1).cumsum(axis=2)
    listed = (rows.sizes[:, :, None] > 0) & (columns.sizes[:, None, :] > 0)
    return np.where(listed, overlaps, 0), rows.sizes, columns.sizes


def _largest(rows: _End, columns: _End, total: int) -> Floats:
    """Return the largest -log10 p of each pair; the tail is summed only for overlaps whose bounds allow them to be the largest."""
    overlaps, row_sizes, column_sizes = _overlaps(rows, columns)
    first, second = np.broadcast_arrays(row_sizes[:, :, None], column_sizes[:, None, :])
    low, high = log_overlap_bounds(overlaps, first, second, total)
    possible = low <= high.min(axis=(1, 2))[:, None, None]
    logs = np.zeros(overlaps.shape)
    logs[possible] = log_overlap_tail(overlaps[possible], first[possible], second[possible], total)
    return np.asarray(-logs.min(axis=(1, 2)) / _LN10, dtype=np.float64)
