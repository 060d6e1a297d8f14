"""Performance of out-of-fold decisions, with the subject as the unit.

The AUROC compares a positive with a negative subject only where one model scored both, that is within an outer fold: scores
of different models have no common zero, and pooling them pulls the AUROC of noise below one half.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.statistics.concordance import pair_table

# Up to here one table of all pairs is faster than a table for each fold.
_FEW_SUBJECTS = 100


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold decisions of one procedure.

    Attributes
    ----------
    labels
        0/1 per subject, shape ``(n_subjects,)``.
    decisions
        Log-odds, repeats x subjects (the mean over a subject's samples).
    folds
        Outer fold of each subject in each repeat, repeats x subjects.
    thresholds
        Cut-off on the log-odds chosen inside the training set that scored each subject, repeats x subjects.
    pair_of
        Matched pair of each subject, shape ``(n_subjects,)``; None where subjects are not paired.
    """

    labels: NDArray[np.int8]
    decisions: Floats
    folds: Indices
    thresholds: Floats
    pair_of: Indices | None = None

    @property
    def probabilities(self) -> Floats:
        """Probability of the positive class, repeats x subjects."""
        return np.asarray(expit(self.decisions), dtype=np.float64)


@dataclass(frozen=True)
class Concordance:
    """For each positive (row) and negative (column): how often they shared a fold, and how often in the right order.

    Attributes
    ----------
    right, met
        Counts over repeats, positives x negatives; ties count half in ``right``.
    """

    right: Floats
    met: Floats

    def auroc(self, positive_weight: Floats | None = None, negative_weight: Floats | None = None) -> Floats:
        """Return the AUROC, for one or many weightings of the subjects.

        Parameters
        ----------
        positive_weight, negative_weight
            How often each subject counts, shapes ``(..., n_positive)`` and ``(..., n_negative)``; once each by default.
        """
        positive = np.ones(len(self.right)) if positive_weight is None else positive_weight
        negative = np.ones(self.right.shape[1]) if negative_weight is None else negative_weight
        right = np.sum((positive @ self.right) * negative, axis=-1)
        met = np.sum((positive @ self.met) * negative, axis=-1)
        return np.asarray(np.divide(right, met, out=np.full_like(right, np.nan), where=met > 0), dtype=np.float64)


def concordance(out_of_fold: OutOfFold) -> Concordance:
    """Count the pairs of one positive and one negative subject that one model scored, over all repeats."""
    positive, negative = out_of_fold.labels == 1, out_of_fold.labels == 0
    right = np.zeros((np.count_nonzero(positive), np.count_nonzero(negative)))
    met = np.zeros_like(right)
    for decision, fold in zip(out_of_fold.decisions, out_of_fold.folds, strict=True):
        together = fold[positive][:, None] == fold[negative][None, :]
        right += together * pair_table(out_of_fold.labels, decision)
        met += together
    return Concordance(right, met)


def auroc(out_of_fold: OutOfFold) -> float:
    """Return the share of comparable pairs in the right order, over all repeats.

    Examples
    --------
    One repeat of two folds; only pairs within a fold are compared.

    >>> labels = np.array([1, 0, 1, 0], dtype=np.int8)
    >>> decisions, folds = np.array([[0.9, 0.1, -2.0, -1.0]]), np.array([[0, 0, 1, 1]])
    >>> auroc(OutOfFold(labels, decisions, folds, np.zeros_like(decisions)))
    0.5
    """
    if len(out_of_fold.labels) <= _FEW_SUBJECTS:
        return float(concordance(out_of_fold).auroc())
    tables = [table for _, _, table in _fold_tables(out_of_fold)]
    met = sum(table.size for table in tables)
    return sum(float(table.sum()) for table in tables) / met if met else float("nan")


def brier(out_of_fold: OutOfFold) -> float:
    """Return the mean squared error of the probabilities."""
    return float(np.mean((out_of_fold.probabilities - out_of_fold.labels) ** 2))


@dataclass(frozen=True)
class Confusion:
    """Confusion counts of each repeat; each array has shape ``(n_repeats,)``."""

    true_positive: Floats
    true_negative: Floats
    false_positive: Floats
    false_negative: Floats


