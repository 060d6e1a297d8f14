"""Conjugate-gradient steps towards the minimum of one ridge-penalised logistic regression, as compiled loops.

References
----------
Polak E, Ribière G (1969) Rev Fr Inform Rech Opér 3:35-43, doi:10.1051/m2an/196903R100351
"""

import numpy as np

from responder_ml.arrays import Floats, Singles
from responder_ml.statistics.compiled import compiled

# Change of the decisions, relative to their size, that may remain after the last step.
_SMALL_REST = 1e-8
# Share of the objective that may remain to gain at the end.
_SMALL_GAIN = 1e-14
# Product of neighbouring gradients, as a share of the later one's own, from which on they are not conjugate.
_TURN = 0.5
# Computing a Hessian costs as much as so many steps.
_HESSIAN_COST = 10.0
_MAX_STEPS = 200
_MAX_HALVINGS = 30
# Factors between 1 and 2 whose product is far from overflowing.
_FACTORS = 512


@compiled
def conjugate_steps(
    by_column: Floats,
    target: Floats,
    C: float,
    factor: Singles,
    diagonal: Floats,
    theta: Floats,
    decision: Floats,
    fewest_steps: int,
) -> bool:
    """Descend from ``theta`` and ``decision``, both overwritten, and return whether the minimum was reached.

    If not, steps have become so short that a Hessian at the point reached would save time.

    Parameters
    ----------
    by_column
        Columns x samples.
    target
        0.0 or 1.0, shape ``(n_samples,)``.
    C
        Inverse penalty.
    factor
        Lower Cholesky factor of a Hessian near that of the minimum, stored column by column: ``factor[j, i]`` is its element in
        row i and column j. Without elements, ``diagonal`` is used.
    diagonal
        Of some Hessian, shape ``(n_columns + 1,)``.
    theta
        Coefficients, the intercept last.
    decision
        Log-odds of the samples.
    fewest_steps
        Steps before their progress is judged.
    """
    last = len(theta) - 1
    gradient, old_gradient, direction = np.zeros(last + 1), np.zeros(last + 1), np.zeros(last + 1)
    old_square, moved, old_moved, small_rest = 0.0, 0.0, 0.0, False
    residual, new_residual = np.empty(len(decision)), np.empty(len(decision))
    loss = _loss(decision, target, C, residual) + 0.5 * np.dot(theta[:last], theta[:last])
    for step in range(_MAX_STEPS):
        gradient[:last] = theta[:last] + np.dot(by_column, residual)
        gradient[last] = residual.sum()
        # The penalty's curvature is one, so half the squared gradient bounds what the objective can still fall.
        if small_rest and 0.5 * np.dot(gradient, gradient) <= _SMALL_GAIN * (1.0 + loss):
            return True
        scaled = _solve(factor, gradient) if len(factor) > 0 else gradient / diagonal
        square, product = np.dot(scaled, gradient), np.dot(scaled, old_gradient)
        # Where the last direction says little about the next, start anew (Powell's rule).
        share = max(0.0, (square - product) / old_square) if old_square > 0.0 and abs(product) < _TURN * square else 0.0
        direction = share * direction - scaled
        if np.dot(direction, gradient) >= 0.0:
            direction = -scaled
        old_gradient[:], old_square = gradient, square
        change = np.dot(direction[:last], by_column) + direction[last]
        full_length = length = _step_length(decision, change, target, C, theta, direction)
        for _ in range(_MAX_HALVINGS):
            new_theta, new_decision = theta + length * direction, decision + length * change
            new_loss = _loss(new_decision, target, C, new_residual) + 0.5 * np.dot(new_theta[:last], new_theta[:last])
            if new_loss <= loss + 1e-12 * abs(loss):
                break
            length *= 0.5
        else:
            return False
        theta[:], decision[:], loss, residual[:] = new_theta, new_decision, new_loss, new_residual
        if length < full_length:
            # So short a step says nothing about the rest, and the preconditioner is far off.
            old_square, old_moved, moved = 0.0, 0.0, 0.0
            if length < 0.5 * full_length:
                return False
            continue
        old_moved, moved = moved, length * np.abs(change).max()
        ratio = min(moved / old_moved, 1.0) if old_moved > 0.0 else 1.0
        small = _SMALL_REST * (1.0 + np.abs(decision).max())
        # Steps shrink by about one ratio, so the rest is a geometric series.
        small_rest = moved * ratio <= small * (1.0 - ratio)
        if not small_rest and step >= fewest_steps - 1 and np.log(small / moved) < _HESSIAN_COST * np.log(ratio):
            return False
    return False


@compiled
def _loss(decision: Floats, target: Floats, C: float, residual: Floats) -> float:
    """Return C times the logistic loss, and write C times (probability - target) into ``residual``."""
    total, product = 0.0, 1.0
    for row in range(len(decision)):
        small = np.exp(-abs(decision[row]))
        # The logarithm of a product of many factors from 1 to 2 costs one logarithm.
        product *= 1.0 + small
        if row % _FACTORS == 0:
            total += np.log(product)
            product = 1.0
        total += abs(decision[row]) if (decision[row] > 0.0) != (target[row] > 0.5) else 0.0
        residual[row] = C * ((1.0 if decision[row] > 0.0 else small) / (1.0 + small) - target[row])
    return float(C * (total + np.log(product)))


@compiled
def _step_length(decision: Floats, change: Floats, target: Floats, C: float, theta: Floats, direction: Floats) -> float:
    """Return how far to go: one Newton step in one dimension, from the end of the full step.

    Logistic losses flatten, so steps from the start fall short.
    """
    slope, curvature = 0.0, 0.0
    for row in range(len(decision)):
        probability = 1.0 / (1.0 + np.exp(-decision[row] - change[row]))
        slope += C * (probability - target[row]) * change[row]
        curvature += C * probability * (1.0 - probability) * change[row] * change[row]
    for column in range(len(theta) - 1):
        slope += (theta[column] + direction[column]) * direction[column]
        curvature += direction[column] * direction[column]
    return min(max(1.0 - slope / curvature, 0.5), 2.0) if curvature > 0.0 else 1.0


@compiled
def _solve(factor: Singles, gradient: Floats) -> Floats:
    """Solve with a Cholesky factor, forwards and back."""
    solution = gradient.astype(np.float32)
    for column in range(len(solution)):
        entries = factor[column]
        solution[column] /= entries[column]
        value = solution[column]
        for row in range(column + 1, len(solution)):
            solution[row] -= value * entries[row]
    for column in range(len(solution) - 1, -1, -1):
        entries = factor[column]
        total = np.float32(0.0)
        for row in range(column + 1, len(solution)):
            total += entries[row] * solution[row]
        solution[column] = (solution[column] - total) / entries[column]
    return solution.astype(np.float64)
