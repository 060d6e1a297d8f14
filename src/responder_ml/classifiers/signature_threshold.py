"""One score and one threshold: the simplest signature."""

import numpy as np

from responder_ml.arrays import Floats, Labels
from responder_ml.classifiers.classifier import LinearClassifier
from responder_ml.classifiers.learner import Space


class SignatureThreshold(LinearClassifier):
    """Average the columns, each signed by its direction in training, and cut midway between the class means.

    The slope turns the score into log-odds of two normal groups with a common variance,
    ``gap / (within-class variance + gap^2 / 4)``; the second term bounds the confidence a handful of animals can give.

    References
    ----------
    Foroutan M et al. (2018) doi:10.1186/s12859-018-2435-4 (signed single-sample scores)
    """

    name = "signature_threshold"
    summary = "mean of signed columns against one cut-off; a fixed form for fewer than 6 subjects in a class"
    reference = "doi:10.1186/s12859-018-2435-4"
    fixed_form = True

    @classmethod
    def search_space(cls, rows: int | None = None) -> Space:
        """Return nothing: only the number of columns is tuned."""
        return {}

    def _learn(self, X: Floats, labels: Labels) -> None:
        above, below = X[labels == 1], X[labels == 0]
        direction = np.sign(above.mean(axis=0) - below.mean(axis=0)) / X.shape[1]
        high, low = above @ direction, below @ direction
        gap = high.mean() - low.mean()
        within = (((high - high.mean()) ** 2).sum() + ((low - low.mean()) ** 2).sum()) / max(len(X) - 2, 1)
        slope = gap / (within + gap**2 / 4.0) if gap > 0 else 0.0
        self.coef_ = slope * direction
        self.intercept_ = float(-slope * 0.5 * (high.mean() + low.mean()))
