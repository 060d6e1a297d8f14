"""Logistic regression with an elastic-net penalty by coordinate descent.

References
----------
Friedman J, Hastie T, Tibshirani R (2010) Regularization paths for generalized linear models via coordinate descent.
J Stat Softw 33(1). doi:10.18637/jss.v033.i01
"""

import numpy as np
from scipy.special import expit
from sklearn import config_context
from sklearn.linear_model import enet_path

from responder_ml.arrays import Floats
from responder_ml.classifiers.ridge_logistic import LEAST_WEIGHT, MAX_STEPS, SMALL_STEP, damped, losses


def elastic_logistic(X: Floats, target: Floats, C: float, l1_ratio: float) -> tuple[Floats, float]:
    """Return coefficients and intercept of logistic regression with an elastic-net penalty.

    Few columns end up with a coefficient, so the problem is solved on those whose gradient outweighs the absolute penalty, and
    again with whichever the solution brings in, until no column outside is missed.

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
    inside = np.zeros(columns, dtype=bool)
    while True:
        residual = target - expit(X[:, inside] @ theta[:-1][inside] + theta[-1])
        missed = ~inside & (C * np.abs(residual @ X) > l1_ratio)
        if not missed.any():
            return theta[:-1], float(theta[-1])
        inside |= missed
        kept = np.append(inside, True)
        theta[kept] = _proximal_newton(X[:, inside], target, C, l1_ratio, theta[kept])


def _proximal_newton(X: Floats, target: Floats, C: float, l1_ratio: float, theta: Floats) -> Floats:
    """Return coefficients with the intercept last, starting from some.

    Each step is a weighted least-squares elastic net, solved by scikit-learn's coordinate descent and damped until the objective
    falls.
    """
    signs, here, penalty = 2.0 * target - 1.0, np.ones(len(X)), np.array(C)

    def objective(values: Floats) -> float:
        weights = values[:-1]
        smooth = float(losses(X @ weights + values[-1], signs, here, penalty))
        return smooth + 0.5 * (1.0 - l1_ratio) * float(weights @ weights) + l1_ratio * float(np.abs(weights).sum())

    loss = objective(theta)
    for _ in range(MAX_STEPS):
        decision = X @ theta[:-1] + theta[-1]
        probability = expit(decision)
        weight = np.maximum(probability * (1.0 - probability), LEAST_WEIGHT)
        working = decision + (target - probability) / weight
        proposal = _weighted_elastic_net(X, working, C * weight, l1_ratio, theta[:-1])
        theta, loss = damped(objective, theta, proposal - theta, loss)
        moved = np.abs(X @ theta[:-1] + theta[-1] - decision).max()
        if moved < SMALL_STEP * (1.0 + np.abs(decision).max()):
            break
    return theta


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
