"""Logistic regression with an elastic-net penalty."""

from collections.abc import Iterable, Sequence

import numpy as np

from responder_ml.arrays import Floats, Labels
from responder_ml.classifiers.classifier import LinearClassifier
from responder_ml.classifiers.elastic_logistic import elastic_logistic
from responder_ml.classifiers.learner import Problem, Space, Task
from responder_ml.classifiers.ridge_logistic import MAX_GRAM_ROWS, gram_logistic, ridge_logistic
from responder_ml.parameters import Positive, Share

LEAST_ROWS_FOR_L1 = 20
"""Training rows from which on an absolute penalty is searched; with fewer the search is over ridge alone."""


class ElasticNet(LinearClassifier):
    """Logistic regression, penalised by a mixture of squared and absolute coefficients.

    Minimises ``C * sum(log(1 + exp(-s_i f_i))) + (1 - l1_ratio) / 2 * ||w||^2 + l1_ratio * ||w||_1`` with
    ``f_i = x_i @ w + b`` and ``s_i`` the class as plus or minus one: scikit-learn's objective, solved to convergence.

    Parameters
    ----------
    C
        Inverse strength of the penalty, above 0.
    l1_ratio
        0 for ridge, 1 for lasso.

    References
    ----------
    Zou H, Hastie T (2005) doi:10.1111/j.1467-9868.2005.00503.x
    """

    name = "elastic_net"
    summary = "logistic regression with a ridge-to-lasso penalty"
    reference = "doi:10.1111/j.1467-9868.2005.00503.x"

    def __init__(self, C: Positive = 0.1, l1_ratio: Share = 0.0) -> None:
        self.C = C
        self.l1_ratio = l1_ratio

    @classmethod
    def search_space(cls, rows: int | None = None) -> Space:
        """Return log-uniform ``C`` and, from `LEAST_ROWS_FOR_L1` rows on, two mixtures.

        Tens of animals cannot tell finer ones apart, and a handful cannot tell which genes deserve a coefficient at all.
        """
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        penalty = FloatDistribution(1e-4, 1.0, log=True)
        if rows is not None and rows < LEAST_ROWS_FOR_L1:
            return {"C": penalty}
        return {"C": penalty, "l1_ratio": CategoricalDistribution((0.0, 0.5))}

    def _learn(self, X: Floats, labels: Labels) -> None:
        target = labels.astype(np.float64)
        if self.l1_ratio == 0:
            self.coef_, self.intercept_ = ridge_logistic(X, target, self.C)
        else:
            self.coef_, self.intercept_ = elastic_logistic(X, target, self.C, self.l1_ratio)

    @classmethod
    def decide_together(cls, tasks: Iterable[Task]) -> list[Floats]:
        """Solve the ridge problems of few rows all at once, from their Gram matrices; the others one by one."""
        ridge: list[tuple[float, Problem]] = []
        ridge_indices: list[int] = []
        decisions: dict[int, Floats] = {}
        for index, (classifier, problem) in enumerate(tasks):
            if isinstance(classifier, cls) and classifier.l1_ratio == 0 and len(problem[1]) <= MAX_GRAM_ROWS:
                ridge.append((classifier.C, problem))
                ridge_indices.append(index)
            else:
                (decisions[index],) = super().decide_together([(classifier, problem)])
        decisions.update(zip(ridge_indices, _decide_ridge(ridge), strict=True))
        return [decisions[index] for index in range(len(decisions))]


def _decide_ridge(tasks: Sequence[tuple[float, Problem]]) -> list[Floats]:
    if not tasks:
        return []
    rows = max(len(labels) for _, (_, labels, _) in tasks)
    grams = np.zeros((len(tasks), rows, rows))
    targets = np.zeros((len(tasks), rows))
    present = np.zeros((len(tasks), rows), dtype=bool)
    for index, (_, (train, labels, _)) in enumerate(tasks):
        grams[index, : len(labels), : len(labels)] = train @ train.T
        targets[index, : len(labels)] = labels
        present[index, : len(labels)] = True
    dual, intercept = gram_logistic(grams, targets, np.array([C for C, _ in tasks]), present)
    return [
        held_out @ (train.T @ dual[index, : len(labels)]) + intercept[index]
        for index, (_, (train, labels, held_out)) in enumerate(tasks)
    ]
