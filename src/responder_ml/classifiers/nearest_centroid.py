"""Nearest centroid: diagonal discriminant analysis on standardised columns."""

import numpy as np

from responder_ml.arrays import Floats, Labels
from responder_ml.classifiers.classifier import LinearClassifier
from responder_ml.classifiers.learner import Space
from responder_ml.classifiers.problems import Problems


class NearestCentroid(LinearClassifier):
    """Assign a sample to the nearer class mean.

    The log-odds of diagonal discriminant analysis, ``sum_k ((x_k - m0_k)^2 - (x_k - m1_k)^2) / (2 v_k)`` with ``v`` the
    pooled within-class variance, count correlated genes many times over. They are therefore averaged over the columns and
    multiplied by the effective number of independent columns (see `centroid_rule`).

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
        # Compiled code is slow to load, and commands that only read a job do not need it.
        from responder_ml.classifiers.centroid_rule import centroid_rule

        columns = np.ascontiguousarray(X.T)
        self.coef_ = np.empty(len(columns))
        self.intercept_ = float(centroid_rule(columns, np.ascontiguousarray(labels), self.coef_))

    def decide_all(self, problems: Problems) -> Floats:
        """Return the held-out decisions of many problems, one after another, in a compiled loop."""
        # Compiled code is slow to load, and commands that only read a job do not need it.
        from responder_ml.classifiers.centroid_rule import decide_problems

        decisions = np.empty(int(problems.n_test.sum()))
        sizes = problems.n_columns, problems.n_train, problems.n_test
        decide_problems(*sizes, problems.train, problems.test, problems.target, decisions)
        return decisions
