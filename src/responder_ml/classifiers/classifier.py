"""What every classifier shares: public methods check the arrays, `_learn` and `_decide` hold the mathematics."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from responder_ml.arrays import Floats, Labels

Space = Mapping[str, Any]
Problem = tuple[Floats, Labels, Floats]


class Classifier(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """A two-class classifier whose decision is in log-odds.

    A subclass declares ``name``, ``summary`` and ``reference``, its search space, and two methods on arrays that are not
    checked again: ``_learn`` and ``_decide``. The search calls these directly, on columns standardised with training
    statistics; users call ``fit``, ``decision_function`` and ``predict_proba``.

    Attributes
    ----------
    classes_
        The two labels, sorted; the second is the positive class.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    reference: ClassVar[str]
    fixed_form: ClassVar[bool] = False
    """Whether the classifier is sensible without tuning, as fewer than 6 subjects in a class demand."""
    linear: ClassVar[bool] = True
    """Whether the decision is ``intercept_ + X @ coef_``."""

    @classmethod
    @abstractmethod
    def search_space(cls, rows: int | None = None) -> Space:
        """Return Optuna distributions of the parameters worth tuning, keyed by constructor argument.

        Parameters
        ----------
        rows
            Training rows of the outer training set; fewer can tell fewer settings apart. None for no limit.
        """

    def notes(self) -> tuple[str, ...]:
        """Return what a reader must know about these parameters on this machine, such as a missing GPU.

        Raises
        ------
        ConfigError
            A parameter that cannot be used.
        """
        return ()

    @abstractmethod
    def _learn(self, X: Floats, labels: Labels) -> None:
        """Fit to standardised columns ``X`` (samples x features) and labels 0 or 1."""

    @abstractmethod
    def _decide(self, X: Floats) -> Floats:
        """Return log-odds of the positive class, shape ``(n_samples,)``."""

    def learn(self, X: Floats, labels: Labels) -> None:
        """Fit to standardised columns and labels 0 or 1, neither of which is checked."""
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = X.shape[1]
        self._learn(X, labels)

    @classmethod
    def decide_together(cls, tasks: Iterable["Task"]) -> list[Floats]:
        """Return the held-out log-odds of several problems, each under the parameters of its own classifier.

        A classifier whose problems are cheaper to solve at once does so here.

        Parameters
        ----------
        tasks
            Classifiers of this class and their problems, which are not checked.
        """
        decisions = []
        for classifier, (train, labels, held_out) in tasks:
            classifier._learn(train, labels)
            decisions.append(classifier._decide(held_out))
        return decisions

    def decide_each(self, problems: Sequence[Problem]) -> list[Floats]:
        """Return the held-out log-odds of several problems under these parameters.

        Parameters
        ----------
        problems
            Training columns, training labels and held-out columns, which are not checked.
        """
        return self.decide_together([(self, problem) for problem in problems])

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

    def decision_function(self, X: Floats) -> Floats:
        """Return log-odds of the second class, shape ``(n_samples,)``."""
        check_is_fitted(self)
        return self._decide(validate_data(self, X, dtype=np.float64, reset=False))

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


Task = tuple[Classifier, Problem]
