"""Gradient-boosted trees for a graded outcome, through xgboost's native interface."""

from typing import Any

from responder_ml.arrays import Floats
from responder_ml.classifiers.learner import Space
from responder_ml.classifiers.xgboost import BoostedTrees
from responder_ml.parameters import Count, NotNegative, Seed, ShareAboveZero
from responder_ml.regressors.regressor import Regressor


class XGBoostRegressor(BoostedTrees, Regressor):
    """Boosted shallow trees that minimise squared errors of the standardised outcome, on one thread.

    Parameters
    ----------
    rounds, max_depth, learning_rate, colsample_bytree, reg_lambda, device, seed
        As for `classifiers.xgboost.XGBoost`.
    min_child_weight
        Fewest training rows in a leaf.

    References
    ----------
    Chen T, Guestrin C (2016) doi:10.1145/2939672.2939785
    """

    name = "xgboost"
    summary = "boosted shallow trees for a graded outcome; sees interactions, wants more than two dozen animals"
    reference = "doi:10.1145/2939672.2939785"
    linear = False

    def __init__(
        self,
        rounds: Count = 50,
        max_depth: Count = 2,
        learning_rate: ShareAboveZero = 0.1,
        min_child_weight: NotNegative = 2.0,
        colsample_bytree: ShareAboveZero = 0.3,
        reg_lambda: NotNegative = 1.0,
        device: str = "cpu",
        seed: Seed = 0,
    ) -> None:
        super().__init__(rounds, max_depth, learning_rate, min_child_weight, colsample_bytree, reg_lambda, device, seed)

    @classmethod
    def search_space(cls, rows: int | None = None) -> Space:
        """Return depth, shrinkage and leaf size over ranges that fit tens of subjects."""
        from optuna.distributions import FloatDistribution, IntDistribution

        return {
            "max_depth": IntDistribution(1, 3),
            "learning_rate": FloatDistribution(0.03, 0.3, log=True),
            "min_child_weight": FloatDistribution(1.0, 8.0, log=True),
        }

    def _fit_standardised(self, X: Floats, outcome: Floats) -> None:
        self._grow(X, outcome)

    def _predict_standardised(self, X: Floats) -> Floats:
        return self._margins(X)

    def _objective(self) -> dict[str, Any]:
        # The outcome has mean 0: trees start from there, and xgboost need not estimate it.
        return {"objective": "reg:squarederror", "base_score": 0.0}
