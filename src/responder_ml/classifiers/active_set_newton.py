"""Newton's method for logistic regression with an elastic-net penalty, on the few columns with a coefficient, as compiled loops.

Where no coefficient changes sign the penalty is smooth, so Newton's method reaches the minimum in a few steps. A step that
would take a coefficient across zero ends there; a column enters where its gradient outweighs the absolute penalty. Columns are
let in a few at a time, since at the start most gradients are large and in the end few columns have a coefficient.

References
----------
Andrew G, Gao J (2007) Scalable training of L1-regularized log-linear models. doi:10.1145/1273496.1273501 (steps that end at zero)
"""

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.statistics.compiled import compiled

# Columns let in at first; later as many as there are, so that their number doubles.
_FEWEST_COLUMNS = 10
# Share of the absolute penalty by which a gradient must exceed it.
_CLEAR_EXCESS = 1e-9
# Change of the decisions, relative to their size, after which the rest is near rounding: steps converge quadratically.
_SMALL_STEP = 1e-7
# A smaller weight of an observation would cost the Hessian all its digits.
_LEAST_WEIGHT = 1e-12
# Share of the Hessian's mean diagonal that is added to it, so that equal columns under an absolute penalty alone can be told apart.
_RIDGE = 1e-12
# Share of the objective up to which it may rise by rounding.
_ROUNDING = 1e-12
_MAX_STEPS, _MAX_HALVINGS = 500, 40


@compiled
def active_set_newton(by_column: Floats, target: Floats, C: float, absolute: float, square: float) -> Floats:
    """Return the coefficients that minimise C x logistic losses + absolute x |w| + square / 2 x w^2, the intercept last.

    Parameters
    ----------
    by_column
        Columns x samples.
    target
        0.0 or 1.0, shape ``(n_samples,)``.
    C
        Inverse penalty.
    absolute, square
        Weights of the two penalties; ``absolute`` above 0.
    """
    n_columns, n_samples = by_column.shape
    theta, size = np.zeros(n_columns + 1), np.empty(n_columns)
    members, of_members = np.empty(n_columns, np.intp), np.zeros(n_columns + 1)
    working, n_working = np.zeros(n_columns, np.bool_), 0
    theta[n_columns] = np.log(target.sum() / (n_samples - target.sum()))
    decision, residual = np.empty(n_samples), np.empty(n_samples)
    decision[:] = theta[n_columns]
    for _ in range(n_columns):
        for row in range(n_samples):
            residual[row] = C * (1.0 / (1.0 + np.exp(-decision[row])) - target[row])
        gradients = np.dot(by_column, residual)
        for column in range(n_columns):
            size[column] = 0.0 if working[column] else abs(gradients[column])
        if not _let_in(working, size, absolute * (1.0 + _CLEAR_EXCESS), max(_FEWEST_COLUMNS, n_working)):
            break
        n_working = 0
        for column in range(n_columns):
            if working[column]:
                members[n_working], of_members[n_working] = column, theta[column]
                n_working += 1
        of_members[n_working] = theta[n_columns]
        columns = np.empty((n_working, n_samples))
        for number in range(n_working):
            columns[number] = by_column[members[number]]
        _minimise(columns, target, C, absolute, square, of_members[: n_working + 1], decision)
        for number in range(n_working):
            theta[members[number]] = of_members[number]
        theta[n_columns] = of_members[n_working]
    return theta


@compiled
def _let_in(working: Flags, size: Floats, limit: float, most: int) -> bool:
    """Add the columns with the largest gradients above the limit, and all that equal the last of them; False for none."""
    largest, n_added = np.inf, 0
    while n_added < most:
        following = 0.0
        for column in range(len(size)):
            if size[column] < largest and size[column] > following:
                following = size[column]
        if following <= limit:
            break
        largest = following
        for column in range(len(size)):
            if size[column] == largest:
                working[column] = True
                n_added += 1
    return n_added > 0


@compiled
def _minimise(
    columns: Floats, target: Floats, C: float, absolute: float, square: float, theta: Floats, decision: Floats
) -> None:
    """Overwrite the coefficients of some columns, the intercept last, and the decisions by those at the minimum."""
    last, n_samples = len(theta) - 1, len(target)
    residual, weight, new_decision = np.empty(n_samples), np.empty(n_samples), np.empty(n_samples)
    downhill, sign, direction, new = np.empty(last + 1), np.empty(last + 1), np.empty(last + 1), np.empty(last + 1)
    value = _objective(columns, target, C, absolute, square, theta, decision)
    for _ in range(_MAX_STEPS):
        size = 1.0
        for row in range(n_samples):
            probability = 1.0 / (1.0 + np.exp(-decision[row]))
            residual[row] = C * (probability - target[row])
            weight[row] = C * max(probability * (1.0 - probability), _LEAST_WEIGHT)
            size = max(size, 1.0 + abs(decision[row]))
        gradients = np.dot(columns, residual)
        for column in range(last):
            gradient = gradients[column] + square * theta[column]
            sign[column] = np.sign(theta[column])
            if sign[column] == 0.0 and abs(gradient) > absolute * (1.0 + _CLEAR_EXCESS):
                sign[column] = -np.sign(gradient)
            downhill[column] = -gradient - absolute * sign[column]
        downhill[last] = -residual.sum()
        is_whole = _newton_step(columns, weight, downhill, sign, square, theta, direction)
        new_value, is_full = _move(columns, target, C, absolute, square, theta, direction, value, new, new_decision)
        if not new_value <= value + _ROUNDING * abs(value):
            return
        moved = 0.0
        for row in range(n_samples):
            moved = max(moved, abs(new_decision[row] - decision[row]))
        theta[:], decision[:], value = new, new_decision, new_value
        if is_full and is_whole and moved <= _SMALL_STEP * size:
            return


