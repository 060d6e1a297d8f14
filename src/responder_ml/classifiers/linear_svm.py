"""Linear support vector machine."""

import numpy as np

from responder_ml.arrays import Floats, Labels
from responder_ml.classifiers.classifier import LinearClassifier
from responder_ml.classifiers.learner import Space
from responder_ml.parameters import Positive

_TOLERANCE = 1e-5
# SMO may cycle for very long on separable data; a user could do nothing about scikit-learn's warning.
_MAX_STEPS = 200_000


class LinearSVM(LinearClassifier):
    """Maximum-margin classifier, solved by libsvm on the Gram matrix of the rows.

    Rows are far fewer than columns here, so their inner products hold the whole problem and cost far less to pass on. The
    margin (one at a support vector) stands in for log-odds; it is not calibrated, as the report's calibration section shows.

    Parameters
    ----------
    C
        Penalty of margin violations, above 0.

    References
    ----------
    Cortes C, Vapnik V (1995) doi:10.1007/BF00994018
    """

    name = "linear_svm"
    summary = "maximum-margin separation; its margin stands in for log-odds"
    reference = "doi:10.1007/BF00994018"

    def __init__(self, C: Positive = 0.01) -> None:
        self.C = C

    @classmethod
    def search_space(cls, rows: int | None = None) -> Space:
        """Return log-uniform ``C``; above 1 tens of animals are separated anyway."""
        from optuna.distributions import FloatDistribution

        return {"C": FloatDistribution(1e-4, 1.0, log=True)}

    def _learn(self, X: Floats, labels: Labels) -> None:
        from sklearn import config_context
        from sklearn.svm import SVC

        with config_context(skip_parameter_validation=True, assume_finite=True):
            machine = SVC(kernel="precomputed", C=self.C, tol=_TOLERANCE, max_iter=_MAX_STEPS)
            machine.fit(X @ X.T, labels)
        self.coef_ = np.asarray(machine.dual_coef_[0] @ X[machine.support_], dtype=np.float64)
        self.intercept_ = float(machine.intercept_[0])
