"""Calibration of log-odds, and what is derived from them: another prior, a cut-off, and prediction sets.

Prediction sets are class-conditional conformal sets from held-out decisions. A class stays in a sample's set unless the
sample is less typical of the class than all but a share alpha of the class's training subjects were when they were held
out. Decisions come from the outer folds, the model that scores from a refit to all subjects, so the coverage holds
approximately (cross-conformal) and, as for every conformal method, only for samples exchangeable with training.

References
----------
Brier GW (1950) doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
Cox DR (1958) Two further applications of a model for binary regression. doi:10.1093/biomet/45.3-4.562
Saerens M, Latinne P, Decaestecker C (2002) doi:10.1162/089976602753284446
Vovk V (2015) Cross-conformal predictors. Ann Math Artif Intell 74:9-28. doi:10.1007/s10472-013-9368-4
Sadinle M, Lei J, Wasserman L (2019) Least ambiguous set-valued classifiers. doi:10.1080/01621459.2017.1395341
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit

from responder_ml.arrays import Flags, Floats, Labels
from responder_ml.errors import EndpointError

LEAST_SUBJECTS = 30
"""With fewer subjects a fitted slope reflects chance more than the model, and is not estimated."""
ALPHA = 0.1
"""Share of subjects of each class whose prediction set may miss their class."""

_NEWTON_STEPS = 100
_CONVERGED = 1e-10


@dataclass(frozen=True)
class Calibration:
    """How well log-odds match the outcomes they predict.

    Attributes
    ----------
    brier
        Mean squared error of the probabilities; 0.25 where all of them are one half.
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


def calibrate(log_odds: ArrayLike, labels: ArrayLike) -> Calibration:
    """Compare held-out log-odds with labels; one value per subject (average over repeats first).

    Parameters
    ----------
    log_odds
        Held-out decisions, finite, shape ``(n,)``.
    labels
        1 or 0, shape ``(n,)``.

    Raises
    ------
    ValueError
        The shapes differ, there are no subjects, a log-odds is not finite or a label not 0 or 1.
    """
    decisions, positive = _checked(log_odds, labels)
    if not np.all(np.isfinite(decisions)):
        raise ValueError("log_odds must be finite; clip the probabilities before taking their log-odds")
    brier = float(np.mean((expit(decisions) - positive) ** 2))
    if positive.all() or not positive.any():
        return Calibration(brier, None, None, None)
    line = None
    if positive.size >= LEAST_SUBJECTS and _overlap(decisions, positive):
        line = _fit_line(decisions, positive)
    intercept, slope = (None, None) if line is None else line
    return Calibration(brier, in_the_large(decisions, positive), intercept, slope)


