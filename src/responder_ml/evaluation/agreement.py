"""How predicted graded outcomes agree with the observed ones, with the subject as the unit.

The headline is the concordance: the share of pairs of subjects that are predicted in the order of their outcomes. As for the AUROC,
two subjects are compared where one model predicted both, that is within an outer fold, and where they are of one stratum: the mean
of another fold's training outcomes is the lower the higher those held out are, so pairs across folds pull the concordance of noise
below one half. Pairs are weighted to be composed as all pairs are, not as those within balanced folds (`fold_concordance`). The
test statistic is a smooth relative of it, as for two classes (`separation`), and equals theirs for an outcome of two values.

References
----------
Harrell FE, Lee KL, Mark DB (1996) doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4 (the concordance)
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from responder_ml.arrays import Floats, Indices, Labels

LEAST_SPREAD = 1e-12
"""Share of their level up to which decisions do not vary."""


@dataclass(frozen=True)
class PredictedOutcomes:
    """Out-of-fold predictions of a graded outcome by one procedure.

    Attributes
    ----------
    outcome
        Observed outcome of each subject, shape ``(n_subjects,)``.
    predictions
        Predicted outcome in the same unit, repeats x subjects (the mean over a subject's samples).
    folds
        Outer fold of each subject in each repeat, repeats x subjects.
    strata
        Stratum code of each subject, shape ``(n_subjects,)``.
    halves
        1 for subjects whose outcome was counted to the upper half when folds were balanced, 0 for the others.
    """

    outcome: Floats
    predictions: Floats
    folds: Indices
    strata: Indices
    halves: Labels

    @property
    def mean(self) -> Floats:
        """Mean prediction over repeats, shape ``(n_subjects,)``."""
        return np.asarray(self.predictions.mean(axis=0), dtype=np.float64)


def fold_concordance(predicted: PredictedOutcomes) -> float:
    """Return the share of pairs in the order of their outcomes, of one stratum and fold, over repeats.

    Folds hold subjects of the upper and the lower half of outcomes in equal shares, so of the pairs within folds more lie across
    the halves than of all pairs, and these are easier to order. Shares are therefore taken among pairs within the lower half,
    across the halves and within the upper half of each stratum, and weighted by the number of all such pairs. Pairs of equal
    outcomes do not count; of equal predictions count half. Pairs of a kind that never met in a fold are left out. Not a number
    where no pair met.

    Examples
    --------
    Two folds of two subjects; the pair of one fold is in the right order, and that of the other is not.

    >>> outcome, folds, halves = np.array([0.2, 0.8, 1.5, 1.1]), np.array([[0, 1, 0, 1]]), np.array([0, 0, 1, 1])
    >>> predictions = np.array([[0.4, 0.9, 0.6, 0.5]])
    >>> fold_concordance(PredictedOutcomes(outcome, predictions, folds, np.zeros(4, dtype=int), halves))
    0.5
    """
    outcome, strata, halves = predicted.outcome, predicted.strata, predicted.halves
    comparable = (outcome[:, None] > outcome[None, :]) & (strata[:, None] == strata[None, :])
    # Strata x (within the lower half, across, within the upper half), as one code.
    kinds = 3 * np.unique(strata, return_inverse=True)[1][:, None] + halves[:, None] + halves[None, :]
    n_kinds = int(kinds.max()) + 1
    right, met = np.zeros((2, n_kinds))
    for prediction, fold in zip(predicted.predictions, predicted.folds, strict=True):
        above, below = np.nonzero(comparable & (fold[:, None] == fold[None, :]))
        order = 0.5 * (np.sign(prediction[above] - prediction[below]) + 1.0)
        right += np.bincount(kinds[above, below], order, minlength=n_kinds)
        met += np.bincount(kinds[above, below], minlength=n_kinds)
    known = met > 0
    if not known.any():
        return float("nan")
    weights = np.bincount(kinds[comparable], minlength=n_kinds)[known]
    return float(weights @ (right[known] / met[known]) / weights.sum())


def spearman(predicted: PredictedOutcomes) -> float:
    """Return the rank correlation of mean predictions and outcomes; with strata, of ranks within them.

    Ranks of a stratum are divided by its size plus one and centred. Predictions of several models are ranked together, which pulls
    it a little below 0 for noise. Not a number where either does not vary within strata.
    """
    ranks = np.zeros((2, len(predicted.outcome)))
    for code in np.unique(predicted.strata):
        rows = predicted.strata == code
        for row, values in zip(ranks, (predicted.outcome, predicted.mean), strict=True):
            of_stratum = rankdata(values[rows])
            row[rows] = (of_stratum - of_stratum.mean()) / (len(of_stratum) + 1.0)
    sizes = np.sqrt(np.sum(ranks**2, axis=1))
    return float(ranks[0] @ ranks[1] / sizes.prod()) if sizes.all() else float("nan")


def mean_absolute_error(predicted: PredictedOutcomes) -> float:
    """Return the mean absolute difference of prediction and outcome, in units of the outcome, over subjects and repeats."""
    return float(np.mean(np.abs(predicted.predictions - predicted.outcome)))


def explained_share(predicted: PredictedOutcomes) -> float:
    """Return R2, one less the mean squared error over the variance of the outcome; below 0 where a constant does better."""
    return 1.0 - float(np.mean((predicted.predictions - predicted.outcome) ** 2) / np.var(predicted.outcome))


def measure(predicted: PredictedOutcomes, cells: Indices, candidates: Floats) -> Floats:
    """Return the concordance of auto, its separation and those of its candidates, in this order.

    Parameters
    ----------
    predicted
        Out-of-fold predictions of auto.
    cells
        Cell of each subject, within which separations compare: its stratum, or stratum and batch.
    candidates
        Predictions of each candidate, mean over repeats, candidates x subjects.
    """
    decisions = np.concatenate([predicted.mean[None], candidates])
    return np.concatenate([[fold_concordance(predicted)], separations(predicted.outcome, decisions, cells)])


def separations(outcome: Floats, decisions: Floats, cells: Indices) -> Floats:
    """Return how far each of several decisions separates subjects in the order of their outcomes, between -1 and 1.

    ``tanh((d_i - d_j) / s)`` is averaged over pairs of one cell with the outcome of i above that of j, with ``s`` the standard
    deviation of decisions within cells; cells are weighted by the reciprocal of their size plus one. 0 where decisions do not vary
    or no outcomes differ.

    Parameters
    ----------
    outcome
        Of each subject.
    decisions
        Mean over repeats, ``(..., n_subjects)``.
    cells
        Cell of each subject.
    """
    total, squares = np.zeros((2, *decisions.shape[:-1]))
    weight, freedom = 0.0, 0
    inside = [
        rows for rows in (np.flatnonzero(cells == code) for code in np.unique(cells)) if np.ptp(outcome[rows]) > 0
    ]
    for rows in inside:
        values = decisions[..., rows]
        squares += np.sum((values - values.mean(axis=-1, keepdims=True)) ** 2, axis=-1)
        freedom += len(rows) - 1
    spread = np.sqrt(squares / max(freedom, 1))
    level = np.abs(decisions).max(axis=-1, initial=0.0)
    varies = spread > LEAST_SPREAD * np.maximum(level, np.finfo(float).tiny)
    unit = np.where(varies, spread, 1.0)[..., None]
    for rows in inside:
        above, below = np.nonzero(outcome[rows][:, None] > outcome[rows][None, :])
        values = decisions[..., rows]
        share = 1.0 / (len(rows) + 1.0)
        total += share * np.tanh((values[..., above] - values[..., below]) / unit).sum(axis=-1)
        weight += share * len(above)
    return np.asarray(np.where(varies, total / max(weight, np.finfo(float).tiny), 0.0), dtype=np.float64)
