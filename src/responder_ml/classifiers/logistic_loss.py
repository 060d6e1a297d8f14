"""What all solvers of penalised logistic regression share: the loss, and how far to go along a step.

The objective is scikit-learn's, C x sum of logistic losses + (1 - l1_ratio) / 2 x ||w||^2 + l1_ratio x ||w||_1, with a free
intercept. Solvers go on to a tight tolerance; scikit-learn's own stop earlier by default.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_STEPS = 100
MAX_HALVINGS = 30
SMALL_STEP = 1e-7
"""Newton converges quadratically: once a step changes decisions by this share, what is left is near rounding."""
LEAST_WEIGHT = 1e-12
"""A smaller weight of an observation would cost its working response all its digits."""


def losses(decision: Floats, signs: Floats, here: Floats, C: Floats) -> Floats:
    """Return C x sum of logistic losses over the last axis.

    Parameters
    ----------
    decision
        Log-odds, shape ``(..., n)``.
    signs
        The classes as plus or minus one.
    here
        1.0, or 0.0 for observations that do not count.
    C
        Inverse penalty, shape ``(...)``.
    """
    return np.asarray(C * np.sum(here * np.logaddexp(0.0, -signs * decision), axis=-1), dtype=np.float64)


def newton_length(slope: Floats, curvature: Floats) -> Floats:
    """Return how far to go along Newton steps: one step in one dimension, from the full length of each.

    Logistic losses flatten, so steps from the start fall short; this one correction saves whole factorisations.

    Parameters
    ----------
    slope, curvature
        First and second derivative of the objective at the end of each full step, along it, shape ``(m,)``.
    """
    correction = np.divide(slope, curvature, out=np.zeros_like(slope), where=curvature > 0)
    return np.asarray(np.clip(1.0 - correction, 0.5, 2.0), dtype=np.float64)


def damped(objective: Callable[[Floats], float], start: Floats, step: Floats, loss: float) -> tuple[Floats, float]:
    """Halve a step until the objective does not rise; return where it leads, and the objective there."""
    scale = 1.0
    for _ in range(MAX_HALVINGS):
        trial = start + scale * step
        trial_loss = objective(trial)
        if trial_loss <= loss + 1e-12 * abs(loss):
            return trial, trial_loss
        scale *= 0.5
    return start, loss
