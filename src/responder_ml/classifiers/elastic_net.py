"""Logistic regression with an elastic-net penalty."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from responder_ml.classifiers.classifier import Floats, LinearClassifier, Problem, Space
from responder_ml.classifiers.logistic import MOST_ROWS_TOGETHER, elastic_logistic, gram_logistic, ridge_logistic


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

    def __init__(self, C: float = 0.1, l1_ratio: float = 0.0) -> None:
        self.C = C
        self.l1_ratio = l1_ratio

    @classmethod
    def search_space(cls) -> Space:
        """Return log-uniform ``C`` and two mixtures; with tens of animals a finer mixture is not told apart."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        return {"C": FloatDistribution(1e-4, 1.0, log=True), "l1_ratio": CategoricalDistribution((0.0, 0.5))}

    def _learn(self, X: Floats, labels: NDArray[np.int8]) -> None:
        target = labels.astype(np.float64)
        if self.l1_ratio == 0:
            self.coef_, self.intercept_ = ridge_logistic(X, target, self.C)
        else:
            self.coef_, self.intercept_ = elastic_logistic(X, target, self.C, self.l1_ratio)

    @classmethod
    def decide_together(cls, tasks: Sequence[Task]) -> list[Floats]:
        """Solve all ridge problems of few rows at once, from their Gram matrices; the others one by one."""
        together = [
            index
            for index, (classifier, (_, labels, _)) in enumerate(tasks)
            if isinstance(classifier, cls) and classifier.l1_ratio == 0 and len(labels) <= MOST_ROWS_TOGETHER
        ]
        decisions = dict(zip(together, _decide_ridge([tasks[index] for index in together]), strict=True))
        return [
            decisions[index] if index in decisions else super(ElasticNet, cls).decide_together([task])[0]
            for index, task in enumerate(tasks)
        ]


