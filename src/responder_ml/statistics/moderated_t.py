"""Moderated t of two groups: of one labelling in double precision, or the best columns of many labellings at once.

The statistic is limma's two-group moderated t (intercept and group, equal variances), or that of the class in a linear model
with covariates (`linear_scan`). Ranking by its absolute value needs, per training set, only the gene-wise mean difference, the
pooled variance and one prior constant.

References
----------
Smyth GK (2004) Linear models and empirical Bayes methods. Stat Appl Genet Mol Biol 3:3.
doi:10.2202/1544-6115.1027
"""

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Singles
from responder_ml.statistics.columns import Columns, rounding_share
from responder_ml.statistics.linear_scan import exact_strength, scan_linear
from responder_ml.statistics.many_contrasts import Designs
from responder_ml.statistics.squeeze import fit_f_dist, squeeze
from responder_ml.statistics.training_sets import TrainingSets
from responder_ml.statistics.two_group_scan import TINY, scan

# Training sets handled together: the (sets x genes) blocks then stay in the low tens of megabytes.
_SETS_PER_BLOCK = 48
# Columns handled together.
_COLUMNS_PER_PIECE = 1024
# Single precision may be wrong by this share of a strength. Columns within it of the last one to be returned are ordered in double
# precision, and so are all that are tied with it.
_ROUNDING = 1e-3


def moderated_t(
    values: Floats,
    positive: Flags,
    negative: Flags,
    chosen: Indices | None = None,
    *,
    squeezed: bool = True,
) -> Floats:
    """Return limma's moderated t of positive minus negative for each column.

    Parameters
    ----------
    values
        Samples x columns, log2 units or scores.
    positive, negative
        Rows of the two groups, shape ``(n_samples,)``; together at least three.
    chosen
        Columns to use, in this order; all by default.
    squeezed
        Whether variances are squeezed towards their common prior; the ordinary t of equal variances otherwise.
    """
    difference, variance, df = _two_groups(values, positive, negative, chosen)
    posterior = squeeze(variance, df, *fit_f_dist(variance, df)) if squeezed else variance + TINY
    scale = 1.0 / np.count_nonzero(positive) + 1.0 / np.count_nonzero(negative)
    # A column that never varies has neither difference nor variance: its t is zero, not undefined.
    return np.divide(difference, np.sqrt(posterior * scale), out=np.zeros_like(difference), where=posterior > 0)


