"""Sums of squares between and within two classes: of every column in many training sets, and of a few columns exactly.

`sums_of_squares` first adds up the rows that several sets treat alike. The training sets of one cross-validation hold most rows in
common. Rows that all of them put into the same class, or leave out, form a pool; a pool is added up once, and each set adds up
pools. In single precision and in pieces that stay in the cache.

`order_strongest` computes the sums of a few columns in double precision, column by column, so that equal columns have equal sums.
"""

import numpy as np
from numpy.typing import NDArray

from responder_ml.arrays import Floats, Indices, Singles
from responder_ml.statistics.compiled import compiled

OUT, POSITIVE, NEGATIVE = 0, 1, 2
"""Class of the rows of a pool in a set; `OUT` for rows that the set leaves out."""
_LEAST = np.float32(1e-30)
"""Below the rounding of any measured sum of squares, and still a finite logarithm."""
_UNSURE = np.float32(np.inf)
"""In place of a sum of squares between classes that is too imprecise in single precision to be compared."""
_CLEAR_SHARE = np.float32(1e-3)
"""Least share of the sum of squares within classes in a column's total at which its digits can be trusted."""


@compiled
def sums_of_squares(
    pieces: Singles,
    rows: Indices,
    first_row: Indices,
    first_pool: Indices,
    first_set: Indices,
    side: NDArray[np.int8],
    above: Singles,
    below: Singles,
    moves: Singles,
    cross: Singles,
    between: Singles,
    within: Singles,
) -> None:
    """Write the sums of squares between and within the two classes of every training set.

    Parameters
    ----------
    pieces
        Pieces x samples x columns of a piece, less a central value of each column.
    rows
        Samples, pool after pool.
    first_row
        First position of each pool in ``rows``, and the end.
    first_pool, first_set
        First pool and first set of each run of training sets that share pools, and the end.
    side
        `OUT`, `POSITIVE` or `NEGATIVE` for each set and each pool of its run.
    above, below
        Numbers of positive and negative rows of each set.
    moves
        What normalisation adds to the sums of the positive rows, of the negative rows and of all rows' squares, sets x 3.
    cross
        What normalisation adds to the sums of squares of each column, pieces x sets x columns of a piece; no pieces where
        nothing is added.
    between, within
        Arrays for the results, sets x columns; ``between`` is infinite where rounding may have spoilt it.
    """
    n_columns, width = between.shape[1], pieces.shape[2]
    most = np.diff(first_pool).max()
    sums, squares = np.empty((most, width), np.float32), np.empty((most, width), np.float32)
    over, under, total = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    for piece in range(len(pieces)):
        start, stop = piece * width, min((piece + 1) * width, n_columns)
        for run in range(len(first_pool) - 1):
            first, end = first_pool[run], first_pool[run + 1]
            for pool in range(first, end):
                members = rows[first_row[pool] : first_row[pool + 1]]
                _add_up_rows(pieces[piece], members, sums[pool - first], squares[pool - first])
            for index in range(first_set[run], first_set[run + 1]):
                over[:], under[:], total[:] = moves[index, 0], moves[index, 1], moves[index, 2]
                _add_up_pools(side[index], end - first, sums, squares, over, under, total)
                if len(cross) > 0:
                    total += cross[piece, index]
                results = between[index, start:stop], within[index, start:stop]
                _compare(over, under, total, above[index], below[index], results[0], results[1])


@compiled
def _add_up_rows(values: Singles, rows: Indices, sums: Singles, squares: Singles) -> None:
    """Add up some rows and their squares, several at a time so that sums are written to memory less often."""
    sums[:] = 0.0
    squares[:] = 0.0
    row = 0
    while row + 8 <= len(rows):
        a, b, c, d = values[rows[row]], values[rows[row + 1]], values[rows[row + 2]], values[rows[row + 3]]
        e, f, g, h = values[rows[row + 4]], values[rows[row + 5]], values[rows[row + 6]], values[rows[row + 7]]
        for k in range(len(sums)):
            sums[k] += ((a[k] + b[k]) + (c[k] + d[k])) + ((e[k] + f[k]) + (g[k] + h[k]))
            first = (a[k] * a[k] + b[k] * b[k]) + (c[k] * c[k] + d[k] * d[k])
            squares[k] += first + ((e[k] * e[k] + f[k] * f[k]) + (g[k] * g[k] + h[k] * h[k]))
        row += 8
    while row + 4 <= len(rows):
        a, b, c, d = values[rows[row]], values[rows[row + 1]], values[rows[row + 2]], values[rows[row + 3]]
        for k in range(len(sums)):
            sums[k] += (a[k] + b[k]) + (c[k] + d[k])
            squares[k] += (a[k] * a[k] + b[k] * b[k]) + (c[k] * c[k] + d[k] * d[k])
        row += 4
    while row < len(rows):
        a = values[rows[row]]
        for k in range(len(sums)):
            sums[k] += a[k]
            squares[k] += a[k] ** 2
        row += 1