@compiled
def _newton_step(
    columns: Floats, weight: Floats, downhill: Floats, sign: Floats, square: float, theta: Floats, direction: Floats
) -> bool:
    """Write the Newton step of the columns with a sign, and return whether all of these take part in it.

    A column without a coefficient waits, and loses its sign, where the step would take it to the other side of zero at once.
    """
    last, is_whole = len(theta) - 1, True
    free, step = np.empty(last + 1, np.intp), np.empty(last + 1)
    while True:
        count = 0
        for column in range(last):
            if sign[column] != 0.0:
                free[count], step[count] = column, downhill[column]
                count += 1
        free[count], step[count] = last, downhill[last]
        _solve(_hessian(columns, weight, square, free[:count]), step[: count + 1])
        is_refused = False
        for number in range(count):
            column = free[number]
            if theta[column] == 0.0 and step[number] * sign[column] <= 0.0:
                sign[column] = 0.0
                is_refused = True
        if not is_refused:
            direction[:] = 0.0
            for number in range(count + 1):
                direction[free[number]] = step[number]
            return is_whole
        is_whole = False


@compiled
def _hessian(columns: Floats, weight: Floats, square: float, free: Indices) -> Floats:
    """Return the Hessian of the free columns and, last, of the intercept."""
    count = len(free)
    scaled = np.empty((count + 1, len(weight)))
    for row in range(len(weight)):
        root = np.sqrt(weight[row])
        for number in range(count):
            scaled[number, row] = columns[free[number], row] * root
        scaled[count, row] = root
    hessian: Floats = np.dot(scaled, scaled.T)
    trace = 0.0
    for number in range(count + 1):
        trace += hessian[number, number]
    for number in range(count + 1):
        hessian[number, number] += _RIDGE * trace / (count + 1) + (square if number < count else 0.0)
    return hessian


@compiled
def _solve(matrix: Floats, vector: Floats) -> None:
    """Overwrite the vector by the solution of a positive definite system, and the matrix by its Cholesky factor."""
    count = len(vector)
    for row in range(count):
        for column in range(row + 1):
            rest = matrix[row, column]
            for index in range(column):
                rest -= matrix[row, index] * matrix[column, index]
            if column < row:
                matrix[row, column] = rest / matrix[column, column]
            else:
                # A pivot lost to rounding is as good as none: the step is short, and the next one goes on.
                matrix[row, row] = np.sqrt(rest) if rest > 0.0 else np.inf
    for row in range(count):
        rest = vector[row]
        for index in range(row):
            rest -= matrix[row, index] * vector[index]
        vector[row] = rest / matrix[row, row]
    for row in range(count - 1, -1, -1):
        rest = vector[row] / matrix[row, row]
        vector[row] = rest
        for index in range(row):
            vector[index] -= matrix[row, index] * rest


@compiled
def _move(
    columns: Floats,
    target: Floats,
    C: float,
    absolute: float,
    square: float,
    theta: Floats,
    direction: Floats,
    value: float,
    new: Floats,
    new_decision: Floats,
) -> tuple[float, bool]:
    """Write the point reached and its decisions; return its objective, and whether it is the end of the full step.

    Coefficients that would cross zero stay there. If the objective then rises, the step ends where the first one crosses, and is
    halved from there.
    """
    last, crossing, length = len(theta) - 1, 1.0, 1.0
    for column in range(last):
        if theta[column] * (theta[column] + direction[column]) < 0.0:
            crossing = min(crossing, -theta[column] / direction[column])
    is_full, new_value = crossing == 1.0, np.inf
    for _ in range(_MAX_HALVINGS):
        for column in range(last + 1):
            new[column] = theta[column] + length * direction[column]
            if column < last and theta[column] != 0.0 and new[column] * theta[column] <= 1e-14 * theta[column] ** 2:
                new[column] = 0.0
        new_value = _objective(columns, target, C, absolute, square, new, new_decision)
        # Where a coefficient arrives at zero the step has done its work, however short: it may not be halved for a rounding error.
        if new_value <= value + (_ROUNDING * abs(value) if is_full or length == crossing else 0.0):
            break
        length = crossing if length > crossing else 0.5 * length
        is_full = False
    return new_value, is_full


@compiled
def _objective(
    columns: Floats, target: Floats, C: float, absolute: float, square: float, theta: Floats, decision: Floats
) -> float:
    """Write the decisions at a point, and return the objective."""
    last, loss, penalty = len(theta) - 1, 0.0, 0.0
    decision[:] = theta[last]
    for column in range(last):
        coefficient = theta[column]
        if coefficient != 0.0:
            penalty += absolute * abs(coefficient) + 0.5 * square * coefficient * coefficient
            for row in range(len(decision)):
                decision[row] += coefficient * columns[column, row]
    for row in range(len(decision)):
        loss += np.log(1.0 + np.exp(-abs(decision[row])))
        if (decision[row] > 0.0) != (target[row] > 0.5):
            loss += abs(decision[row])
    return C * loss + penalty
