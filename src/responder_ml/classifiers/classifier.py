"""What every classifier shares: public methods check the arrays, `_learn` and `_decide` hold the mathematics."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from responder_ml.arrays import Floats
from responder_ml.classifiers.learner import Learner, Target
from responder_ml.statistics.concordance import auroc


class Classifier(ClassifierMixin, Learner):  # type: ignore[misc]
    """A two-class classifier whose decision is in log-odds.

    A subclass declares what a `Learner` does. Users call ``fit``, ``decision_function`` and ``predict_proba``.

    Attributes
    ----------
    classes_
        The two labels, sorted; the second is the positive class.
    """

    @classmethod
    def judge(cls, target: Target, decisions: Floats) -> tuple[float, float]:
        """Return AUROC and mean log-loss of log-odds, for labels 0 or 1."""
        signed = np.where(target == 1, 1.0, -1.0) * decisions
        return auroc(target, decisions), float(np.mean(np.logaddexp(0.0, -signed)))

    def learn(self, X: Floats, target: Target) -> None:
        """Fit to standardised columns and labels 0 or 1, neither of which is checked."""
        self.classes_ = np.array([0, 1])
        super().learn(X, target)

    def fit(self, X: Floats, y: NDArray[Any]) -> Self:
        """Check the arrays, encode the classes and learn.

        Raises
        ------
        ValueError
            If there are not exactly two classes.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            count = f"{len(self.classes_)} class" + ("es" if len(self.classes_) != 1 else "")
            raise ValueError(f"Only binary classification is supported. Expected 2 classes, but found {count}.")
        self._learn(X, codes.astype(np.int8))
        return self

    def predict_proba(self, X: Floats) -> Floats:
        """Return the probabilities of both classes, shape ``(n_samples, 2)``."""
        positive = expit(self.decision_function(X))
        return np.column_stack([1.0 - positive, positive])

    def predict(self, X: Floats) -> NDArray[Any]:
        """Return the likelier class of each sample."""
        positive = self.decision_function(X) > 0
        labels: NDArray[Any] = self.classes_[positive.astype(int)]
        return labels

    def __sklearn_tags__(self) -> Any:
        """Declare that only two classes are supported."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class LinearClassifier(Classifier):
    """A classifier whose decision is ``intercept_ + X @ coef_``.

    Attributes
    ----------
    coef_
        Weight of each column, log-odds per standard deviation, shape ``(n_features,)``.
    intercept_
        Log-odds at the columns' training means.
    """

    def _decide(self, X: Floats) -> Floats:
        return np.asarray(X @ self.coef_ + self.intercept_, dtype=np.float64)
