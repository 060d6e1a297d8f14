"""Ridge regression of a graded outcome."""

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.classifiers.learner import Space
from responder_ml.parameters import Positive
from responder_ml.regressors.regressor import LinearRegressor


class RidgeRegressor(LinearRegressor):
    """Linear regression, penalised by squared coefficients.

    Minimises ``||y - X w||^2 / (2 n) + alpha / 2 ||w||^2``, the penalty of `ElasticNetRegressor` without its absolute part, and
    scikit-learn's ``Ridge`` with ``n alpha``. The default shrinks strongly: columns that were selected by the outcome fit their
    training rows too well as it is.

    Parameters
    ----------
    alpha
        Strength of the penalty, above 0; a column of mean square 1 is shrunk by ``1 / (1 + alpha)`` on its own.

    References
    ----------
    Hoerl AE, Kennard RW (1970) doi:10.1080/00401706.1970.10488634
    """

    name = "ridge"
    summary = "linear regression of a graded outcome with a ridge penalty"
    reference = "doi:10.1080/00401706.1970.10488634"
    fixed_form = True

    def __init__(self, alpha: Positive = 2.0) -> None:
        self.alpha = alpha

    @classmethod
    def search_space(cls, rows: int | None = None) -> Space:
        """Return log-uniform ``alpha``."""
        from optuna.distributions import FloatDistribution

        return {"alpha": FloatDistribution(0.01, 100.0, log=True)}

    def _fit_standardised(self, X: Floats, outcome: Floats) -> None:
        rows, columns = X.shape
        penalty = rows * self.alpha
        # The smaller of both systems: of samples by their inner products, or of columns.
        if rows <= columns:
            self.weights_ = X.T @ np.linalg.solve(X @ X.T + penalty * np.eye(rows), outcome)
        else:
            self.weights_ = np.linalg.solve(X.T @ X + penalty * np.eye(columns), X.T @ outcome)
