"""The training odds, whatever the expression."""

import numpy as np

from responder_ml.arrays import Floats, Labels
from responder_ml.classifiers.classifier import LinearClassifier
from responder_ml.classifiers.learner import Space


class Majority(LinearClassifier):
    """Predict the training odds for every sample: the baseline that any classifier has to beat.

    References
    ----------
    REFORMS (2024) doi:10.1126/sciadv.adk3452, which asks for this baseline.
    """

    name = "majority"
    summary = "the training odds for everybody; the floor under every comparison"
    reference = "doi:10.1126/sciadv.adk3452"
    fixed_form = True

    @classmethod
    def search_space(cls, rows: int | None = None) -> Space:
        """Return nothing: there is nothing to tune."""
        return {}

    def _learn(self, X: Floats, labels: Labels) -> None:
        positive = int(np.count_nonzero(labels))
        self.coef_ = np.zeros(X.shape[1])
        self.intercept_ = float(np.log(positive / (len(labels) - positive)))
