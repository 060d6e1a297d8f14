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

from responder_ml.arrays import Flags, Floats, Indices, Singles
from responder_ml.statistics.median import median
from responder_ml.statistics.rounding import rounding_share
from responder_ml.statistics.squeeze import fit_f_dist, squeeze
from responder_ml.statistics.training_sets import TrainingSets
from responder_ml.statistics.two_group_scan import TINY, in_pieces, scan

# Training sets handled in one go: the (sets x genes) blocks then stay in the low tens of megabytes.
_SETS_PER_BLOCK = 48
# Columns prepared in one go.
_COLUMNS_PER_PIECE = 1024
# Some dozens of samples say well enough where a column lies.
_SAMPLES_TO_CENTRE = 32
# Single precision may be wrong by this share of a strength; whatever comes so close to the last column wanted is ordered in double
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
        Columns to take, in this order; all by default.
    squeezed
        Whether variances are squeezed towards what they have in common; the ordinary t of equal variances otherwise.
    """
    difference, variance, df = _two_groups(values, positive, negative, chosen)
    posterior = squeeze(variance, df, *fit_f_dist(variance, df)) if squeezed else variance + TINY
    scale = 1.0 / np.count_nonzero(positive) + 1.0 / np.count_nonzero(negative)
    # A column that never varies has neither difference nor variance: its t is zero, not undefined.
    return np.divide(difference, np.sqrt(posterior * scale), out=np.zeros_like(difference), where=posterior > 0)


@dataclass(frozen=True)
class Columns:
    """Columns to rank, prepared once per cohort.

    Attributes
    ----------
    by_column
        The values in double precision, columns x samples, so that a column lies in one piece.
    pieces
        The values less the column medians of some samples, in single precision and as `two_group_scan.in_pieces` lays them
        out: for choosing, never for results. The median, unlike the mean, keeps an extreme sample from spoiling every other
        sample's digits.
    """

    by_column: Floats
    pieces: Singles

    @classmethod
    def prepare(cls, values: Floats, chosen: Indices | None = None) -> "Columns":
        """Rearrange, centre and round some columns of ``values`` (samples x columns), all by default."""
        chosen = np.arange(values.shape[1]) if chosen is None else chosen
        by_column = np.empty((len(chosen), len(values)))
        pieces = in_pieces(len(values), len(chosen))
        some = slice(None, None, max(1, len(values) // _SAMPLES_TO_CENTRE))
        # In pieces, so that a large cohort is not held once more than needed.
        for number, piece in enumerate(pieces):
            few = slice(number * piece.shape[1], (number + 1) * piece.shape[1])
            by_column[few] = values.T[chosen[few]]
            middle = median(by_column[few, some])[:, None]
            centred = by_column[few] - middle
            # What is rounding in double precision would look like a difference in single precision.
            centred[np.abs(centred) <= rounding_share(len(values)) * np.abs(middle)] = 0.0
            piece[:, : len(centred)] = centred.T
        return cls(by_column, pieces)

    @property
    def values(self) -> Floats:
        """The values, samples x columns."""
        return self.by_column.T

    def take(self, positions: Indices) -> Floats:
        """Return some columns, samples x positions; each lies in one piece."""
        return self.by_column.take(positions, axis=0).T


def best_columns(
    columns: Columns,
    sets: TrainingSets,
    count: int,
    kept: Flags | None = None,
    shifts: Floats | None = None,
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
    kept
        Columns each set may use, shape ``(n_sets, n_columns)``; all by default.
    shifts
        Number added to every column of a sample under each set (its normalisation), shape ``(n_sets, n_samples)``.
    squeezed
        As for `moderated_t`.

    Returns
    -------
    list of arrays
        Positions, at most ``count`` each. Ties go to the lower position.
    """
    chosen: list[Indices] = []
    together = max(1, _SETS_PER_BLOCK // sets.alike) * sets.alike
    for start in range(0, len(sets), together):
        part = slice(start, start + together)
        usable, moves = None if kept is None else kept[part], None if shifts is None else shifts[part]
        chosen += _best_of_block(columns, sets[part], count, usable, moves, squeezed=squeezed)
    return chosen


def _best_of_block(
    columns: Columns,
    sets: TrainingSets,
    count: int,
    kept: Flags | None,
    shifts: Floats | None,
    *,
    squeezed: bool,
) -> list[Indices]:
    # Compiled code is slow to load, and whoever only looks at a job does without.
    from responder_ml.statistics.pooled_sums import exact_sums

    found = scan(columns.pieces, len(columns.by_column), sets, kept, shifts, squeezed=squeezed)
    positive, rows = sets.positive.astype(np.float64), sets.rows.astype(np.float64)
    moves = np.zeros_like(rows) if shifts is None else shifts
    rounding = [rounding_share(int(count)) for count in rows.sum(axis=1)]
    positions = []
    for index in range(len(sets)):
        near = _near(found.strength(index), count)
        between, within = np.empty((2, len(near)))
        exact_sums(
            columns.by_column, near, moves[index], positive[index], rows[index], rounding[index], between, within
        )
        exact = between / (found.prior[index] + within)
        positions.append(near[np.argsort(-exact, kind="stable")[:count]])
    return positions


def _near(strength: Singles, count: int) -> Indices:
    """Return the columns that may be among the best, in order: all of unknown strength, and the strongest of the others."""
    wanted, least = count + np.count_nonzero(strength == np.inf), 0.0
    if wanted < len(strength):
        spare = len(strength) - wanted
        least = max(float(np.partition(strength, spare)[spare]) * (1.0 - _ROUNDING), 0.0)
    return np.flatnonzero(strength >= np.float32(least))


def _two_groups(
    values: Floats, positive: Flags, negative: Flags, chosen: Indices | None
) -> tuple[Floats, Floats, float]:
    """Return mean difference, pooled variance and residual degrees of freedom."""
    df = float(np.count_nonzero(positive) + np.count_nonzero(negative) - 2)
    columns = values.shape[1] if chosen is None else len(chosen)
    difference, squares = np.empty((2, columns))
    # In pieces, so that a large cohort is not copied whole; of equal width, for a lone column would be summed in another order.
    bounds = np.linspace(0, columns, 1 + max(1, -(-columns // _COLUMNS_PER_PIECE))).astype(np.intp)
    for piece in map(slice, bounds[:-1], bounds[1:]):
        few = values[:, piece if chosen is None else chosen[piece]]
        above, below = few[positive], few[negative]
        mean_above, mean_below = above.mean(axis=0), below.mean(axis=0)
        difference[piece] = mean_above - mean_below
        squares[piece] = ((above - mean_above) ** 2).sum(axis=0) + ((below - mean_below) ** 2).sum(axis=0)
        scale = np.count_nonzero(positive) * np.count_nonzero(negative) / (df + 2.0)
        deviation = np.sqrt((squares[piece] + scale * difference[piece] ** 2) / (df + 2.0))
        constant = deviation <= rounding_share(int(df) + 2) * np.abs(mean_above)
        difference[piece][constant] = squares[piece][constant] = 0.0
    return difference, squares / df, df
