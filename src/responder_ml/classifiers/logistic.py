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
from scipy.special import expit
from sklearn import config_context
from sklearn.linear_model import LogisticRegression, enet_path

Floats = NDArray[np.float64]

_MAX_STEPS = 100
_MAX_HALVINGS = 30
# Newton converges quadratically: once a step is this small, what is left is near rounding.
_SMALL_STEP = 1e-7
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
    model = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-8, max_iter=200).fit(X, target)
    return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])


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
    share = np.sum(targets * here, axis=1) / np.sum(here, axis=1)
    intercept = np.log(share / (1.0 - share))
    dual = np.zeros((count, rows))
    smooth = np.zeros((count, rows))
    signs = (2.0 * targets - 1.0) * here
    loss = _losses(smooth + intercept[:, None], signs, here, C)
    identity = np.eye(rows)
    for _ in range(_MAX_STEPS):
        decision = smooth + intercept[:, None]
        probability = expit(decision)
        weight = np.maximum(probability * (1.0 - probability), _LEAST_WEIGHT)
        root = np.sqrt(C[:, None] * weight) * here
        working = decision + (targets - probability) / weight
        system = identity + root[:, :, None] * grams * root[:, None, :]
        solved = np.linalg.solve(system, np.stack([root * working, root], axis=2)) * root[:, :, None]
        sums = solved.sum(axis=1)
        full_intercept = sums[:, 0] / sums[:, 1]
        step_dual = solved[:, :, 0] - full_intercept[:, None] * solved[:, :, 1] - dual
        step_smooth = np.matmul(grams, step_dual[:, :, None])[:, :, 0]
        step_intercept = full_intercept - intercept
        scale = np.ones(count)
        for _ in range(_MAX_HALVINGS):
            new_dual = dual + scale[:, None] * step_dual
            new_smooth = smooth + scale[:, None] * step_smooth
            new_intercept = intercept + scale * step_intercept
            new_loss = _losses(new_smooth + new_intercept[:, None], signs, here, C)
            new_loss += 0.5 * np.einsum("ij,ij->i", new_dual, new_smooth)
            worse = new_loss > loss + 1e-12 * np.abs(loss)
            if not worse.any():
                break
            scale[worse] *= 0.5
        moved = np.abs((new_smooth + new_intercept[:, None] - decision) * here).max()
        dual, smooth, intercept, loss = new_dual, new_smooth, new_intercept, new_loss
        if moved < _SMALL_STEP * (1.0 + np.abs(decision).max()):
            break
    return dual, intercept


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
