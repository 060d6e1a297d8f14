"""Columns standardised with the mean and standard deviation of the rows of one training set."""

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.statistics.compiled import compiled


@compiled
def standardise(
    values: Floats, columns: Indices, train: Indices, test: Indices, rounding: float, fitted: Floats, held_out: Floats
) -> None:
    """Subtract from some columns their mean over training rows, and divide by their standard deviation (divisor n) there.

    Parameters
    ----------
    values
        Columns x samples.
    columns
        Which columns, in this order.
    train, test
        Training and held-out samples.
    rounding
        Share of its mean up to which a column's standard deviation is rounding error.
    fitted, held_out
        Arrays that receive the results, columns x training samples and columns x held-out samples.
    """
    for index in range(len(columns)):
        column, inside, outside = values[columns[index]], fitted[index], held_out[index]
        total = 0.0
        for row in range(len(train)):
            inside[row] = column[train[row]]
        for row in range(len(train)):
            total += inside[row]
        mean = total / len(train)
        squares = 0.0
        for row in range(len(train)):
            inside[row] -= mean
            squares += inside[row] * inside[row]
        scale = np.sqrt(squares / len(train))
        # Dividing by a rounding error would inflate the held-out rows.
        if scale <= rounding * abs(mean):
            scale = 1.0
        share = 1.0 / scale
        for row in range(len(train)):
            inside[row] *= share
        for row in range(len(test)):
            outside[row] = (column[test[row]] - mean) * share
