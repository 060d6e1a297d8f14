"""Ridge-penalised logistic regressions of few rows, many at once, from their Gram matrices."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from responder_ml.classifiers.logistic_loss import (
    LEAST_WEIGHT,
    MAX_HALVINGS,
    MAX_STEPS,
    SMALL_STEP,
    losses,
    newton_length,
)

Floats = NDArray[np.float64]


def gram_logistic(
    grams: Floats, targets: Floats, C: Floats, present: NDArray[np.bool_] | None = None
) -> tuple[Floats, Floats]:
    """Solve several ridge-penalised logistic regressions at once from the Gram matrices of their rows.

    Parameters
    ----------
    grams
        Inner products of training rows, shape ``(m, n, n)``.
    targets
        0.0 or 1.0, shape ``(m, n)``.
    C
        Inverse penalties, shape ``(m,)``.
    present
        False for rows that only fill a smaller problem up, shape ``(m, n)``.

    Returns
    -------
    dual, intercept
        Shapes ``(m, n)`` and ``(m,)``: coefficients are ``X.T @ dual``.
    """
    count, rows = targets.shape
    here = np.ones((count, rows)) if present is None else present.astype(np.float64)
    dual, intercept = np.zeros((count, rows)), np.zeros(count)
    left = np.arange(count)
    newton = _GramNewton(grams, targets, np.asarray(C, dtype=np.float64), here)
    for _ in range(MAX_STEPS):
        done = newton.step() < SMALL_STEP
        dual[left], intercept[left] = newton.dual, newton.intercept
        if done.all():
            break
        if done.any():
            left = left[~done]
            newton.keep(~done)
    return dual, intercept


class _GramNewton:
    """Damped Newton steps of several ridge-penalised logistic regressions, in the coefficients of their rows."""

    def __init__(self, grams: Floats, targets: Floats, C: Floats, here: Floats) -> None:
        self._grams, self._targets, self._C, self._here = grams, targets, C, here
        share = np.sum(targets * here, axis=1) / np.sum(here, axis=1)
        self.intercept = np.log(share / (1.0 - share))
        self.dual = np.zeros_like(targets)
        self._smooth = np.zeros_like(targets)
        self._signs = (2.0 * targets - 1.0) * here
        self._loss = losses(self.intercept[:, None], self._signs, here, C)

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Go on with some of the problems."""
        for name, values in vars(self).items():
            setattr(self, name, values[chosen])

    def step(self) -> Floats:
        """Move every problem on and return how far its decisions went, in parts of their size."""
        decision = self._smooth + self.intercept[:, None]
        dual, smooth, intercept = self._direction(decision)
        scale = self._length(decision, dual, smooth, intercept)
        for _ in range(MAX_HALVINGS):
            new_dual = self.dual + scale[:, None] * dual
            new_smooth = self._smooth + scale[:, None] * smooth
            new_intercept = self.intercept + scale * intercept
            loss = losses(new_smooth + new_intercept[:, None], self._signs, self._here, self._C)
            loss += 0.5 * np.einsum("ij,ij->i", new_dual, new_smooth)
            worse = loss > self._loss + 1e-12 * np.abs(self._loss)
            if not worse.any():
                break
            scale[worse] *= 0.5
        moved = np.abs((new_smooth + new_intercept[:, None] - decision) * self._here).max(axis=1)
        self.dual, self._smooth, self.intercept, self._loss = new_dual, new_smooth, new_intercept, loss
        return np.asarray(moved / (1.0 + np.abs(decision).max(axis=1)), dtype=np.float64)

    def _length(self, decision: Floats, dual: Floats, smooth: Floats, intercept: Floats) -> Floats:
        along = (smooth + intercept[:, None]) * self._here
        probability = expit(decision + along)
        weight = probability * (1.0 - probability)
        slope = self._C * np.einsum("ij,ij->i", probability - self._targets, along)
        curvature = self._C * np.einsum("ij,ij,ij->i", weight, along, along)
        slope += np.einsum("ij,ij->i", self.dual + dual, smooth)
        curvature += np.einsum("ij,ij->i", dual, smooth)
        return newton_length(slope, curvature)

    def _direction(self, decision: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the full steps of the duals, of the decisions less the intercepts, and of the intercepts."""
        probability = expit(decision)
        weight = np.maximum(probability * (1.0 - probability), LEAST_WEIGHT)
        root = np.sqrt(self._C[:, None] * weight) * self._here
        working = decision + (self._targets - probability) / weight
        system = root[:, :, None] * self._grams
        system *= root[:, None, :]
        diagonal = np.arange(system.shape[1])
        system[:, diagonal, diagonal] += 1.0
        solved = np.linalg.solve(system, np.stack([root * working, root], axis=2)) * root[:, :, None]
        sums = solved.sum(axis=1)
        intercept = sums[:, 0] / sums[:, 1]
        dual = solved[:, :, 0] - intercept[:, None] * solved[:, :, 1] - self.dual
        return dual, np.matmul(self._grams, dual[:, :, None])[:, :, 0], intercept - self.intercept
