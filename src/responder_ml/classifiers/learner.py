"""What classifiers and regressors share: a search space, and a decision learnt from standardised columns."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from responder_ml.arrays import Floats
from responder_ml.classifiers.problems import Problems

Space = Mapping[str, Any]
Target = Any
"""What is learnt: labels 0 or 1, or an outcome in its own unit, shape ``(n_samples,)``."""
Problem = tuple[Floats, Target, Floats]


class Learner(BaseEstimator, ABC):  # type: ignore[misc]
    """Learns a decision from standardised columns: log-odds of a class, or a graded outcome.

    A subclass declares ``name``, ``summary`` and ``reference``, its search space, and two methods on arrays that are not
    checked again: ``_learn`` and ``_decide``. The search calls these directly, on columns standardised with training
    statistics.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    reference: ClassVar[str]
    fixed_form: ClassVar[bool] = False
    """Whether it is sensible without tuning, as fewer than 6 subjects in a class, or half of the subjects, demand."""
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

    @classmethod
    @abstractmethod
    def judge(cls, target: Target, decisions: Floats) -> tuple[float, float]:
        """Return how well decisions on some subjects agree with what was to be predicted: a concordance, and a loss.

        Parameters
        ----------
        target
            Label or outcome of each subject.
        decisions
            Decision on each subject, by a model that did not see it.
        """

    @abstractmethod
    def _learn(self, X: Floats, target: Target) -> None:
        """Fit to standardised columns ``X`` (samples x features) and labels 0 or 1, or an outcome."""

    @abstractmethod
    def _decide(self, X: Floats) -> Floats:
        """Return log-odds of the positive class, or the predicted outcome, shape ``(n_samples,)``."""

    def learn(self, X: Floats, target: Target) -> None:
        """Fit to standardised columns and what is to be learnt, neither of which is checked."""
        self.n_features_in_ = X.shape[1]
        self._learn(X, target)

    @classmethod
    def decide_together(cls, tasks: Iterable["Task"]) -> list[Floats]:
        """Return the held-out decisions of several problems, each under the parameters of its own learner.

        A learner whose problems are cheaper to solve at once does so here.

        Parameters
        ----------
        tasks
            Learners of this class and their problems, which are not checked.
        """
        decisions = []
        for learner, (train, target, held_out) in tasks:
            learner._learn(train, target)
            decisions.append(learner._decide(held_out))
        return decisions

    def decide_each(self, problems: Sequence[Problem]) -> list[Floats]:
        """Return the held-out decisions of several problems under these parameters.

        Parameters
        ----------
        problems
            Training columns, what is to be learnt and held-out columns, which are not checked.
        """
        return self.decide_together([(self, problem) for problem in problems])

    def decide_all(self, problems: Problems) -> Floats:
        """Return the held-out decisions of many problems under these parameters, one problem after another.

        Parameters
        ----------
        problems
            Their arrays, which are not checked.
        """
        return np.concatenate(self.decide_each(list(problems)))

    def decision_function(self, X: Floats) -> Floats:
        """Return log-odds of the second class, or the predicted outcome, shape ``(n_samples,)``."""
        check_is_fitted(self)
        return self._decide(validate_data(self, X, dtype=np.float64, reset=False))


Task = tuple[Learner, Problem]
