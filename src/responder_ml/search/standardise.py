"""Columns cut to the rows of one training set and put on their scale."""

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.statistics.compiled import compiled


@compiled
def standardise(
    values: Floats, columns: Indices, train: Indices, test: Indices, rounding: float, fitted: Floats, held_out: Floats
) -> None:
    """Write some columns less the mean of their training rows, over the standard deviation (divisor n) of these.

    Parameters
    ----------
    values
        Columns x samples.
    columns
        Which columns, in this order.
    train, test
        Training and held-out samples.
    rounding
        Share of its mean up to which the deviations of a column are rounding.
    fitted, held_out
        Where the results go, columns x training samples and columns x held-out samples.
    """
    for place in range(len(columns)):
        column, inside, outside = values[columns[place]], fitted[place], held_out[place]
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
        # Dividing by what is rounding only would blow held-out rows up.
        if scale <= rounding * abs(mean):
            scale = 1.0
        share = 1.0 / scale
        for row in range(len(train)):
            inside[row] *= share
        for row in range(len(test)):
            outside[row] = (column[test[row]] - mean) * share
