"""The weights of the nearest-centroid rule, compiled: a null asks for tens of thousands of them, on some dozens of rows each."""

import numpy as np

from responder_ml.arrays import Floats, Labels
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
