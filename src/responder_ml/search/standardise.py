"""Columns standardised with the mean and standard deviation of the rows of one training set, or of each of many."""

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


@compiled
def standardise_sets(
    values: Floats,
    columns: Indices,
    first_column: Indices,
    train: Indices,
    first_train: Indices,
    test: Indices,
    first_test: Indices,
    rounding: Floats,
    fitted: Floats,
    held_out: Floats,
) -> None:
    """Standardise the columns of many training sets as `standardise` does those of one.

    Parameters
    ----------
    values
        Columns of all sets x samples.
    columns, train, test
        Which rows of ``values``, which training and which held-out samples, set after set.
    first_column, first_train, first_test
        Where each set begins in these, and the end.
    rounding
        As for `standardise`, of each set.
    fitted, held_out
        Receive the results, one after another: columns x training samples and columns x held-out samples of each set.
    """
    start, other = 0, 0
    for index in range(len(rounding)):
        of_set = columns[first_column[index] : first_column[index + 1]]
        inside = train[first_train[index] : first_train[index + 1]]
        outside = test[first_test[index] : first_test[index + 1]]
        end, other_end = start + len(of_set) * len(inside), other + len(of_set) * len(outside)
        standardise(
            values,
            of_set,
            inside,
            outside,
            rounding[index],
            fitted[start:end].reshape((len(of_set), len(inside))),
            held_out[other:other_end].reshape((len(of_set), len(outside))),
        )
        start, other = end, other_end
