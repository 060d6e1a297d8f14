"""Sums of squares of a few columns in a linear model, exactly, and column by column so that equal columns have equal sums."""

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.statistics.compiled import compiled

_LEAST_SHARE = 1e-12
"""Share of a column's variation that is a rounding error where the covariates determine it."""


@compiled
def exact_linear_sums(
    by_column: Floats,
    columns: Indices,
    rows: Indices,
    shift: Floats,
    direction: Floats,
    basis: Floats,
    rounding: float,
    between: Floats,
    within: Floats,
) -> None:
    """Write what the outcome explains of some columns beyond intercept and covariates, and what is left.

    Parameters
    ----------
    by_column
        Columns x samples.
    columns
        Positions of the columns to use.
    rows
        Samples of the model.
    shift
        Number added to every column of a sample, shape ``(n_rows,)``.
    direction
        Unit vector of what covariates leave of the outcome, shape ``(n_rows,)``.
    basis
        Orthonormal basis of the centred covariates, dimensions x rows.
    rounding
        Share of its mean up to which the deviations of a column are rounding errors.
    between, within
        Arrays for the results, shape ``(n_columns,)``.
    """
    count = len(rows)
    values, origin = np.empty(count), np.empty(count)
    for index in range(len(columns)):
        column = by_column[columns[index]]
        mean = 0.0
        for row in range(count):
            origin[row] = column[rows[row]] + shift[row]
            mean += origin[row]
        mean /= count
        total = 0.0
        for row in range(count):
            values[row] = origin[row] - mean
            total += values[row] * values[row]
        for dimension in range(len(basis)):
            explained = 0.0
            for row in range(count):
                explained += basis[dimension, row] * values[row]
            for row in range(count):
                values[row] -= explained * basis[dimension, row]
        effect, squares = 0.0, 0.0
        for row in range(count):
            effect += direction[row] * values[row]
            squares += values[row] * values[row]
        # A constant, or what covariates determine, has no effect but a rounding error.
        if total <= count * (rounding * mean) ** 2 or squares <= _LEAST_SHARE * total:
            effect, squares = 0.0, 0.0
        between[index] = effect * effect
        within[index] = max(squares - effect * effect, 0.0)
