"""In-context classification: a transformer that reads training rows with their labels and needs no training of its own.

The weights are those that the package geneicl installs; a fitted classifier is its training rows, and nothing else.
"""

from functools import cache
from typing import Any

import numpy as np
from scipy.special import logit
from threadpoolctl import threadpool_limits

from responder_ml.arrays import Floats, Labels
from responder_ml.classifiers.classifier import Classifier
from responder_ml.classifiers.learner import Space

# Probabilities are single precision.
_LEAST = 1e-6
# Single precision lets the other rows of a batch change the sixth digit.
_DIGITS = 4


class InContext(Classifier):
    """GeneICL, a transformer pretrained on synthetic tasks of expression: one forward pass over training and new rows.

    It is there where geneicl is installed (``pip install 'responder-ml[geneicl]'``), runs on one thread of the processor, and has
    nothing to tune but the number of columns. What it stores are the standardised training rows: a bundle with it holds
    expression of the training subjects. It cannot tell which column carries a decision; contributions are estimated by replacing
    columns by the training mean, one after another (see `shap_values`).

    Attributes
    ----------
    support_
        Training rows, samples x columns, single precision.
    support_labels_
        Their labels, 0 or 1.

    References
    ----------
    GeneICL: a tabular foundation model for transcriptomics (2026) arXiv:2610.08694
    """

    name = "in_context"
    summary = "a pretrained transformer that reads the training rows as its context (GeneICL; extra `geneicl`)"
    reference = "arXiv:2610.08694"
    fixed_form = True
    linear = False

    @classmethod
    def search_space(cls, rows: int | None = None) -> Space:
        """Return nothing: only the number of columns is tuned."""
        return {}

    def notes(self) -> tuple[str, ...]:
        """Return a sentence on what a bundle will hold."""
        return ("a bundle holds the training rows, because the model reads them whenever it scores a sample.",)

    def _learn(self, X: Floats, labels: Labels) -> None:
        self.support_ = np.asarray(X, dtype=np.float32)
        self.support_labels_ = np.asarray(labels, dtype=np.int8)

    def _decide(self, X: Floats) -> Floats:
        model = _model()
        with threadpool_limits(1):
            shares, _ = model.predict_proba_fold(
                self.support_, self.support_labels_.tolist(), np.asarray(X, dtype=np.float32)
            )
        positive = np.asarray(shares, dtype=np.float64)[:, 1]
        return np.asarray(logit(np.clip(positive, _LEAST, 1.0 - _LEAST)).round(_DIGITS), dtype=np.float64)


@cache
def _model() -> Any:
    """Return geneicl's own model with the weights it installs, once in a process."""
    from geneicl import Runner

    return Runner(device="cpu")