def best_columns(
    columns: Columns,
    sets: TrainingSets,
    count: int,
    usable: Flags | None = None,
    shifts: Floats | None = None,
    covariates: Floats | None = None,
    *,
    squeezed: bool = True,
) -> list[Indices]:
    """Return, for each training set, its columns of largest absolute moderated t, best first.

    Parameters
    ----------
    columns
        The prepared matrix.
    sets
        Training sets; only their own rows and labels of those rows are used.
    count
        How many columns to return at most.
    usable
        Columns each set may use, shape ``(n_sets, n_columns)``; all by default.
    shifts
        Number added to every column of a sample under each set (its normalisation), shape ``(n_sets, n_samples)``.
    covariates
        Samples x covariates that the linear model has beside the class, or beside the graded outcome: limma's design. Where they
        determine it in a training set, or leave nothing to estimate variance from, all its columns rank equal.
    squeezed
        As for `moderated_t`.

    Returns
    -------
    list of arrays
        Positions, at most ``count`` each. Ties go to the lower position.
    """
    chosen: list[Indices] = []
    size = max(1, _SETS_PER_BLOCK // sets.alike) * sets.alike
    for start in range(0, len(sets), size):
        block = slice(start, start + size)
        part = None if usable is None else usable[block]
        moves = None if shifts is None else shifts[block]
        if covariates is None and not sets.graded:
            chosen += _best_of_block(columns, sets[block], count, part, moves, squeezed=squeezed)
        else:
            designs = Designs.of_outcome(sets.rows[block], sets.labels[block].astype(np.float64), covariates)
            chosen += _best_in_models(columns, designs, count, part, moves, squeezed=squeezed)
    return chosen


def _best_of_block(
    columns: Columns,
    sets: TrainingSets,
    count: int,
    usable: Flags | None,
    shifts: Floats | None,
    *,
    squeezed: bool,
) -> list[Indices]:
    # Compiled code is slow to load, and commands that only read a job do not need it.
    from responder_ml.statistics.pooled_sums import order_strongest

    analysis = scan(columns.pieces, len(columns.by_column), sets, usable, shifts, squeezed=squeezed)
    strengths, positive, rows = analysis.strengths(), sets.positive.astype(np.float64), sets.rows.astype(np.float64)
    moves = np.zeros_like(rows) if shifts is None else shifts
    rounding = np.array([rounding_share(int(n_rows)) for n_rows in rows.sum(axis=1)])
    best = np.empty((len(sets), min(count, strengths.shape[1])), np.intp)
    lengths, least = np.empty(len(sets), np.intp), _least_strengths(strengths, count)
    order_strongest(columns.by_column, strengths, least, moves, positive, rows, rounding, analysis.prior, best, lengths)
    return [columns_of_set[:length] for columns_of_set, length in zip(best, lengths.tolist(), strict=True)]


def _best_in_models(
    columns: Columns,
    designs: Designs,
    count: int,
    usable: Flags | None,
    shifts: Floats | None,
    *,
    squeezed: bool,
) -> list[Indices]:
    analysis = scan_linear(columns.pieces, len(columns.by_column), designs, usable, shifts, squeezed=squeezed)
    moves = np.zeros(designs.rows.shape) if shifts is None else shifts
    positions = []
    strengths = analysis.strengths()
    least = _least_strengths(strengths, count)
    for index, move in enumerate(moves):
        candidates = np.flatnonzero(strengths[index] >= least[index])
        exact = exact_strength(columns.by_column, candidates, designs, index, move, float(analysis.prior[index]))
        positions.append(candidates[np.argsort(-exact, kind="stable")[:count]])
    return positions


def _least_strengths(strengths: Singles, count: int) -> Singles:
    """Return the strength from which a column of each set may be among the best: all of unknown strength are."""
    n_sets, n_columns = strengths.shape
    least, unknown = np.zeros(n_sets, np.float32), np.count_nonzero(strengths == np.inf, axis=1)
    for number in np.unique(unknown).tolist():
        others = n_columns - count - number
        if others > 0:
            alike = np.flatnonzero(unknown == number)
            last = np.partition(strengths[alike], others, axis=1)[:, others].astype(np.float64)
            least[alike] = np.maximum(last * (1.0 - _ROUNDING), 0.0)
    return least


def _two_groups(
    values: Floats, positive: Flags, negative: Flags, chosen: Indices | None
) -> tuple[Floats, Floats, float]:
    """Return mean difference, pooled variance and residual degrees of freedom."""
    df = float(np.count_nonzero(positive) + np.count_nonzero(negative) - 2)
    columns = values.shape[1] if chosen is None else len(chosen)
    difference, squares = np.empty((2, columns))
    # In pieces, so that a large cohort is not copied whole; of equal width, since a lone column would be summed in another order.
    bounds = np.linspace(0, columns, 1 + max(1, -(-columns // _COLUMNS_PER_PIECE))).astype(np.intp)
    for piece in map(slice, bounds[:-1], bounds[1:]):
        part = values[:, piece if chosen is None else chosen[piece]]
        above, below = part[positive], part[negative]
        mean_above, mean_below = above.mean(axis=0), below.mean(axis=0)
        difference[piece] = mean_above - mean_below
        squares[piece] = ((above - mean_above) ** 2).sum(axis=0) + ((below - mean_below) ** 2).sum(axis=0)
        scale = np.count_nonzero(positive) * np.count_nonzero(negative) / (df + 2.0)
        deviation = np.sqrt((squares[piece] + scale * difference[piece] ** 2) / (df + 2.0))
        constant = deviation <= rounding_share(int(df) + 2) * np.abs(mean_above)
        difference[piece][constant] = squares[piece][constant] = 0.0
    return difference, squares / df, df
