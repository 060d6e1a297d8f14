"""Ridge-penalised logistic regression by Newton's method in the smaller dimension."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky
from scipy.linalg.blas import ssyrk
from scipy.linalg.lapack import spotrs
from scipy.special import expit

from responder_ml.classifiers.gram_logistic import gram_logistic
from responder_ml.classifiers.logistic_loss import LEAST_WEIGHT, MAX_STEPS, damped, losses, newton_length

Floats = NDArray[np.float64]

MOST_ROWS_TOGETHER = 100
"""Up to here the Gram matrix of rows is the cheaper way, whatever the number of columns."""
# Steps along the gradient, scaled by the Hessian's diagonal, before a Hessian is worth its price.
_FIRST_STEPS = 2
# A Hessian that leaves more than this share of the last step is worked out again.
_SLOW = 0.3
# Change of the decisions, in parts of their size, that is left to a next step when the last one is taken.
_SMALL_REST = 1e-8


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

    Newton's method with a Hessian in single precision, kept as long as it still brings steps down fast. Gradients are in double
    precision, so the Hessian decides how quickly the solution is reached, not which it is.

    Parameters
    ----------
    X
        Samples x features.
    target
        0.0 or 1.0, shape ``(n_samples,)``.
    C
        Inverse penalty.
    """
    centre = X.mean(axis=0)
    newton = _Newton(X - centre, target, C)
    last, factor = 0.0, None
    for number in range(MAX_STEPS):
        if number < _FIRST_STEPS:
            step = newton.gradient_step()
        else:
            factor = newton.hessian_factor() if factor is None else factor
            step = newton.step(factor)
        moved = newton.move(step)
        shrunk, last = (moved / last if moved < last else 1.0), moved
        # What is left after this step is about what the next would be.
        if factor is not None and moved * shrunk < _SMALL_REST * (1.0 + np.abs(newton.decision).max()):
            break
        if shrunk > _SLOW:
            factor = None
    coefficients = newton.theta[:-1]
    return coefficients, float(newton.theta[-1] - centre @ coefficients)


class _Newton:
    """One ridge-penalised logistic regression on its way: coefficients with the intercept last, and the decisions they give."""

    def __init__(self, X: Floats, target: Floats, C: float) -> None:
        rows, columns = X.shape
        self._design = np.ones((rows, columns + 1), order="F")
        self._design[:, :-1] = X
        self._single = self._design.astype(np.float32)
        self._penalty = np.append(np.ones(columns), 0.0)
        self._target, self._C = target, C
        self._signs, self._here, self._inverse = 2.0 * target - 1.0, np.ones(rows), np.array(C)
        share = target.mean()
        self._weight_at_start = share * (1.0 - share)
        # Coefficients, intercept and decisions in one array: a step is damped in all of them alike.
        self._state = np.concatenate([np.zeros(columns), np.full(rows + 1, np.log(share / (1.0 - share)))])
        self._loss = self._objective(self._state)

    @property
    def theta(self) -> Floats:
        """Coefficients, the intercept last."""
        return self._state[: len(self._penalty)]

    @property
    def decision(self) -> Floats:
        """Log-odds of the rows."""
        return self._state[len(self._penalty) :]

    def gradient_step(self) -> Floats:
        """Return a step along the gradient, scaled by the Hessian's diagonal for standardised columns at the start."""
        diagonal = self._penalty + self._C * len(self._target) * self._weight_at_start
        return np.asarray(-self._gradient() / diagonal, dtype=np.float64)

    def step(self, factor: NDArray[np.float32]) -> Floats:
        """Return a Newton step from the factor of some Hessian."""
        solution, _ = spotrs(factor, self._gradient().astype(np.float32), lower=True)
        return -np.asarray(solution, dtype=np.float64)

    def hessian_factor(self) -> NDArray[np.float32]:
        """Return the lower Cholesky factor of the penalised Hessian."""
        probability = expit(self.decision)
        weight = np.maximum(self._C * probability * (1.0 - probability), LEAST_WEIGHT)
        rooted = self._single * np.sqrt(weight).astype(np.float32)[:, None]
        hessian = ssyrk(1.0, rooted, trans=True, lower=True)
        diagonal = np.arange(len(self._penalty))
        hessian[diagonal, diagonal] += self._penalty
        # Rounding must not cost the matrix its positive definiteness; the solution does not depend on it.
        hessian[diagonal, diagonal] *= 1.0 + 8.0 * np.finfo(np.float32).eps
        return np.asarray(cholesky(hessian, lower=True, overwrite_a=True, check_finite=False), dtype=np.float32)

    def move(self, step: Floats) -> float:
        """Go along a step, as far as is good, and return how far the decisions moved."""
        along = self._design @ step
        before = self.decision
        probability = expit(before + along)
        slope = self._C * (probability - self._target) @ along + (self._penalty * step) @ (self.theta + step)
        curvature = self._C * (probability * (1.0 - probability)) @ along**2 + (self._penalty * step) @ step
        length = newton_length(np.atleast_1d(slope), np.atleast_1d(curvature))
        whole = length * np.append(step, along)
        self._state, self._loss = damped(self._objective, self._state, whole, self._loss)
        return float(np.abs(self.decision - before).max())

    def _gradient(self) -> Floats:
        smooth = self._design.T @ (self._C * (expit(self.decision) - self._target))
        return np.asarray(self._penalty * self.theta + smooth, dtype=np.float64)

    def _objective(self, state: Floats) -> float:
        theta, decision = state[: len(self._penalty)], state[len(self._penalty) :]
        smooth = float(losses(decision, self._signs, self._here, self._inverse))
        return smooth + 0.5 * float(self._penalty @ theta**2)
