"""Logistic regression with an elastic-net penalty by coordinate descent.

References
----------
Friedman J, Hastie T, Tibshirani R (2010) Regularization paths for generalized linear models via coordinate descent.
J Stat Softw 33(1). doi:10.18637/jss.v033.i01
"""

from collections.abc import Callable

import numpy as np
from scipy.special import expit
from sklearn import config_context
from sklearn.linear_model import enet_path

from responder_ml.arrays import Floats
from responder_ml.classifiers.ridge_logistic import (
    LEAST_WEIGHT,
    MAX_HALVINGS,
    MAX_STEPS,
    SMALL_STEP,
    logistic_losses,
)


def elastic_logistic(X: Floats, target: Floats, C: float, l1_ratio: float) -> tuple[Floats, float]:
    """Return coefficients and intercept of logistic regression with an elastic-net penalty.

    Few columns end up with a coefficient. The problem is therefore solved on the columns whose gradient outweighs the absolute
    penalty, and solved again with the columns that the solution adds to these, until it adds none.

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
    columns = X.shape[1]
    share = target.mean()
    theta = np.append(np.zeros(columns), np.log(share / (1.0 - share)))
    active = np.zeros(columns, dtype=bool)
    while True:
        residual = target - expit(X[:, active] @ theta[:-1][active] + theta[-1])
        missing = ~active & (C * np.abs(residual @ X) > l1_ratio)
        if not missing.any():
            return theta[:-1], float(theta[-1])
        active |= missing
        entries = np.append(active, True)
        theta[entries] = _proximal_newton(X[:, active], target, C, l1_ratio, theta[entries])


def _proximal_newton(X: Floats, target: Floats, C: float, l1_ratio: float, theta: Floats) -> Floats:
    """Return coefficients with the intercept last, starting from ``theta``.

    Each step is a weighted least-squares elastic net, solved by scikit-learn's coordinate descent and damped until the objective
    falls.
    """
    signs, counts, penalty = 2.0 * target - 1.0, np.ones(len(X)), np.array(C)

    def objective(values: Floats) -> float:
        weights = values[:-1]
        loss = float(logistic_losses(X @ weights + values[-1], signs, counts, penalty))
        return loss + 0.5 * (1.0 - l1_ratio) * float(weights @ weights) + l1_ratio * float(np.abs(weights).sum())

    value = objective(theta)
    for _ in range(MAX_STEPS):
        decision = X @ theta[:-1] + theta[-1]
        probability = expit(decision)
        weight = np.maximum(probability * (1.0 - probability), LEAST_WEIGHT)
        working = decision + (target - probability) / weight
        proposal = _weighted_elastic_net(X, working, C * weight, l1_ratio, theta[:-1])
        theta, value = _damped(objective, theta, proposal - theta, value)
        moved = np.abs(X @ theta[:-1] + theta[-1] - decision).max()
        if moved < SMALL_STEP * (1.0 + np.abs(decision).max()):
            break
    return theta


def _weighted_elastic_net(X: Floats, working: Floats, weight: Floats, l1_ratio: float, start: Floats) -> Floats:
    """Minimise half the weighted squares plus the penalty; weighted centring removes the intercept."""
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


def _damped(objective: Callable[[Floats], float], start: Floats, step: Floats, value: float) -> tuple[Floats, float]:
    """Halve a step until the objective does not rise from ``value``; return the point reached and its objective."""
    scale = 1.0
    for _ in range(MAX_HALVINGS):
        trial = start + scale * step
        trial_value = objective(trial)
        if trial_value <= value + 1e-12 * abs(value):
            return trial, trial_value
        scale *= 0.5
    return start, value
