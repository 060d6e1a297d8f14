"""The weights of the nearest-centroid rule, compiled: a null asks for tens of thousands of them, on some dozens of rows each."""

import numpy as np

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.statistics.compiled import compiled


@compiled
def centroid_rule(columns: Floats, labels: Labels, weights: Floats) -> float:
    """Write the weight of each column, and return the intercept; formulas as in `NearestCentroid`.

    The effective number of independent columns is the participation ratio of the eigenvalues of their covariance within classes,
    ``(sum l)^2 / sum l^2``: the number of columns if they are uncorrelated, one if they all move together. Products of rows have
    the same eigenvalues as products of columns; the smaller table is computed.

    Parameters
    ----------
    columns
        Standardised training columns, columns x samples, contiguous.
    labels
        0 or 1 of each sample; both occur.
    weights
        Receives the weights, one per column.
    """
    n_columns, n_samples = columns.shape
    n_positive = 0
    for label in labels:
        n_positive += label
    residuals = np.empty_like(columns)
    # Half a unit of the overall variance keeps a column that happens not to vary within classes from dominating.
    share = 0.5 / max(n_samples - 2, 1)
    intercept, trace = 0.0, 0.0
    for index in range(n_columns):
        column, residual = columns[index], residuals[index]
        positive, negative = 0.0, 0.0
        for row in range(n_samples):
            positive += labels[row] * column[row]
            negative += (1 - labels[row]) * column[row]
        positive /= n_positive
        negative /= n_samples - n_positive
        squares = 0.0
        for row in range(n_samples):
            residual[row] = column[row] - (positive if labels[row] else negative)
            squares += residual[row] * residual[row]
        variance = share * squares + 0.5
        trace += squares / variance
        scale = 1.0 / np.sqrt(variance)
        for row in range(n_samples):
            residual[row] *= scale
        weights[index] = (positive - negative) / variance
        intercept -= 0.5 * (positive + negative) * weights[index]
    products = residuals.T @ residuals if n_samples <= n_columns else residuals @ residuals.T
    squared = 0.0
    for product in products.ravel():
        squared += product * product
    shared = (trace * trace / squared if squared > 0.0 else 1.0) / n_columns
    for index in range(n_columns):
        weights[index] *= shared
    return float(intercept * shared)


@compiled
def decide_problems(
    n_columns: Indices,
    n_train: Indices,
    n_test: Indices,
    train: Floats,
    test: Floats,
    labels: Labels,
    decisions: Floats,
) -> None:
    """Write the log-odds of the held-out rows of many problems, laid out as in `Problems`.

    Parameters
    ----------
    n_columns, n_train, n_test
        Columns, training rows and held-out rows of each problem.
    train, test
        Standardised columns, columns x rows of each problem.
    labels
        0 or 1 of each training row.
    decisions
        Receives one number for each held-out row.
    """
    start, other, first, row = 0, 0, 0, 0
    for index in range(len(n_columns)):
        columns, fitted, held_out = n_columns[index], n_train[index], n_test[index]
        weights = np.empty(columns)
        of_problem = train[start : start + columns * fitted].reshape((columns, fitted))
        intercept = centroid_rule(of_problem, labels[first : first + fitted], weights)
        of_rows = test[other : other + columns * held_out].reshape((columns, held_out))
        decisions[row : row + held_out] = intercept
        for column in range(columns):
            for number in range(held_out):
                decisions[row + number] += weights[column] * of_rows[column, number]
        start, other = start + columns * fitted, other + columns * held_out
        first, row = first + fitted, row + held_out
