"""Linear regression of a graded outcome with an elastic-net penalty."""

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.classifiers.learner import Space
from responder_ml.parameters import Positive, ShareAboveZero
from responder_ml.regressors.regressor import LinearRegressor

_TOLERANCE, _MOST_STEPS = 1e-6, 100_000


class ElasticNetRegressor(LinearRegressor):
    """Linear regression, penalised by a mixture of squared and absolute coefficients, by scikit-learn's coordinate descent.

    Minimises ``||y - X w||^2 / (2 n) + alpha (1 - l1_ratio) / 2 ||w||^2 + alpha l1_ratio ||w||_1``.

    Parameters
    ----------
    alpha
        Strength of the penalty, above 0. Columns whose correlation with the outcome is below ``alpha l1_ratio`` on their own get
        no coefficient.
    l1_ratio
        Share of the penalty that is absolute, above 0; 1 for the lasso, and see `RidgeRegressor` for 0.

    References
    ----------
    Zou H, Hastie T (2005) doi:10.1111/j.1467-9868.2005.00503.x
    """

    name = "elastic_net"
    summary = "linear regression of a graded outcome with a ridge-to-lasso penalty"
    reference = "doi:10.1111/j.1467-9868.2005.00503.x"

    def __init__(self, alpha: Positive = 0.2, l1_ratio: ShareAboveZero = 0.5) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio

    @classmethod
    def search_space(cls, rows: int | None = None) -> Space:
        """Return log-uniform ``alpha`` and two mixtures; tens of animals cannot tell finer ones apart."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        return {"alpha": FloatDistribution(0.01, 1.0, log=True), "l1_ratio": CategoricalDistribution((0.1, 0.5))}

    def _fit_standardised(self, X: Floats, outcome: Floats) -> None:
        from sklearn.linear_model import ElasticNet

        solver = ElasticNet(
            alpha=self.alpha, l1_ratio=self.l1_ratio, fit_intercept=False, tol=_TOLERANCE, max_iter=_MOST_STEPS
        )
        # The arrays are checked; only their order in memory may differ from what the solver wants.
        solver.fit(np.asfortranarray(X), outcome, check_input=False)
        self.weights_ = np.asarray(solver.coef_, dtype=np.float64)
