"""What every regressor shares: the outcome is standardised by the training rows, and predicted in its own unit."""

from abc import abstractmethod
from math import isnan
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from responder_ml.arrays import Floats
from responder_ml.classifiers.learner import Learner, Target
from responder_ml.statistics.columns import rounding_share
from responder_ml.statistics.concordance import concordance


class Regressor(RegressorMixin, Learner):  # type: ignore[misc]
    """Predicts a graded outcome, by a loss of squared errors.

    A subclass declares what a `Learner` does, with ``_fit_standardised`` and ``_predict_standardised`` in place of ``_learn`` and
    ``_decide``: there the outcome has mean 0 and standard deviation 1 over the training rows, so that a penalty means the same
    whatever the outcome's unit.

    Attributes
    ----------
    mean_, scale_
        Mean and standard deviation (divisor n) of the training rows' outcome; a constant outcome is divided by one.
    """

    @classmethod
    def judge(cls, target: Target, decisions: Floats) -> tuple[float, float]:
        """Return the concordance (one half where no two outcomes differ), and the mean squared error."""
        share = concordance(target, decisions)
        return 0.5 if isnan(share) else share, float(np.mean((target - decisions) ** 2))

    @abstractmethod
    def _fit_standardised(self, X: Floats, outcome: Floats) -> None:
        """Fit to standardised columns ``X`` and a standardised outcome."""

    @abstractmethod
    def _predict_standardised(self, X: Floats) -> Floats:
        """Return the predicted outcome in training standard deviations from the training mean, shape ``(n_samples,)``."""

    def _learn(self, X: Floats, target: Target) -> None:
        self.mean_ = float(np.mean(target))
        deviation = target - self.mean_
        scale = float(np.sqrt(np.mean(deviation**2)))
        self.scale_ = scale if scale > rounding_share(len(deviation)) * abs(self.mean_) else 1.0
        self._fit_standardised(X, deviation / self.scale_)

    def _decide(self, X: Floats) -> Floats:
        return np.asarray(self.mean_ + self.scale_ * self._predict_standardised(X), dtype=np.float64)

    def fit(self, X: Floats, y: Floats) -> Self:
        """Check the arrays and learn."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._learn(X, np.asarray(y, dtype=np.float64))
        return self

    def predict(self, X: Floats) -> Floats:
        """Return the predicted outcome in its own unit, shape ``(n_samples,)``."""
        return self.decision_function(X)


class LinearRegressor(Regressor):
    """A regressor whose prediction is ``intercept_ + X @ coef_``.

    Attributes
    ----------
    weights_
        Weight of each column for the standardised outcome, shape ``(n_features,)``.
    """

    @property
    def coef_(self) -> Floats:
        """Units of the outcome per standard deviation of each column, shape ``(n_features,)``."""
        return np.asarray(self.scale_ * self.weights_, dtype=np.float64)

    @property
    def intercept_(self) -> float:
        """Predicted outcome at the columns' training means: their columns have mean 0."""
        return float(self.mean_)

    def _predict_standardised(self, X: Floats) -> Floats:
        return np.asarray(X @ self.weights_, dtype=np.float64)

    def __sklearn_tags__(self) -> Any:
        """Declare what a linear model on standardised columns is."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags
