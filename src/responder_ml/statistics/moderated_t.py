"""Moderated t of two groups: one labelling in plain double precision, or the best columns of many labellings at once.

The statistic is limma's two-group moderated t (intercept and group, equal variances). Ranking by its absolute
value needs, per training set, only the gene-wise mean difference, the pooled variance and one prior constant.

References
----------
Smyth GK (2004) Linear models and empirical Bayes methods. Stat Appl Genet Mol Biol 3:3.
doi:10.2202/1544-6115.1027
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.statistics.squeeze import fit_f_dist, squeeze
from responder_ml.statistics.training_sets import TrainingSets

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

# Training sets handled in one product: the (sets x genes) blocks then stay in the low tens of megabytes.
_SETS_PER_BLOCK = 48
# Single precision chooses this many columns more than wanted; double precision orders them and cuts.
_MARGIN = 64


def moderated_t(values: Floats, positive: NDArray[np.bool_], negative: NDArray[np.bool_]) -> Floats:
    """Return limma's moderated t of positive minus negative for each column.

    Parameters
    ----------
    values
        Samples x columns, log2 units or scores.
    positive, negative
        Rows of the two groups, shape ``(n_samples,)``; together at least three.
    """
    difference, variance, df = _two_groups(values, positive, negative)
    prior_df, prior_variance = fit_f_dist(variance, df)
    posterior = squeeze(variance, df, prior_df, prior_variance)
    scale = 1.0 / np.count_nonzero(positive) + 1.0 / np.count_nonzero(negative)
    # A column that never varies has neither difference nor variance: its t is zero, not undefined.
    return np.divide(difference, np.sqrt(posterior * scale), out=np.zeros_like(difference), where=posterior > 0)


@dataclass(frozen=True)
class Columns:
    """Columns to rank, prepared once per cohort.

    Attributes
    ----------
    values
        Samples x columns in double precision.
    centred, squared
        The values less their column medians, and their squares, in single precision: for choosing, never for results.
        The median, unlike the mean, keeps an extreme sample from spoiling every other sample's digits.
    """

    values: Floats
    centred: Singles
    squared: Singles

    @classmethod
    def prepare(cls, values: Floats) -> "Columns":
        """Centre and round ``values`` (samples x columns)."""
        centred = (values - np.median(values, axis=0)).astype(np.float32)
        return cls(values, centred, centred * centred)


def best_columns(
    columns: Columns,
    sets: TrainingSets,
    count: int,
    kept: NDArray[np.bool_] | None = None,
    shifts: Floats | None = None,
) -> list[NDArray[np.intp]]:
    """Return, for each training set, its columns of largest absolute moderated t, best first.

    Parameters
    ----------
    columns
        The prepared matrix.
    sets
        Training sets; only their own rows and labels of those rows are used.
    count
        How many columns to return at most.
    kept
        Columns each set may use, shape ``(n_sets, n_columns)``; all by default.
    shifts
        Number added to every column of a sample under each set (its normalisation), shape ``(n_sets, n_samples)``.

    Returns
    -------
    list of arrays
        Positions, at most ``count`` each. Ties go to the lower position.
    """
    chosen: list[NDArray[np.intp]] = []
    for start in range(0, len(sets), _SETS_PER_BLOCK):
        part = slice(start, start + _SETS_PER_BLOCK)
        chosen += _best_of_block(
            columns, sets[part], count, None if kept is None else kept[part], None if shifts is None else shifts[part]
        )
    return chosen


def _best_of_block(
    columns: Columns,
    sets: TrainingSets,
    count: int,
    kept: NDArray[np.bool_] | None,
    shifts: Floats | None,
) -> list[NDArray[np.intp]]:
    difference, variance, df = _many_two_groups(columns, sets, shifts)
    prior_df, prior_variance = fit_f_dist(variance if kept is None else np.where(kept, variance, np.nan), df)
    # Ranking by d^2 / (d0 s0^2 + d s^2): factors that are the same for every column are left out.
    flat = np.isinf(prior_df)
    prior = np.where(flat, 1.0, np.where(flat, 0.0, prior_df) * prior_variance)
    weight = np.where(flat, 0.0, df)
    np.square(difference, out=difference)
    variance *= weight[:, None].astype(np.float32)
    variance += prior[:, None].astype(np.float32)
    np.maximum(variance, np.float32(1e-30), out=variance)
    difference /= variance
    if kept is not None:
        difference[~kept] = -1.0
    wanted = min(count + _MARGIN, difference.shape[1])
    positions = []
    for index, strength in enumerate(difference):
        near = np.argpartition(-strength, wanted - 1)[:wanted]
        near = np.sort(near[strength[near] >= 0])
        shift = None if shifts is None else shifts[index]
        few = columns.values[:, near] if shift is None else columns.values[:, near] + shift[:, None]
        gap, spread, _ = _two_groups(few, sets.positive[index], sets.negative[index])
        exact = gap**2 / np.maximum(prior[index] + weight[index] * spread, 1e-300)
        positions.append(near[np.argsort(-exact, kind="stable")[:count]])
    return positions


def _two_groups(
    values: Floats, positive: NDArray[np.bool_], negative: NDArray[np.bool_]
) -> tuple[Floats, Floats, float]:
    """Return mean difference, pooled variance and residual degrees of freedom."""
    above, below = values[positive], values[negative]
    mean_above, mean_below = above.mean(axis=0), below.mean(axis=0)
    df = float(len(above) + len(below) - 2)
    squares = ((above - mean_above) ** 2).sum(axis=0) + ((below - mean_below) ** 2).sum(axis=0)
    return mean_above - mean_below, squares / df, df


def _many_two_groups(columns: Columns, sets: TrainingSets, shifts: Floats | None) -> tuple[Singles, Singles, Floats]:
    """Return differences and pooled variances (sets x columns, single precision) as masked matrix products."""
    positive, negative = sets.positive.astype(np.float32), sets.negative.astype(np.float32)
    n_positive = positive.sum(axis=1, dtype=np.float64)
    n_negative = negative.sum(axis=1, dtype=np.float64)
    sum_above, sum_below = positive @ columns.centred, negative @ columns.centred
    rows = positive + negative
    squares = rows @ columns.squared
    if shifts is not None:
        move = (shifts - np.median(shifts, axis=1, keepdims=True)).astype(np.float32)
        squares += (2.0 * rows * move) @ columns.centred
        squares += np.sum(rows * move**2, axis=1)[:, None]
        sum_above += np.sum(positive * move, axis=1)[:, None]
        sum_below += np.sum(negative * move, axis=1)[:, None]
    above = (1.0 / n_positive).astype(np.float32)[:, None]
    below = (1.0 / n_negative).astype(np.float32)[:, None]
    squares -= sum_above * sum_above * above
    squares -= sum_below * sum_below * below
    df = n_positive + n_negative - 2.0
    squares *= (1.0 / df).astype(np.float32)[:, None]
    np.maximum(squares, np.float32(0.0), out=squares)
    sum_above *= above
    sum_below *= below
    sum_above -= sum_below
    return sum_above, squares, df
