"""What probabilities are worth as probabilities, and the two ways they are put to use: another prior, and a cut-off.

References
----------
Brier GW (1950) doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
Cox DR (1958) Two further applications of a model for binary regression. doi:10.1093/biomet/45.3-4.562
Saerens M, Latinne P, Decaestecker C (2002) doi:10.1162/089976602753284446
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit

from responder_ml.arrays import Flags, Floats
from responder_ml.errors import EndpointError

LEAST_SUBJECTS = 30
"""With fewer subjects a fitted slope says more about luck than about the model; it is not estimated."""

_NEWTON_STEPS = 100
_CONVERGED = 1e-10


@dataclass(frozen=True)
class Calibration:
    """How well log-odds match the outcomes they are meant for.

    Attributes
    ----------
    brier
        Mean squared error of the probabilities; 0.25 for saying one half throughout.
    in_the_large
        What must be added to the log-odds for the mean probability to equal the share of positives; 0 is ideal. None
        with one class only.
    intercept, slope
        Of the logistic regression of labels on log-odds; 0 and 1 are ideal, a slope below 1 means overconfidence. None
        where not estimable: too few subjects, log-odds all alike, or classes that the log-odds separate.
    """

    brier: float
    in_the_large: float | None
    intercept: float | None
    slope: float | None


def calibrate(log_odds: ArrayLike, labels: ArrayLike, least_subjects: int = LEAST_SUBJECTS) -> Calibration:
    """Compare held-out log-odds with labels; one value per subject (average over repeats first).

    Parameters
    ----------
    log_odds
        Held-out decisions, finite, shape ``(n,)``.
    labels
        1 or 0, shape ``(n,)``.
    least_subjects
        With fewer, intercept and slope are None.

    Raises
    ------
    ValueError
        The shapes differ, nothing is given, a log-odds is not finite or a label not 0 or 1.
    """
    decisions, positive = _checked(log_odds, labels)
    if not np.all(np.isfinite(decisions)):
        raise ValueError("log_odds must be finite; clip the probabilities before taking their log-odds")
    brier = float(np.mean((expit(decisions) - positive) ** 2))
    if positive.all() or not positive.any():
        return Calibration(brier, None, None, None)
    line = None
    if positive.size >= least_subjects and _overlap(decisions, positive):
        line = _fit_line(decisions, positive)
    intercept, slope = (None, None) if line is None else line
    return Calibration(brier, _in_the_large(decisions, positive), intercept, slope)


def shift_prior(probabilities: ArrayLike, train_prior: float, target_prior: float) -> Floats:
    """Restate probabilities for a population with another share of positives.

    Saerens: ``p' = p w1 / (p w1 + (1 - p) w0)`` with ``w1 = target_prior / train_prior`` and ``w0`` the same ratio for
    negatives. It holds where expression within each class is distributed as in training.

    Parameters
    ----------
    probabilities
        Of the positive class, between 0 and 1.
    train_prior, target_prior
        Share of positives among the training subjects and in the population aimed at, above 0 and below 1.

    Raises
    ------
    EndpointError
        A prior is not above 0 and below 1.
    ValueError
        A probability is not between 0 and 1.
    """
    for name, prior in (("training", train_prior), ("target", target_prior)):
        if not 0 < prior < 1:
            raise EndpointError(
                f"The {name} prior is {prior:g}, but a share of positives above 0 and below 1 is needed. Correct it."
            )
    found = np.asarray(probabilities, dtype=np.float64)
    if not np.all((found >= 0) & (found <= 1)):
        raise ValueError("probabilities must lie between 0 and 1")
    positive = found * (target_prior / train_prior)
    negative = (1 - found) * ((1 - target_prior) / (1 - train_prior))
    return np.asarray(positive / (positive + negative), dtype=np.float64)


def choose_threshold(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the cut-off with the largest balanced accuracy where a score above it is called positive.

    Cut-offs lie midway between neighbouring distinct scores, so each class is called at least once: a ranking that is
    upside down does not turn into calling all subjects alike. Of several best cut-offs the middle one is taken (the
    lower of two middle ones), a rule that knows neither the order of the subjects nor the scale of the scores. If all
    scores are equal, that score is returned.

    Parameters
    ----------
    scores
        Held-out within the training set (inner folds), shape ``(n,)``.
    labels
        1 or 0, shape ``(n,)``.

    Raises
    ------
    ValueError
        The shapes differ, a score is nan, or a class is missing.
    """
    found, positive = _checked(scores, labels)
    n_positive = int(np.count_nonzero(positive))
    n_negative = positive.size - n_positive
    if n_positive == 0 or n_negative == 0:
        raise ValueError("a threshold needs both classes among the labels")
    values, place = np.unique(found, return_inverse=True)
    if values.size == 1:
        return float(values[0])
    positive_below = np.cumsum(np.bincount(place[positive], minlength=values.size))[:-1]
    negative_below = np.cumsum(np.bincount(place[~positive], minlength=values.size))[:-1]
    # Balanced accuracy times 2 n_positive n_negative: whole numbers, so ties are ties.
    worth = (n_positive - positive_below) * n_negative + negative_below * n_positive
    best = np.flatnonzero(worth == worth.max())
    cut = int(best[(best.size - 1) // 2])
    lower, upper = float(values[cut]), float(values[cut + 1])
    middle = lower + (upper - lower) / 2
    # Between two neighbouring floats the midpoint may round up to the upper one, which must stay above the cut-off.
    return middle if middle < upper else lower


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Flags]:
    found, classes = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if found.ndim != 1 or found.shape != classes.shape or found.size == 0:
        raise ValueError(f"one score per label is expected, but the shapes are {found.shape} and {classes.shape}")
    if np.isnan(found).any():
        raise ValueError(f"{np.isnan(found).sum()} score(s) are nan; leave those subjects out first")
    if not np.isin(classes, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
    return found, classes == 1


def _overlap(log_odds: Floats, positive: Flags) -> bool:
    """Tell whether neither class lies wholly on one side of the other, without which no finite fit exists."""
    one, other = log_odds[positive], log_odds[~positive]
    return bool(one.max() > other.min() and other.max() > one.min())


def _in_the_large(log_odds: Floats, positive: Flags) -> float:
    """Return the shift of the log-odds that makes the mean probability equal the share of positives."""
    share = positive.mean()
    ideal = float(np.log(share / (1 - share)))

    def excess(shift: float) -> float:
        return float(np.mean(expit(log_odds + shift)) - share)

    # The ends move even the lowest, or highest, subject to the share itself; a little beyond, rounding cannot hide the
    # root.
    return float(brentq(excess, ideal - log_odds.max() - 1.0, ideal - log_odds.min() + 1.0, xtol=1e-12))


def _fit_line(log_odds: Floats, positive: Flags) -> tuple[float, float] | None:
    """Return intercept and slope; the predictor is standardised meanwhile so that Newton steps are well scaled."""
    centre, scale = float(log_odds.mean()), float(log_odds.std())
    found = _newton(np.column_stack([np.ones(positive.size), (log_odds - centre) / scale]), positive)
    if found is None:
        return None
    slope = float(found[1]) / scale
    return float(found[0]) - slope * centre, slope


def _newton(design: Floats, positive: Flags) -> Floats | None:
    """Maximise the logistic likelihood by Newton steps, halved while they do not climb; None if they do not settle."""
    coefficients = np.zeros(design.shape[1])
    for _ in range(_NEWTON_STEPS):
        probability = expit(design @ coefficients)
        gradient = design.T @ (positive - probability)
        if np.abs(gradient).max() <= _CONVERGED * positive.size:
            return coefficients
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design
        # A ridge far below rounding of the answer keeps the step finite where all probabilities have saturated.
        step = np.linalg.solve(curvature + 1e-12 * np.eye(len(gradient)), gradient)
        height = _log_likelihood(design @ coefficients, positive)
        # At the summit rounding may lower the likelihood by its last bits.
        lowest = height - 1e-12 * (1 + abs(height))
        while _log_likelihood(design @ (coefficients + step), positive) < lowest:
            step = step / 2
        coefficients = coefficients + step
    return None


def _log_likelihood(log_odds: Floats, positive: Flags) -> float:
    return -float(np.logaddexp(0.0, np.where(positive, -log_odds, log_odds)).sum())


Labels = NDArray[np.integer]

ALPHA = 0.1
"""Share of subjects of each class whose set may miss the class."""


@dataclass(frozen=True)
class CalibrationScores:
    """Decisions on training subjects by models that did not see them.

    Attributes
    ----------
    positive, negative
        Log-odds of the subjects of each class (means over repeats), sorted.
    """

    positive: Floats
    negative: Floats

    @classmethod
    def of(cls, log_odds: Floats, labels: Labels) -> "CalibrationScores":
        """Split held-out log-odds, one per subject, by their 0/1 labels."""
        return cls(np.sort(log_odds[labels == 1]), np.sort(log_odds[labels == 0]))

    def why_impossible(self, alpha: float = ALPHA) -> str:
        """Return why no set of this level can be formed, or nothing where it can.

        The smallest p a class of n subjects can give is 1 / (n + 1); above alpha no class could ever be left out.
        """
        smaller = min(len(self.positive), len(self.negative))
        if 1.0 / (smaller + 1) <= alpha:
            return ""
        needed = ceil(1.0 / alpha - 1.0 - 1e-9)
        return (
            f"Prediction sets at {1 - alpha:.0%} need {needed} held-out subjects in each class, but the smaller class "
            f"has {smaller}: every set would hold both classes."
        )

    def p_values(self, log_odds: Floats) -> tuple[Floats, Floats]:
        """Return the p of the positive and of the negative class for each sample.

        ``(1 + number of held-out subjects of the class at least as strange) / (n + 1)``; strange for a positive is a
        low log-odds, for a negative a high one.
        """
        below = np.searchsorted(self.positive, log_odds, side="right").astype(np.float64)
        above = (len(self.negative) - np.searchsorted(self.negative, log_odds, side="left")).astype(np.float64)
        return (1.0 + below) / (len(self.positive) + 1.0), (1.0 + above) / (len(self.negative) + 1.0)

    def sets(self, log_odds: Floats, alpha: float = ALPHA) -> Flags:
        """Return which classes stay, samples x (positive, negative); ask `why_impossible` first."""
        positive, negative = self.p_values(log_odds)
        return np.column_stack([positive > alpha, negative > alpha])
