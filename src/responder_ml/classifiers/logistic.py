"""Solvers of penalised logistic regression for few rows: Newton in the smaller dimension, and coordinate descent.

Both minimise scikit-learn's objective, C x sum of logistic losses + (1 - l1_ratio) / 2 x ||w||^2 + l1_ratio x ||w||_1,
with a free intercept, to a tight tolerance; scikit-learn's own solvers stop earlier by default.

References
----------
Friedman J, Hastie T, Tibshirani R (2010) Regularization paths for generalized linear models via coordinate descent.
J Stat Softw 33(1). doi:10.18637/jss.v033.i01
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky
from scipy.linalg.blas import ssyrk
from scipy.linalg.lapack import spotrs
from scipy.special import expit
from sklearn import config_context
from sklearn.linear_model import enet_path

Floats = NDArray[np.float64]

_MAX_STEPS = 100
_MAX_HALVINGS = 30
# Steps along the gradient, scaled by the Hessian's diagonal, before a Hessian is worth its price.
_FIRST_STEPS = 2
# A Hessian that leaves more than this share of the last step is worked out again.
_SLOW = 0.3
# Change of the decisions, in parts of their size, that is left to a next step when the last one is taken.
_SMALL_REST = 1e-8
# Newton converges quadratically: once a step is this small, what is left is near rounding.
_SMALL_STEP = 1e-6
# A smaller weight would cost the working response all its digits.
_LEAST_WEIGHT = 1e-12
MOST_ROWS_TOGETHER = 100
"""Up to here the Gram matrix of rows is cheaper than a library call, whatever the number of columns."""


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
    for _ in range(_MAX_STEPS):
        done = newton.step() < _SMALL_STEP
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
        self._loss = _losses(self.intercept[:, None], self._signs, here, C)

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Go on with some of the problems."""
        for name, values in vars(self).items():
            setattr(self, name, values[chosen])

    def step(self) -> Floats:
        """Move every problem on and return how far its decisions went, in parts of their size."""
        decision = self._smooth + self.intercept[:, None]
        dual, smooth, intercept = self._direction(decision)
        scale = self._length(decision, dual, smooth, intercept)
        for _ in range(_MAX_HALVINGS):
            new_dual = self.dual + scale[:, None] * dual
            new_smooth = self._smooth + scale[:, None] * smooth
            new_intercept = self.intercept + scale * intercept
            loss = _losses(new_smooth + new_intercept[:, None], self._signs, self._here, self._C)
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
        weight = np.maximum(probability * (1.0 - probability), _LEAST_WEIGHT)
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
    rows, columns = X.shape
    design = np.ones((rows, columns + 1), order="F")
    design[:, :-1] = X
    single = design.astype(np.float32)
    penalty = np.append(np.ones(columns), 0.0)
    signs, here, inverse = 2.0 * target - 1.0, np.ones(rows), np.array(C)

    def objective(state: Floats) -> float:
        return float(_losses(state[columns + 1 :], signs, here, inverse)) + 0.5 * float(
            penalty @ state[: columns + 1] ** 2
        )

    # Coefficients, the intercept, and the decisions these give.
    share = target.mean()
    state = np.concatenate([np.zeros(columns), np.full(rows + 1, np.log(share / (1.0 - share)))])
    loss, last, factor = objective(state), 0.0, None
    for number in range(_MAX_STEPS):
        theta, decision = state[: columns + 1], state[columns + 1 :]
        probability = expit(decision)
        gradient = penalty * theta + design.T @ (C * (probability - target))
        if number < _FIRST_STEPS:
            step = -gradient / (penalty + C * rows * share * (1.0 - share))
        else:
            if factor is None:
                factor = _hessian_factor(single, C * probability * (1.0 - probability), penalty)
            step = -spotrs(factor, gradient.astype(np.float32), lower=True)[0].astype(np.float64)
        along = design @ step
        probability = expit(decision + along)
        slope = C * (probability - target) @ along + (penalty * step) @ (theta + step)
        curvature = C * (probability * (1.0 - probability)) @ along**2 + (penalty * step) @ step
        scale = newton_length(np.atleast_1d(slope), np.atleast_1d(curvature))
        state, loss = _damped(objective, state, scale * np.append(step, along), loss)
        moved = float(np.abs(state[columns + 1 :] - decision).max())
        shrunk, last = (moved / last if moved < last else 1.0), moved
        # What is left after this step is about what the next would be.
        if factor is not None and moved * shrunk < _SMALL_REST * (1.0 + np.abs(decision).max()):
            break
        if shrunk > _SLOW:
            factor = None
    return state[:columns], float(state[columns])


