"""Rank all columns by the slope of an outcome in many linear models at once, in single precision.

The outcome is any number, a class of 0 and 1 or a graded behaviour, and every model has an intercept and may have covariates:
limma's design. What intercept and covariates leave of the outcome is one direction per model (`many_contrasts.Designs`), so the
squared moderated t of a column is ``between / (prior + within)`` times what all columns share, with ``between`` the squared
product of column and direction and ``within`` the residual sum of squares. All models together are a few matrix products.

Without covariates and with two classes it gives what `two_group_scan` gives, which is faster and stays in use there. The result
is precise enough to choose columns, never to report.

References
----------
Smyth GK (2004) doi:10.2202/1544-6115.1027
Frisch R, Waugh FV (1933) doi:10.2307/1907330
"""

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Singles
from responder_ml.statistics.columns import rounding_share
from responder_ml.statistics.many_contrasts import Designs
from responder_ml.statistics.two_group_scan import TINY, Scan, bar_columns, prior_sums

# Below the rounding of any measured sum of squares, and still a finite logarithm.
_LEAST = np.float32(1e-30)
# Least share of the residual sum of squares in a column's total at which its digits can be trusted.
_CLEAR_SHARE = np.float32(1e-3)


def scan_linear(
    pieces: Singles,
    n_columns: int,
    designs: Designs,
    usable: Flags | None = None,
    shifts: Floats | None = None,
    *,
    squeezed: bool = True,
) -> Scan:
    """Compare every column with the outcome of every model.

    Parameters
    ----------
    pieces, n_columns
        As for `two_group_scan.scan`.
    designs
        The models. Where covariates determine the outcome, ``between`` is 0 for all columns.
    usable, shifts, squeezed
        As for `two_group_scan.scan`, a model in place of a set.
    """
    rows, n_models, width = designs.rows.astype(np.float64), len(designs.rows), pieces.shape[2]
    move = np.zeros_like(rows)
    if shifts is not None:
        move = rows * (shifts - np.sum(rows * shifts, axis=1, keepdims=True) / rows.sum(axis=1, keepdims=True))
    # The direction of each model, its intercept and covariates, and the rows themselves.
    vectors = np.concatenate([designs.direction[None], designs.nuisance])
    added = np.sum(vectors * move, axis=2)[:, :, None].astype(np.float32)
    flat = vectors.reshape(-1, rows.shape[1]).astype(np.float32)
    singles, twice, squared = rows.astype(np.float32), (2.0 * move).astype(np.float32), np.sum(move**2, axis=1)
    between, within = np.empty((2, n_models, n_columns), np.float32)
    for number, piece in enumerate(pieces):
        start, stop = number * width, min((number + 1) * width, n_columns)
        here = piece[:, : stop - start]
        total = singles @ here**2
        if shifts is not None:
            total += twice @ here + squared[:, None].astype(np.float32)
        products = (flat @ here).reshape(len(vectors), n_models, -1) + added
        products *= products
        residual_squares = total - products.sum(axis=0)
        between[:, start:stop] = np.where(residual_squares < _CLEAR_SHARE * total, np.float32(np.inf), products[0])
        within[:, start:stop] = np.maximum(residual_squares, _LEAST)
    bar_columns(between, within, usable)
    prior = prior_sums(within, usable, np.maximum(designs.df, 1.0)) if squeezed else np.zeros(n_models)
    return Scan(between, within, prior + TINY)


def exact_strength(
    by_column: Floats, columns: Indices, designs: Designs, index: int, shift: Floats, prior: float
) -> Floats:
    """Return ``between / (prior + within)`` of some columns in one model, in double precision.

    Parameters
    ----------
    by_column
        Columns x samples.
    columns
        Positions of the columns to use.
    designs, index
        The models, and which of them.
    shift
        Number added to every column of a sample, shape ``(n_samples,)``.
    prior
        Prior sum of squares.
    """
    # Compiled code is slow to load, and commands that only read a job do not need it.
    from responder_ml.statistics.linear_sums import exact_linear_sums

    rows = np.flatnonzero(designs.rows[index])
    between, within = np.empty((2, len(columns)))
    exact_linear_sums(
        *(by_column, columns, rows, shift[rows], designs.direction[index, rows]),
        np.ascontiguousarray(designs.nuisance[1:, index][:, rows]),
        rounding_share(len(rows)),
        between,
        within,
    )
    return np.asarray(between / (prior + within), dtype=np.float64)
