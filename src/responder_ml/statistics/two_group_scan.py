"""Rank all columns for many training sets at once, in single precision.

For a training set of ``n1`` positive and ``n0`` negative rows the squared moderated t of a column is ``between / (prior +
within)`` times what all columns share, with ``between`` and ``within`` the sums of squares of a two-group analysis of
variance. The result is precise enough to choose columns, never to report.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Integers, Singles
from responder_ml.statistics.squeeze import log_moments, may_need_floor, prior_of_logs
from responder_ml.statistics.training_sets import TrainingSets

TINY = 1e-30
"""Added to the divisor of a difference, so that a column without variance has a strength."""
# Sets whose classes of one row fit into one integer, in two bits a set.
_LONGEST_RUN = 31
# Sums of squares of a column that a set may not use: its strength is negative, and no variance is as large.
_BARRED, _HUGE = np.float32(-1.0), np.float32(1e30)
# Prior sum of squares so large that the sum of squares of a column does not change it.
_FLAT = 1e25
# Numbers whose logarithms are taken together: they stay in the cache.
_NUMBERS_AT_ONCE = 2**15


@dataclass(frozen=True)
class Scan:
    """Two-group analysis of variance of every column in every training set.

    Attributes
    ----------
    between, within
        Sums of squares, shape ``(n_sets, n_columns)``; ``between`` is negative where a set may not use the column, and infinite
        where its digits are lost next to the column's level or between the classes.
    prior
        Prior sum of squares of each set, shape ``(n_sets,)``; so large that only differences count where the variances
        differ no more than chance.
    """

    between: Singles
    within: Singles
    prior: Floats

    def strengths(self) -> Singles:
        """Return ``between / (prior + within)``, ``(n_sets, n_columns)``; infinite where it is unknown."""
        spread: Singles = self.within + self.prior.astype(np.float32)[:, None]
        np.divide(self.between, spread, out=spread)
        return spread


def scan(
    pieces: Singles,
    n_columns: int,
    sets: TrainingSets,
    usable: Flags | None = None,
    shifts: Floats | None = None,
    *,
    squeezed: bool = True,
) -> Scan:
    """Compare the classes of every training set in every column.

    Parameters
    ----------
    pieces
        The values less a central value of each column, in the order of `columns.in_pieces`.
    n_columns
        Number of columns; the rest of the last piece is not read.
    sets
        Training sets; only their own rows and labels of those rows are used.
    usable
        Columns each set may use, shape ``(n_sets, n_columns)``; all by default.
    shifts
        Number added to every column of a sample under each set, shape ``(n_sets, n_samples)``.
    squeezed
        Whether variances are squeezed towards their common prior; the prior is 0 otherwise.
    """
    # Compiled code is slow to load, and commands that only read a job do not need it.
    from responder_ml.statistics.pooled_sums import sums_of_squares

    between, within = np.empty((2, len(sets), n_columns), np.float32)
    pools = _Pools(sets)
    above, below = sets.positive.sum(axis=1), sets.negative.sum(axis=1)
    moves, cross = _moves(pieces, sets, shifts)
    sums_of_squares(
        pieces,
        *(pools.rows, pools.first_row, pools.first_pool, pools.first_set, pools.side),
        *(above.astype(np.float32), below.astype(np.float32), moves, cross, between, within),
    )
    bar_columns(between, within, usable)
    prior = prior_sums(within, usable, above + below - 2.0) if squeezed else np.zeros(len(sets))
    return Scan(between, within, prior + TINY)


def bar_columns(between: Singles, within: Singles, usable: Flags | None) -> None:
    """Mark in both sums of squares the columns that a set may not use."""
    if usable is not None and not usable.all():
        np.copyto(between, _BARRED, where=~usable)
        np.copyto(within, _HUGE, where=~usable)


class _Pools:
    """Rows that neighbouring training sets treat alike, in the form `pooled_sums.sums_of_squares` takes."""

    def __init__(self, sets: TrainingSets) -> None:
        codes = sets.positive + 2 * sets.negative.astype(np.int64)
        # A run ends where sets stop being alike, or where the classes of a row no longer fit into one integer.
        bounds = [*range(0, len(sets), sets.alike), len(sets)]
        starts = [start for first, end in pairwise(bounds) for start in range(first, end, _LONGEST_RUN)]
        ends = [*starts[1:], len(sets)]
        runs = [_pools_of(codes[start:end]) for start, end in zip(starts, ends, strict=True)]
        sizes = np.concatenate([[0], *(counts for _, counts, _ in runs)])
        self.rows = np.concatenate([rows for rows, _, _ in runs])
        self.first_row = np.cumsum(sizes)
        self.first_pool = np.cumsum([0, *(len(counts) for _, counts, _ in runs)])
        self.first_set = np.array([*starts, len(sets)])
        self.side = np.zeros((len(sets), int(np.diff(self.first_pool).max())), np.int8)
        for start, (_, _, sides) in zip(starts, runs, strict=True):
            self.side[start : start + len(sides), : sides.shape[1]] = sides


def _pools_of(codes: Integers) -> tuple[Indices, Indices, Integers]:
    """Return the rows pool after pool, the size of each pool, and the class of each pool in each set."""
    keys = (4 ** np.arange(len(codes))) @ codes
    order = np.argsort(keys, kind="stable")
    order = order[np.searchsorted(keys[order], 1) :]
    first = np.flatnonzero(np.diff(keys[order], prepend=-1))
    return order, np.diff(first, append=len(order)), codes[:, order[first]]


def _moves(pieces: Singles, sets: TrainingSets, shifts: Floats | None) -> tuple[Singles, Singles]:
    """Return what shifts add to the sums of each class and of all squares, and to the sum of squares of each column."""
    if shifts is None:
        return np.zeros((len(sets), 3), np.float32), np.empty((0, 0, 0), np.float32)
    rows = sets.rows.astype(np.float64)
    move = rows * (shifts - np.sum(rows * shifts, axis=1, keepdims=True) / rows.sum(axis=1, keepdims=True))
    sums = [np.sum(part * move, axis=1) for part in (sets.positive, sets.negative, move)]
    return np.stack(sums, axis=1).astype(np.float32), np.matmul((2.0 * move).astype(np.float32), pieces)


def prior_sums(within: Singles, usable: Flags | None, df: Floats) -> Floats:
    """Return the prior sum of squares of each set.

    Parameters
    ----------
    within
        Residual sums of squares, sets x columns, marked by `bar_columns`.
    usable
        Columns each set may use; all if None.
    df
        Residual degrees of freedom of each set.
    """
    lowest, mean, spread = np.zeros((3, len(within)))
    size = max(1, _NUMBERS_AT_ONCE // max(within.shape[1], 1))
    for start in range(0, len(within), size):
        part = slice(start, start + size)
        allowed = None if usable is None or usable[part].all() else usable[part]
        lowest[part], mean[part], spread[part] = _moments_of_logs(within[part], allowed)
    for index in np.flatnonzero(may_need_floor(lowest, mean, spread)).tolist():
        mean[index], spread[index], _ = log_moments(within[index, within[index] < _HUGE])
    prior_df, prior_variance = prior_of_logs(mean - np.log(df), spread, np.zeros_like(mean), df)
    flat = np.isinf(prior_df)
    return np.where(flat, _FLAT, np.where(flat, 0.0, prior_df) * prior_variance)


def _moments_of_logs(squares: Singles, usable: Flags | None) -> tuple[Singles, Floats, Floats]:
    """Return the lowest logarithm of usable numbers, their mean and their variance, of each row; zeros where there are none."""
    logs = np.log(squares)
    if usable is None:
        number, lowest = np.full(len(logs), float(logs.shape[1])), logs.min(axis=1, initial=np.inf)
    else:
        number, lowest = usable.sum(axis=1, dtype=np.float64), logs.min(axis=1, initial=np.inf, where=usable)
        np.copyto(logs, np.float32(0.0), where=~usable)
    some = np.maximum(number, 1.0)
    rough = (logs.sum(axis=1) / some).astype(np.float32)
    logs -= rough[:, None]
    if usable is not None:
        np.copyto(logs, np.float32(0.0), where=~usable)
    # Numbers near zero are added up with few digits lost.
    rest = logs.sum(axis=1) / some
    total = np.einsum("ij,ij->i", logs, logs).astype(np.float64)
    spread = (total - number * rest**2) / np.maximum(number - 1.0, 1.0)
    return np.where(number > 0, lowest, 0.0), rough + rest, spread
