"""Scores of held-out samples, judged by subject."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.statistics.concordance import auroc

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HeldOut:
    """The subjects behind some held-out samples.

    Attributes
    ----------
    subjects
        Each subject once.
    of_sample
        Place of each sample's subject among these; None where every subject has one sample, in order.
    labels
        0/1 per subject.
    """

    subjects: NDArray[np.intp]
    of_sample: NDArray[np.intp] | None
    labels: NDArray[np.int8]

    @classmethod
    def of(cls, subject_of: NDArray[np.intp], labels: NDArray[np.int8]) -> "HeldOut":
        """Take the subject of each held-out sample and the label of each subject of the whole cohort."""
        subjects, of_sample = np.unique(subject_of, return_inverse=True)
        if len(subjects) == len(subject_of):
            return cls(subject_of, None, labels[subject_of])
        return cls(subjects, of_sample, labels[subjects])

    def means(self, scores: Floats) -> Floats:
        """Return each subject's mean over its samples."""
        if self.of_sample is None:
            return scores
        return np.asarray(np.bincount(self.of_sample, weights=scores) / np.bincount(self.of_sample), dtype=np.float64)

    def auroc(self, scores: Floats) -> float:
        """Return the AUROC over subjects of scores of samples."""
        return auroc(self.labels, self.means(scores))