def shift_prior(probabilities: ArrayLike, train_prior: float, target_prior: float) -> Floats:
    """Restate probabilities for a population with another share of positives.

    Saerens: ``p' = p w1 / (p w1 + (1 - p) w0)`` with ``w1 = target_prior / train_prior`` and ``w0`` the same ratio for
    negatives. It holds where expression within each class is distributed as in training.

    Parameters
    ----------
    probabilities
        Of the positive class, between 0 and 1.
    train_prior, target_prior
        Share of positives among the training subjects and in the target population, above 0 and below 1.

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
    values = np.asarray(probabilities, dtype=np.float64)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError("probabilities must lie between 0 and 1")
    positive = values * (target_prior / train_prior)
    negative = (1 - values) * ((1 - target_prior) / (1 - train_prior))
    return np.asarray(positive / (positive + negative), dtype=np.float64)


def choose_threshold(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the cut-off with the largest balanced accuracy where a score above it is called positive.

    Cut-offs lie midway between neighbouring distinct scores, so each class is called at least once: an inverted ranking
    does not lead to calling all subjects alike. Of several best cut-offs the middle one is taken (the lower of two middle
    ones), a rule that depends neither on the order of the subjects nor on the scale of the scores. If all scores are
    equal, that score is returned.

    Parameters
    ----------
    scores
        Held-out decisions within the training set (inner folds), shape ``(n,)``.
    labels
        1 or 0, shape ``(n,)``.

    Raises
    ------
    ValueError
        The shapes differ, a score is nan, or a class is missing.
    """
    decisions, positive = _checked(scores, labels)
    n_positive = int(np.count_nonzero(positive))
    n_negative = positive.size - n_positive
    if n_positive == 0 or n_negative == 0:
        raise ValueError("a threshold needs both classes among the labels")
    values, value_of = np.unique(decisions, return_inverse=True)
    if values.size == 1:
        return float(values[0])
    positive_below = np.cumsum(np.bincount(value_of[positive], minlength=values.size))[:-1]
    negative_below = np.cumsum(np.bincount(value_of[~positive], minlength=values.size))[:-1]
    # Balanced accuracy times 2 n_positive n_negative: whole numbers, so ties are ties.
    accuracy = (n_positive - positive_below) * n_negative + negative_below * n_positive
    best = np.flatnonzero(accuracy == accuracy.max())
    cut = int(best[(best.size - 1) // 2])
    lower, upper = float(values[cut]), float(values[cut + 1])
    middle = lower + (upper - lower) / 2
    # Between two neighbouring floats the midpoint may round up to the upper one, which must stay above the cut-off.
    return middle if middle < upper else lower


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Flags]:
    values, classes = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if values.ndim != 1 or values.shape != classes.shape or values.size == 0:
        raise ValueError(f"one score per label is expected, but the shapes are {values.shape} and {classes.shape}")
    if np.isnan(values).any():
        raise ValueError(f"{np.isnan(values).sum()} score(s) are nan; leave those subjects out first")
    if not np.isin(classes, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
    return values, classes == 1


def _overlap(log_odds: Floats, positive: Flags) -> bool:
    """Return whether the classes overlap; if the log-odds separate them, no finite fit exists."""
    one, other = log_odds[positive], log_odds[~positive]
    return bool(one.max() > other.min() and other.max() > one.min())


def in_the_large(log_odds: Floats, positive: Flags) -> float:
    """Return the shift of the log-odds that makes the mean probability equal the share of positives."""
    share = positive.mean()
    ideal = float(np.log(share / (1 - share)))

    def excess(shift: float) -> float:
        return float(np.mean(expit(log_odds + shift)) - share)

    # The ends move the highest, or lowest, subject to the share itself; the margin of 1 is for rounding.
    return float(brentq(excess, ideal - log_odds.max() - 1.0, ideal - log_odds.min() + 1.0, xtol=1e-12))


def _fit_line(log_odds: Floats, positive: Flags) -> tuple[float, float] | None:
    """Return intercept and slope; the predictor is standardised for the fit, so that Newton steps are well scaled."""
    centre, scale = float(log_odds.mean()), float(log_odds.std())
    coefficients = _newton(np.column_stack([np.ones(positive.size), (log_odds - centre) / scale]), positive)
    if coefficients is None:
        return None
    slope = float(coefficients[1]) / scale
    return float(coefficients[0]) - slope * centre, slope


def _newton(design: Floats, positive: Flags) -> Floats | None:
    """Maximise the logistic likelihood by Newton steps, halved while the likelihood falls; None if they do not converge."""
    coefficients = np.zeros(design.shape[1])
    for _ in range(_NEWTON_STEPS):
        probability = expit(design @ coefficients)
        gradient = design.T @ (positive - probability)
        if np.abs(gradient).max() <= _CONVERGED * positive.size:
            return coefficients
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design
        # A ridge far below rounding of the answer keeps the step finite where all probabilities have saturated.
        step = np.linalg.solve(curvature + 1e-12 * np.eye(len(gradient)), gradient)
        likelihood = _log_likelihood(design @ coefficients, positive)
        # At the maximum rounding may lower the likelihood by its last bits.
        lowest = likelihood - 1e-12 * (1 + abs(likelihood))
        while _log_likelihood(design @ (coefficients + step), positive) < lowest:
            step = step / 2
        coefficients = coefficients + step
    return None


def _log_likelihood(log_odds: Floats, positive: Flags) -> float:
    return -float(np.logaddexp(0.0, np.where(positive, -log_odds, log_odds)).sum())


@dataclass(frozen=True)
class CalibrationScores:
    """Decisions on training subjects by models that were not trained on them.

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
        """Return why no set of this level can be formed; empty where it can.

        The smallest p a class of n subjects can give is 1 / (n + 1); where that is above alpha, no class could ever be left out.
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

        ``(1 + number of held-out subjects of the class at least as atypical) / (n + 1)``; atypical of the positive class
        are low log-odds, of the negative class high ones.
        """
        below = np.searchsorted(self.positive, log_odds, side="right").astype(np.float64)
        above = (len(self.negative) - np.searchsorted(self.negative, log_odds, side="left")).astype(np.float64)
        return (1.0 + below) / (len(self.positive) + 1.0), (1.0 + above) / (len(self.negative) + 1.0)

    def sets(self, log_odds: Floats, alpha: float = ALPHA) -> Flags:
        """Return which classes stay in each set, samples x (positive, negative); call `why_impossible` first."""
        positive, negative = self.p_values(log_odds)
        return np.column_stack([positive > alpha, negative > alpha])
