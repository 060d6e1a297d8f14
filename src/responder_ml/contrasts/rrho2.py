"""Stratified rank-rank hypergeometric overlap (RRHO2) of two contrasts: a map per quadrant, and its largest values.

Definition. Genes are ranked by a signed statistic in each of two contrasts. In the first contrast ``A_i`` holds the ``i`` genes at
one end, most extreme first, ``i`` a multiple of ``step`` or the number of genes with that sign; ``B_j`` likewise in the second. The
value at ``(i, j)`` is ``-log10 P(X >= |A_i and B_j|)``, X hypergeometric with sets of ``i`` and ``j`` among all N genes. Up-up and down-down are
the concordant quadrants, up-down and down-up the discordant ones: reversal. (The R package begins its lists at 1 instead of
``step`` and passes one gene too many as background.)

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
from numpy.typing import NDArray

from responder_ml.statistics.hypergeometric import log_overlap_tail

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

UP, DOWN = 1, -1
CONCORDANT = ((UP, UP), (DOWN, DOWN))
DISCORDANT = ((UP, DOWN), (DOWN, UP))
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
        return max((float(each.max()) for each in (self.up_up, self.down_down) if each.size), default=0.0)

    @property
    def discordant(self) -> float:
        """Largest value where the contrasts oppose each other, 0 if a quadrant is empty."""
        return max((float(each.max()) for each in (self.up_down, self.down_up) if each.size), default=0.0)


def default_step(n_genes: int) -> int:
    """Return the square root of the number of genes, rounded up, as the R package does."""
    return int(np.ceil(np.sqrt(n_genes)))


def rrho2(first: Floats, second: Floats, step: int | None = None) -> Rrho2Map:
    """Return the four maps of two contrasts.

    Parameters
    ----------
    first, second
        Signed statistic of each gene, such as moderated t, ``(n_genes,)``. Genes at 0 belong to no end. Ties go to the lower
        position.
    step
        Genes from one list size to the next; `default_step` if not given.

    Raises
    ------
    ValueError
        The lengths differ or ``step`` is below 1.
    """
    step = _checked_step(first, second, step)
    sides = {(which, sign): _bins(values[None], sign, step) for which, values in enumerate((first, second)) for sign in (UP, DOWN)}
    maps, sizes = {}, {key: _sizes(count, step)[0] for key, (_, count) in sides.items()}
    for signs in (*CONCORDANT, *DISCORDANT):
        rows, columns = sides[0, signs[0]], sides[1, signs[1]]
        heights, _ = _quadrant(rows, columns, step, first.size)
        valid = heights[0, : np.count_nonzero(sizes[0, signs[0]]), : np.count_nonzero(sizes[1, signs[1]])]
        maps[signs] = valid
    trimmed = {key: size[size > 0] for key, size in sizes.items()}
    return Rrho2Map(
        maps[UP, UP], maps[DOWN, DOWN], maps[UP, DOWN], maps[DOWN, UP],
        trimmed[0, UP], trimmed[0, DOWN], trimmed[1, UP], trimmed[1, DOWN], step,
    )  # fmt: skip


def rrho2_maxima(first: Floats, second: Floats, step: int | None = None) -> tuple[Floats, Floats]:
    """Return the largest concordant and discordant values of many pairs of contrasts.

    Parameters
    ----------
    first, second
        Signed statistics, pairs x genes.
    step
        As for `rrho2`.

    Returns
    -------
    concordant, discordant
        -log10 p, ``(n_pairs,)``.
    """
    step = _checked_step(first, second, step)
    sides = {(which, sign): _bins(values, sign, step) for which, values in enumerate((first, second)) for sign in (UP, DOWN)}
    largest = [
        np.max(
            [_quadrant(sides[0, rows], sides[1, columns], step, first.shape[1])[0].max(axis=(1, 2)) for rows, columns in family],
            axis=0,
        )
        for family in (CONCORDANT, DISCORDANT)
    ]
    return largest[0], largest[1]


def _checked_step(first: Floats, second: Floats, step: int | None) -> int:
    if first.shape != second.shape:
        raise ValueError(f"two contrasts of the same genes are needed; the shapes are {first.shape} and {second.shape}")
    chosen = default_step(first.shape[-1]) if step is None else step
    if chosen < 1:
        raise ValueError(f"step is {chosen}, but must be 1 or more")
    return chosen


def _bins(values: Floats, sign: int, step: int) -> tuple[Integers, Integers]:
    """Return, per pair and gene, the first list that holds the gene (-1 for none), and the genes with that sign."""
    order = np.argsort(-sign * values, axis=1, kind="stable")
    count = np.count_nonzero(sign * values > 0, axis=1).astype(np.int64)
    place = np.arange(values.shape[1])
    listed = np.where(place < count[:, None], place // step, -1)
    bins = np.empty(values.shape, dtype=np.int64)
    np.put_along_axis(bins, order, listed, axis=1)
    return bins, count


def _sizes(count: Integers, step: int) -> Integers:
    """Return list sizes, pairs x lists: multiples of ``step`` up to the count, then the count, then 0."""
    most = max(1, int(-(-count.max() // step)))
    ends = np.arange(1, most + 1) * step
    return np.where(ends - step < count[:, None], np.minimum(ends, count[:, None]), 0)


def _quadrant(
    rows: tuple[Integers, Integers], columns: tuple[Integers, Integers], step: int, n_genes: int
) -> tuple[Floats, Integers]:
    """Return -log10 p (0 where there is no list) and the overlaps, pairs x row lists x column lists."""
    row_sizes, column_sizes = _sizes(rows[1], step), _sizes(columns[1], step)
    pairs, height, width = len(row_sizes), row_sizes.shape[1], column_sizes.shape[1]
    both = (rows[0] >= 0) & (columns[0] >= 0)
    pair = np.broadcast_to(np.arange(pairs)[:, None], both.shape)
    cell = (pair * height + rows[0]) * width + columns[0]
    counts = np.bincount(cell[both], minlength=pairs * height * width).reshape(pairs, height, width)
    overlaps = counts.cumsum(axis=1).cumsum(axis=2)
    listed = (row_sizes[:, :, None] > 0) & (column_sizes[:, None, :] > 0)
    heights = np.zeros(overlaps.shape)
    first, second = (np.broadcast_to(each, overlaps.shape)[listed] for each in (row_sizes[:, :, None], column_sizes[:, None, :]))
    heights[listed] = -log_overlap_tail(overlaps[listed], first, second, n_genes) / _LN10
    return heights, overlaps
