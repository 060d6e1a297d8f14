"""What a search works on: plain arrays of one endpoint, and one training set's columns standardised."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.features.builders.builder import Ranked, in_natural_order
from responder_ml.statistics.concordance import auroc

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Material:
    """Samples, genes and subjects of one endpoint, without labels.

    Attributes
    ----------
    expression
        Samples x genes in the cohort's units.
    genes
        Gene names.
    subject_of
        Subject index of each sample.
    strata
        Stratum code of each subject.
    """

    expression: Floats
    genes: NDArray[np.str_]
    subject_of: NDArray[np.intp]
    strata: NDArray[np.intp]

    @classmethod
    def of(cls, labelled: LabelledCohort) -> "Material":
        """Take the arrays out of a labelled cohort."""
        return cls(labelled.expression, labelled.genes, labelled.subject_of, labelled.strata)

    @property
    def n_subjects(self) -> int:
        """Number of subjects."""
        return len(self.strata)

    def rows_of(self, subjects: Flags) -> Flags:
        """Return the samples of some subjects, boolean over samples."""
        return subjects[self.subject_of]


@dataclass(frozen=True)
class Block:
    """One training set's ranked columns, standardised with the training rows' mean and standard deviation.

    Attributes
    ----------
    position
        Natural position of each ranked column.
    train, test
        Standardised columns (best first) of training and held-out rows.
    labels
        0/1 label of each training row.
    mean, scale
        What the columns were standardised with.
    """

    position: NDArray[np.intp]
    train: Floats
    test: Floats
    labels: NDArray[np.int8]
    mean: Floats
    scale: Floats

    @classmethod
    def build(cls, ranked: Ranked, train: Flags, test: Flags, labels: NDArray[np.int8]) -> "Block":
        """Standardise ``ranked`` for the rows of one training set (all boolean over samples)."""
        values = ranked.values()
        fitted = values[train]
        mean, scale = standardisation(fitted)
        return cls(ranked.position, (fitted - mean) / scale, (values[test] - mean) / scale, labels[train], mean, scale)

    def columns(self, length: int) -> NDArray[np.intp]:
        """Return the first ``length`` ranked columns in natural order."""
        return in_natural_order(self.position, length)


def standardisation(values: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation (divisor n) per column; a constant column is divided by one."""
    scale = values.std(axis=0)
    # A constant column has a deviation of rounding size only; dividing by it would blow held-out rows up.
    tiny = 10 * np.finfo(np.float64).eps * np.abs(values).max(axis=0)
    return values.mean(axis=0), np.where(scale > tiny, scale, 1.0)


def subject_means(scores: Floats, subject_of: NDArray[np.intp]) -> tuple[NDArray[np.intp], Floats]:
    """Return the subjects that occur and the mean score of each one's samples."""
    subjects, index = np.unique(subject_of, return_inverse=True)
    if len(subjects) == len(scores):
        return subject_of, scores
    return subjects, np.bincount(index, weights=scores) / np.bincount(index)


def subject_auroc(scores: Floats, subject_of: NDArray[np.intp], labels: NDArray[np.int8]) -> float:
    """Return the AUROC over subjects of scores of samples; ``labels`` is per subject of the whole cohort."""
    subjects, means = subject_means(scores, subject_of)
    return auroc(labels[subjects], means)
