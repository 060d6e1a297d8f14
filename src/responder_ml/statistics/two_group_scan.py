"""Rank all columns for many training sets at once, in single precision and in pieces that stay in the cache.

For a training set of ``n1`` positive and ``n0`` negative rows the squared moderated t of a column is ``between / (prior +
within)`` times what all columns share, with ``between`` and ``within`` the sums of squares of a two-group analysis of
variance. Three masked matrix products give both for all sets. What comes out is good for choosing, never for results.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.statistics.squeeze import log_moments, needs_floor, prior_of_logs
from responder_ml.statistics.training_sets import TrainingSets

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Singles = NDArray[np.float32]

# Columns handled in one go: what some forty training sets need of them fits the second-level cache.
_COLUMNS_PER_PIECE = 1024
# Below the rounding of any measured sum of squares, and still a finite logarithm.
_TINY = np.float32(1e-30)


@dataclass(frozen=True)
class Scan:
    """Strength of every column in every training set.

    Attributes
    ----------
    strength
        ``between / (prior + weight * within)``, shape ``(n_sets, n_columns)``; -1 where a set may not use the column.
    prior, weight
        What the strengths were worked out with, shape ``(n_sets,)``: the prior sum of squares and 1, or, where the
        variances differ no more than chance, 1 and 0.
    """

    strength: Singles
    prior: Floats
    weight: Floats


def scan(centred: Singles, sets: TrainingSets, kept: Flags | None = None, shifts: Floats | None = None) -> Scan:
    """Return the strength of every column in every training set.

    Parameters
    ----------
    centred
        Samples x columns, less some typical value of each column.
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
        between_here, within_here = products.of(centred[:, piece])
        between[:, piece], within[:, piece] = between_here, within_here
        moments.add(index, within_here, None if kept is None else kept[:, piece])
    prior_df, prior_variance = moments.prior(within, products.df, kept)
    # Factors that are the same for every column are left out; a prior of infinite weight leaves only the difference.
    flat = np.isinf(prior_df)
    prior = np.where(flat, 1.0, np.where(flat, 0.0, prior_df) * prior_variance)
    weight = np.where(flat, 0.0, 1.0)
    prior_column, weight_column = (each.astype(np.float32)[:, None] for each in (prior + float(_TINY), weight))
    for piece in pieces:
        spread = within[:, piece] * weight_column
        spread += prior_column
        between[:, piece] /= spread
    if kept is not None:
        between[~kept] = -1.0
    return Scan(between, prior, weight)


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
        self._rows, self._contrast, self._level = (each.astype(np.float32) for each in (rows, contrast, level))
        self._moves: tuple[Singles, Singles, Singles, Singles] | None = None
        if shifts is not None:
            move = rows * (shifts - np.sum(rows * shifts, axis=1, keepdims=True) / count)
            constants = [np.sum(part * move, axis=1, keepdims=True) for part in (contrast, level, move)]
            cross, between, mean, squares = (each.astype(np.float32) for each in (2.0 * move, *constants))
            self._moves = cross, between, mean, squares

    def of(self, values: Singles) -> tuple[Singles, Singles]:
        """Return the sums of squares between and within classes, sets x columns."""
        between, level = self._contrast @ values, self._level @ values
        within = self._rows @ (values * values)
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
    """Mean and spread of the log sums of squares of each training set, gathered piece by piece."""

    def __init__(self, n_sets: int, n_pieces: int) -> None:
        self._count, self._mean, self._squares, self._total = np.zeros((4, n_sets, n_pieces))

    def add(self, index: int, within: Singles, kept: Flags | None) -> None:
        """Take in the sums of squares of one piece of columns."""
        logs = np.log(within)
        if kept is None or kept.all():
            self._count[:, index] = within.shape[1]
            self._total[:, index] = within.sum(axis=1)
            self._mean[:, index] = logs.sum(axis=1) / within.shape[1]
            logs -= self._mean[:, index : index + 1].astype(np.float32)
        else:
            weight = kept.astype(np.float32)
            count = weight.sum(axis=1)
            self._count[:, index] = count
            self._total[:, index] = np.einsum("ij,ij->i", within, weight)
            self._mean[:, index] = np.einsum("ij,ij->i", logs, weight) / np.maximum(count, 1.0)
            logs -= self._mean[:, index : index + 1].astype(np.float32)
            logs *= weight
        self._squares[:, index] = np.einsum("ij,ij->i", logs, logs)

    def prior(self, within: Singles, df: Floats, kept: Flags | None) -> tuple[Floats, Floats]:
        """Return degrees of freedom and variance of each set's prior, as `fit_f_dist` does."""
        count = self._count.sum(axis=1)
        pooled = self._total.sum(axis=1) / count
        mean = np.sum(self._count * self._mean, axis=1) / count
        squares = np.sum(self._squares + self._count * (self._mean - mean[:, None]) ** 2, axis=1)
        spread = squares / np.maximum(count - 1.0, 1.0)
        for index, sums in enumerate(within):
            chosen = sums if kept is None else sums[kept[index]]
            if needs_floor(chosen):
                mean[index], spread[index], pooled[index] = log_moments(chosen)
        return prior_of_logs(mean - np.log(df), spread, pooled / df, df)