@compiled
def _add_up_pools(
    side: NDArray[np.int8],
    pools: int,
    sums: Singles,
    squares: Singles,
    over: Singles,
    under: Singles,
    total: Singles,
) -> None:
    """Add the pools of one set to the sums of its classes, and their squares to the total."""
    for pool in range(pools):
        if side[pool] != OUT:
            of_class, of_pool, squared = over if side[pool] == POSITIVE else under, sums[pool], squares[pool]
            for column in range(len(total)):
                of_class[column] += of_pool[column]
                total[column] += squared[column]


@compiled
def _compare(
    over: Singles,
    under: Singles,
    total: Singles,
    above: np.float32,
    below: np.float32,
    between: Singles,
    within: Singles,
) -> None:
    one = np.float32(1.0)
    share_over, share_under, both = one / above, one / below, above * below / (above + below)
    for column in range(len(between)):
        mean_over, mean_under = over[column] * share_over, under[column] * share_under
        difference = mean_over - mean_under
        inside = total[column] - over[column] * mean_over - under[column] * mean_under
        between[column] = _UNSURE if inside < _CLEAR_SHARE * total[column] else difference * difference * both
        within[column] = max(_LEAST, inside)


@compiled
def order_strongest(
    by_column: Floats,
    strengths: Singles,
    least: Singles,
    shifts: Floats,
    positive: Floats,
    rows: Floats,
    rounding: Floats,
    prior: Floats,
    best: Indices,
    lengths: Indices,
) -> None:
    """Write the strongest columns of every training set in order, from sums of squares in double precision; ties by position.

    Parameters
    ----------
    by_column
        Columns x samples.
    strengths
        Strength of each column in single precision, sets x columns.
    least
        Strength from which a column of a set is looked at, shape ``(n_sets,)``.
    shifts
        Number added to every column of a sample under each set, sets x samples.
    positive, rows
        1.0 for the rows of a set's positive class, and for those of either class, else 0.0; sets x samples.
    rounding
        Share of its mean up to which the deviations of a column are rounding errors, shape ``(n_sets,)``.
    prior
        Prior sum of squares of each set.
    best
        Receives the positions of the columns, strongest first, sets x most columns of a set.
    lengths
        Receives how many there are of each set.
    """
    n_columns, most = strengths.shape[1], best.shape[1]
    columns, exact = np.empty(n_columns, np.intp), np.empty(n_columns)
    for index in range(len(strengths)):
        number = 0
        for column in range(n_columns):
            if strengths[index, column] >= least[index]:
                columns[number] = column
                number += 1
        exact_strengths(
            by_column,
            columns[:number],
            shifts[index],
            positive[index],
            rows[index],
            rounding[index],
            prior[index],
            exact,
        )
        order = np.argsort(-exact[:number], kind="mergesort")
        lengths[index] = min(number, most)
        for rank in range(lengths[index]):
            best[index, rank] = columns[order[rank]]


@compiled
def exact_strengths(
    by_column: Floats,
    columns: Indices,
    shift: Floats,
    positive: Floats,
    rows: Floats,
    rounding: float,
    prior: float,
    strength: Floats,
) -> None:
    """Write the sum of squares between two groups of rows over the prior and that within them, for some columns."""
    n_samples = by_column.shape[1]
    count, above = rows.sum(), positive.sum()
    both = 1.0 / above + 1.0 / (count - above)
    values = np.empty(n_samples)
    for index in range(len(columns)):
        column = by_column[columns[index]]
        total = 0.0
        for sample in range(n_samples):
            values[sample] = column[sample] + shift[sample]
            total += values[sample] * rows[sample]
        mean = total / count
        # The deviations of both groups together add up to zero.
        difference, squares = 0.0, 0.0
        for sample in range(n_samples):
            deviation = (values[sample] - mean) * rows[sample]
            difference += deviation * positive[sample]
            squares += deviation * deviation
        if np.sqrt(squares / count) <= rounding * abs(mean):
            difference, squares = 0.0, 0.0
        between = difference * difference * both
        strength[index] = between / (prior + max(squares - between, 0.0))
