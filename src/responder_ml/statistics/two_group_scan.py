"""Rank all columns for many training sets at once, in single precision and in pieces that stay in the cache.

For a training set of ``n1`` positive and ``n0`` negative rows the squared moderated t of a column is ``between / (prior +
within)`` times what all columns share, with ``between`` and ``within`` the sums of squares of a two-group analysis of
variance. Three masked matrix products give both for all sets. What comes out is good for choosing, never for results.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.statistics.squeeze import log_moments, may_need_floor, prior_of_logs
from responder_ml.statistics.training_sets import TrainingSets

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Singles = NDArray[np.float32]

# Columns handled in one go: what some forty training sets need of them fits the second-level cache.
_COLUMNS_PER_PIECE = 1024
# Below the rounding of any measured sum of squares, and still a finite logarithm.
_TINY = np.float32(1e-30)
# Sums of squares of a column that a set may not use: its strength comes out negative, and no variance is as large.
_BARRED, _HUGE = np.float32(-1.0), np.float32(1e30)
# Prior sum of squares beside which that of no column makes a difference.
_FLAT = 1e25


@dataclass(frozen=True)
class Scan:
    """Two-group analysis of variance of every column in every training set.

    Attributes
    ----------
    between, within
        Sums of squares, shape ``(n_sets, n_columns)``; ``between`` is negative where a set may not use the column.
    prior
        Prior sum of squares of each set, shape ``(n_sets,)``; so large that only differences count where the variances
        differ no more than chance.
    """

    between: Singles
    within: Singles
    prior: Floats

    def strength(self, index: int) -> Singles:
        """Return ``between / (prior + within)`` of each column in one training set."""
        spread: Singles = self.within[index] + np.float32(self.prior[index])
        np.divide(self.between[index], spread, out=spread)
        return spread


def scan(
    centred: Singles,
    squared: Singles,
    sets: TrainingSets,
    kept: Flags | None = None,
    shifts: Floats | None = None,
) -> Scan:
    """Compare the classes of every training set in every column.

    Parameters
    ----------
    centred
        Samples x columns, less some typical value of each column.
    squared
        Their squares.
    sets
        Training sets; only their own rows and labels of those rows are used.
    kept
        Columns each set may use, shape ``(n_sets, n_columns)``; all by default.
    shifts
        Number added to every column of a sample under each set, shape ``(n_sets, n_samples)``.
    """
    products = _Products(sets, shifts)
    shape = (len(sets), centred.shape[1])
    between, within = np.empty(shape, np.float32), np.empty(shape, np.float32)
    pieces = [slice(start, start + _COLUMNS_PER_PIECE) for start in range(0, shape[1], _COLUMNS_PER_PIECE)]
    moments = _Moments(len(sets), len(pieces))
    for index, piece in enumerate(pieces):
        between_here, within_here = products.of(centred[:, piece], squared[:, piece])
        usable = None if kept is None or kept[:, piece].all() else kept[:, piece]
        if usable is not None:
            np.copyto(between_here, _BARRED, where=~usable)
            np.copyto(within_here, _HUGE, where=~usable)
        moments.add(index, within_here, usable)
        between[:, piece], within[:, piece] = between_here, within_here
    return Scan(between, within, moments.prior(within, products.df))


class _Products:
    """Sums of squares between and within the classes of many training sets, as masked matrix products."""

    def __init__(self, sets: TrainingSets, shifts: Floats | None) -> None:
        positive, negative = sets.positive.astype(np.float64), sets.negative.astype(np.float64)
        above, below = positive.sum(axis=1, keepdims=True), negative.sum(axis=1, keepdims=True)
        count = above + below
        rows = positive + negative
        contrast = np.sqrt(above * below / count) * (positive / above - negative / below)
        level = rows / np.sqrt(count)
        self.df = count[:, 0] - 2.0
        self._rows = rows.astype(np.float32)
        self._contrast_and_level = np.concatenate([contrast, level]).astype(np.float32)
        self._moves: tuple[Singles, Singles, Singles, Singles] | None = None
        if shifts is not None:
            move = rows * (shifts - np.sum(rows * shifts, axis=1, keepdims=True) / count)
            constants = [np.sum(part * move, axis=1, keepdims=True) for part in (contrast, level, move)]
            cross, between, mean, squares = (each.astype(np.float32) for each in (2.0 * move, *constants))
            self._moves = cross, between, mean, squares

    def of(self, values: Singles, squares: Singles) -> tuple[Singles, Singles]:
        """Return the sums of squares between and within classes, sets x columns."""
        both = self._contrast_and_level @ values
        between, level = both[: len(self._rows)], both[len(self._rows) :]
        within = self._rows @ squares
        if self._moves is not None:
            cross, between_move, level_move, squares_move = self._moves
            within += cross @ values
            within += squares_move
            between += between_move
            level += level_move
        level *= level
        within -= level
        between *= between
        within -= between
        return between, np.maximum(within, _TINY, out=within)


class _Moments:
    """Logarithms of the sums of squares of each training set, summed up piece by piece."""

    def __init__(self, n_sets: int, n_pieces: int) -> None:
        self._count, self._mean, self._squares, self._lowest = np.zeros((4, n_sets, n_pieces))

    def add(self, index: int, within: Singles, kept: Flags | None) -> None:
        """Take in one piece of columns."""
        logs = np.log(within)
        self._lowest[:, index] = logs.min(axis=1)
        if kept is None:
            count = np.float32(within.shape[1])
            mean = logs @ np.full(within.shape[1], 1.0 / count)
            logs -= mean[:, None]
        else:
            weight = kept.astype(np.float32)
            count = weight.sum(axis=1)
            mean = np.einsum("ij,ij->i", logs, weight) / np.maximum(count, np.float32(1.0))
            logs -= mean[:, None]
            logs *= weight
        self._count[:, index], self._mean[:, index] = count, mean
        self._squares[:, index] = np.einsum("ij,ij->i", logs, logs)

    def prior(self, within: Singles, df: Floats) -> Floats:
        """Return the prior sum of squares of each set."""
        count = self._count.sum(axis=1)
        mean = np.sum(self._count * self._mean, axis=1) / count
        squares = np.sum(self._squares + self._count * (self._mean - mean[:, None]) ** 2, axis=1)
        spread = squares / np.maximum(count - 1.0, 1.0)
        for index in np.flatnonzero(may_need_floor(self._lowest.min(axis=1), mean, spread)):
            mean[index], spread[index], _ = log_moments(within[index, within[index] < _HUGE])
        prior_df, prior_variance = prior_of_logs(mean - np.log(df), spread, np.zeros_like(mean), df)
        flat = np.isinf(prior_df)
        return np.where(flat, _FLAT, np.where(flat, 0.0, prior_df) * prior_variance) + float(_TINY)
