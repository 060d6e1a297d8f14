"""Nearest centroid: diagonal discriminant analysis on standardised columns."""

import numpy as np

from responder_ml.arrays import Floats, Labels
from responder_ml.classifiers.classifier import LinearClassifier, Space

# Means of standardised columns are never so far from zero; beyond it, products of the values would lose their digits.
_FAR = 30.0


def effective_count(products: Floats) -> float:
    """Return the effective number of independent columns, from a table of inner products.

    The participation ratio of its eigenvalues, ``(sum l)^2 / sum l^2``: the number of columns if they are uncorrelated, one
    if they all move together. Rows and columns have the same eigenvalues; the smaller table costs less.

    Parameters
    ----------
    products
        Inner products of columns with columns, or of rows with rows, less the class means; square.
    """
    squares = float(np.vdot(products, products))
    return float(np.trace(products)) ** 2 / squares if squares > 0 else 1.0


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
    def search_space(cls, rows: int | None = None) -> Space:
        """Return nothing: only the number of columns is tuned."""
        return {}

    def _learn(self, X: Floats, labels: Labels) -> None:
        classes = np.stack([labels == 0, labels == 1]).astype(np.float64)
        count = classes.sum(axis=1, keepdims=True)
        means = classes @ X / count
        if len(X) <= X.shape[1] or np.abs(means).max() > _FAR:
            residuals = X - means[labels]
            variance = _variance(np.einsum("ij,ij->j", residuals, residuals), len(X))
            residuals /= np.sqrt(variance)
            products = residuals @ residuals.T if len(X) <= X.shape[1] else residuals.T @ residuals
        else:
            roots = np.sqrt(count) * means
            products = X.T @ X
            products -= roots.T @ roots
            variance = _variance(np.diagonal(products), len(X))
            scale = 1.0 / np.sqrt(variance)
            products *= scale
            products *= scale[:, None]
        weight = effective_count(products) / X.shape[1]
        self.coef_ = weight * (means[1] - means[0]) / variance
        self.intercept_ = float(-0.5 * (means[0] + means[1]) @ self.coef_)


def _variance(squares: Floats, n_samples: int) -> Floats:
    """Return the variances that distances are measured in, from the sums of squares within classes.

    Half a unit of the overall variance keeps a column that happens not to vary within classes from dominating.
    """
    return np.asarray(0.5 * squares / max(n_samples - 2, 1) + 0.5)