def _hessian_factor(single: NDArray[np.float32], weight: Floats, penalty: Floats) -> NDArray[np.float32]:
    """Return the lower Cholesky factor of the penalised Hessian."""
    rooted = single * np.sqrt(np.maximum(weight, _LEAST_WEIGHT)).astype(np.float32)[:, None]
    hessian = ssyrk(1.0, rooted, trans=True, lower=True)
    diagonal = np.arange(len(penalty))
    hessian[diagonal, diagonal] += penalty
    return np.asarray(cholesky(hessian, lower=True, overwrite_a=True, check_finite=False), dtype=np.float32)


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


def _losses(decision: Floats, signs: Floats, here: Floats, C: Floats) -> Floats:
    return np.asarray(C * np.sum(here * np.logaddexp(0.0, -signs * decision), axis=-1), dtype=np.float64)


def elastic_logistic(X: Floats, target: Floats, C: float, l1_ratio: float) -> tuple[Floats, float]:
    """Return coefficients and intercept of logistic regression with an elastic-net penalty.

    Proximal Newton: each step is a weighted least-squares elastic net, solved by scikit-learn's coordinate descent and
    damped until the objective falls.

    Parameters
    ----------
    X
        Samples x features.
    target
        0.0 or 1.0, shape ``(n_samples,)``.
    C
        Inverse penalty.
    l1_ratio
        Share of the penalty that is absolute, above 0 and at most 1.
    """
    rows, columns = X.shape
    share = target.mean()
    theta = np.zeros(columns + 1)
    theta[-1] = np.log(share / (1.0 - share))
    signs, here, penalty = 2.0 * target - 1.0, np.ones(rows), np.array(C)

    def objective(values: Floats) -> float:
        weights = values[:-1]
        smooth = float(_losses(X @ weights + values[-1], signs, here, penalty))
        return smooth + 0.5 * (1.0 - l1_ratio) * float(weights @ weights) + l1_ratio * float(np.abs(weights).sum())

    loss = objective(theta)
    for _ in range(_MAX_STEPS):
        decision = X @ theta[:-1] + theta[-1]
        probability = expit(decision)
        weight = np.maximum(probability * (1.0 - probability), _LEAST_WEIGHT)
        working = decision + (target - probability) / weight
        proposal = _weighted_elastic_net(X, working, C * weight, l1_ratio, theta[:-1])
        theta, loss = _damped(objective, theta, proposal - theta, loss)
        moved = np.abs(X @ theta[:-1] + theta[-1] - decision).max()
        if moved < _SMALL_STEP * (1.0 + np.abs(decision).max()):
            break
    return theta[:-1], float(theta[-1])


def _weighted_elastic_net(X: Floats, working: Floats, weight: Floats, l1_ratio: float, start: Floats) -> Floats:
    """Minimise half the weighted squares plus the penalty; the intercept is taken out by weighted centring."""
    rows = len(working)
    total = weight.sum()
    centre, level = (weight @ X) / total, float(weight @ working) / total
    root = np.sqrt(weight)
    design = np.asfortranarray((X - centre) * root[:, None])
    response = (working - level) * root
    # Checking the arguments would take longer than these few rows do.
    with config_context(skip_parameter_validation=True):
        _, path, _ = enet_path(
            design,
            response,
            l1_ratio=l1_ratio,
            alphas=[1.0 / rows],
            coef_init=start.copy(),
            check_input=False,
            precompute=False,
            tol=1e-8,
            max_iter=100_000,
        )
    coefficients = path[:, 0]
    return np.append(coefficients, level - centre @ coefficients)


def _damped(objective: Callable[[Floats], float], start: Floats, step: Floats, loss: float) -> tuple[Floats, float]:
    """Halve a step until the objective does not rise."""
    scale = 1.0
    for _ in range(_MAX_HALVINGS):
        trial = start + scale * step
        trial_loss = objective(trial)
        if trial_loss <= loss + 1e-12 * abs(loss):
            return trial, trial_loss
        scale *= 0.5
    return start, loss
