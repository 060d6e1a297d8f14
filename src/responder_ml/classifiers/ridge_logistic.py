"""Ridge-penalised logistic regression in the smaller dimension."""

from collections.abc import Callable

import numpy as np
from scipy.linalg.blas import ssyrk
from scipy.linalg.lapack import spotrf
from scipy.special import expit

from responder_ml.arrays import Flags, Floats, Singles


def gram_logistic(grams: Floats, targets: Floats, C: Floats, present: Flags | None = None) -> tuple[Floats, Floats]:
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

    def keep(self, chosen: Flags) -> None:
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


MOST_ROWS_TOGETHER = 100
"""Up to here the Gram matrix of rows is the cheaper way, whatever the number of columns."""
# Steps scaled by the Hessian's diagonal before a Hessian is worth its price, and steps with one before its worth is judged.
_FIRST_STEPS, _STEPS_TO_JUDGE = 4, 3
_NO_FACTOR = np.empty((0, 0), np.float32)


def ridge_logistic(X: Floats, target: Floats, C: float) -> tuple[Floats, float]:
    """Return coefficients and intercept of ridge-penalised logistic regression.

    Parameters
    ----------
    X
        Samples x features.
    target
        0.0 or 1.0, shape ``(n_samples,)``.
    C
        Inverse penalty.
    """
    if X.shape[0] <= max(X.shape[1], MOST_ROWS_TOGETHER):
        dual, intercept = gram_logistic((X @ X.T)[None], target[None], np.array([C]))
        return np.asarray(X.T @ dual[0], dtype=np.float64), float(intercept[0])
    return primal_logistic(X, target, C)


def primal_logistic(X: Floats, target: Floats, C: float) -> tuple[Floats, float]:
    """Return coefficients and intercept of ridge-penalised logistic regression of more rows than columns.

    Conjugate steps, preconditioned by a Hessian in single precision that is worked out anew where that pays. Gradients are in
    double precision, so the Hessian decides how quickly the solution is reached, not which it is.

    Parameters
    ----------
    X
        Samples x features.
    target
        0.0 or 1.0, shape ``(n_samples,)``.
    C
        Inverse penalty.
    """
    # Compiled code is slow to load, and whoever only looks at a job does without.
    from responder_ml.classifiers.conjugate_steps import conjugate_steps

    rows, columns = X.shape
    centre = X.mean(axis=0)
    # Standardised columns are near zero as they come.
    centre = centre if np.abs(centre).max(initial=0.0) > 1.0 else np.zeros(columns)
    by_column = np.ascontiguousarray((X - centre if centre.any() else X).T)
    design = np.ones((rows, columns + 1), np.float32, order="F")
    design[:, :-1] = by_column.T
    share = target.mean()
    squares = np.einsum("ij,ij->i", by_column, by_column)
    diagonal = C * share * (1.0 - share) * np.append(squares, rows) + np.append(np.ones(columns), 0.0)
    theta = np.append(np.zeros(columns), np.log(share / (1.0 - share)))
    decision = np.full(rows, theta[-1])
    settled = conjugate_steps(by_column, target, C, _NO_FACTOR, diagonal, theta, decision, _FIRST_STEPS)
    for _ in range(MAX_STEPS):
        if settled:
            break
        factor = _hessian_factor(design, decision, C)
        settled = conjugate_steps(by_column, target, C, factor, diagonal, theta, decision, _STEPS_TO_JUDGE)
    return theta[:-1], float(theta[-1] - centre @ theta[:-1])


def _hessian_factor(design: Singles, decision: Floats, C: float) -> Singles:
    """Return the lower Cholesky factor of the penalised Hessian, column by column; nothing where rounding spoils it.

    Parameters
    ----------
    design
        Samples x features and a column of ones.
    decision
        Log-odds of the samples.
    C
        Inverse penalty.
    """
    probability = expit(decision)
    weight = np.maximum(C * probability * (1.0 - probability), LEAST_WEIGHT)
    hessian = ssyrk(1.0, design * np.sqrt(weight).astype(np.float32)[:, None], trans=True, lower=True)
    diagonal = np.arange(len(hessian))
    hessian[diagonal[:-1], diagonal[:-1]] += 1.0
    # Rounding must not cost the matrix its positive definiteness; the solution does not depend on it.
    hessian[diagonal, diagonal] *= 1.0 + 8.0 * np.finfo(np.float32).eps
    factor, failed = spotrf(hessian, lower=True, overwrite_a=True, clean=False)
    return _NO_FACTOR if failed else np.asarray(factor.T, dtype=np.float32)
