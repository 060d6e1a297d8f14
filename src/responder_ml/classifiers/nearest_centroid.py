"""Nearest centroid: diagonal discriminant analysis on standardised columns."""

import numpy as np
from numpy.typing import NDArray

from responder_ml.classifiers.classifier import Floats, LinearClassifier, Space


def effective_count(residuals: Floats) -> float:
    """Return how many independent columns the rows of ``residuals`` amount to.

    The participation ratio of the eigenvalues, ``(sum l)^2 / sum l^2``: the number of columns if they are uncorrelated,
    one if they all move together.

    Parameters
    ----------
    residuals
        Samples x features, less their class means.
    """
    # Rows and columns have the same eigenvalues; the smaller table costs less.
    gram = residuals @ residuals.T if len(residuals) <= residuals.shape[1] else residuals.T @ residuals
    squares = float(np.sum(gram * gram))
    return float(np.trace(gram)) ** 2 / squares if squares > 0 else 1.0


class NearestCentroid(LinearClassifier):
    """Assign a sample to the nearer class mean.

    The log-odds of diagonal discriminant analysis, ``sum_k ((x_k - m0_k)^2 - (x_k - m1_k)^2) / (2 v_k)`` with ``v`` the
    pooled within-class variance, count correlated genes many times over. They are therefore averaged over the columns and
    multiplied by the effective number of independent columns (see `effective_count`).

    References
    ----------
    Dudoit S, Fridlyand J, Speed TP (2002) doi:10.1198/016214502753479248
    """

    name = "nearest_centroid"
    summary = "distance to the two class means (diagonal discriminant analysis); nothing to tune but the genes"
    reference = "doi:10.1198/016214502753479248"
    fixed_form = True

    @classmethod
    def search_space(cls) -> Space:
        """Return nothing: only the number of columns is tuned."""
        return {}

    def _learn(self, X: Floats, labels: NDArray[np.int8]) -> None:
        means = np.stack([X[labels == label].mean(axis=0) for label in (0, 1)])
        residuals = X - means[labels]
        df = max(len(X) - 2, 1)
        # Half a unit of the overall variance keeps a column that happens not to vary within classes from ruling alone.
        variance = 0.5 * (residuals**2).sum(axis=0) / df + 0.5
        weight = effective_count(residuals / np.sqrt(variance)) / X.shape[1]
        self.coef_ = weight * (means[1] - means[0]) / variance
        self.intercept_ = float(-0.5 * (means[0] + means[1]) @ self.coef_)