def confusion(out_of_fold: OutOfFold) -> Confusion:
    """Count right and wrong classes at the cut-offs chosen inside the folds."""
    called = out_of_fold.decisions > out_of_fold.thresholds
    positive = out_of_fold.labels == 1

    def count(cells: Flags) -> Floats:
        return np.asarray(np.sum(cells, axis=1), dtype=np.float64)

    return Confusion(
        count(called & positive), count(~called & ~positive), count(called & ~positive), count(~called & positive)
    )


def balanced_accuracy(out_of_fold: OutOfFold) -> float:
    """Return the mean of sensitivity and specificity, averaged over repeats."""
    cells = confusion(out_of_fold)
    sensitivity = cells.true_positive / (cells.true_positive + cells.false_negative)
    specificity = cells.true_negative / (cells.true_negative + cells.false_positive)
    return float(np.mean(0.5 * (sensitivity + specificity)))


def matthews(out_of_fold: OutOfFold) -> float:
    """Return Matthews' correlation, averaged over repeats; zero where all subjects are called alike.

    References
    ----------
    Chicco D, Jurman G (2020) doi:10.1186/s12864-019-6413-7
    """
    cells = confusion(out_of_fold)
    cross = cells.true_positive * cells.true_negative - cells.false_positive * cells.false_negative
    margins = (
        (cells.true_positive + cells.false_positive)
        * (cells.true_positive + cells.false_negative)
        * (cells.true_negative + cells.false_positive)
        * (cells.true_negative + cells.false_negative)
    )
    return float(np.mean(np.divide(cross, np.sqrt(margins), out=np.zeros_like(cross), where=margins > 0)))


def fold_aurocs(out_of_fold: OutOfFold) -> Floats:
    """Return the AUROC of every outer fold, repeats x folds; nan where a fold holds one class only."""
    scores = np.full((len(out_of_fold.folds), int(out_of_fold.folds.max()) + 1), np.nan)
    for repeat, number, table in _fold_tables(out_of_fold):
        if table.size:
            scores[repeat, number] = table.mean()
    return scores


def _fold_tables(out_of_fold: OutOfFold) -> Iterator[tuple[int, int, Floats]]:
    """Yield repeat, fold and the pairs of its positive and negative subjects (see `pair_table`)."""
    for repeat, (decision, fold) in enumerate(zip(out_of_fold.decisions, out_of_fold.folds, strict=True)):
        for number in np.unique(fold):
            inside = fold == number
            yield repeat, int(number), pair_table(out_of_fold.labels[inside], decision[inside])


def by_subject(values: Floats, subject_of: Indices, n_subjects: int) -> Floats:
    """Average values over each subject's samples along the last axis."""
    if np.array_equal(subject_of, np.arange(n_subjects)):
        return values
    weights = np.zeros((len(subject_of), n_subjects))
    weights[np.arange(len(subject_of)), subject_of] = 1.0
    return np.asarray(values @ (weights / weights.sum(axis=0)), dtype=np.float64)


@dataclass(frozen=True)
class Metric:
    """A number that is reported for the headline and for every candidate.

    Attributes
    ----------
    name
        Key in ``result.json``, column of ``candidates.csv``, metric in MLflow.
    label
        What pages call it.
    meaning
        One line for the description of tables.
    measure
        From out-of-fold decisions to the number.
    """

    name: str
    label: str
    meaning: str
    measure: Callable[[OutOfFold], float]


METRICS: tuple[Metric, ...] = (
    Metric(
        "auroc",
        "AUROC",
        "probability that a positive subject is ranked above a negative one, over pairs that one model scored",
        auroc,
    ),
    Metric(
        "balanced_accuracy",
        "balanced accuracy",
        "mean of the shares of each class called correctly, at the cut-off chosen inside the folds; 0.5 is a coin toss",
        balanced_accuracy,
    ),
    Metric(
        "mcc",
        "Matthews correlation",
        "correlation of calls and classes at the same cut-off; 0 is none, 1 is perfect",
        matthews,
    ),
    Metric(
        "brier",
        "Brier score",
        "mean squared error of the probability; always saying one half gives 0.25, lower is better",
        brier,
    ),
)
"""Every metric, the AUROC first; a new one is a new entry here and is then reported everywhere."""
