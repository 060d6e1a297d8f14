"""Ridge-penalised logistic regression, solved in the smaller dimension: rows by their Gram matrix, or columns.

The objective is scikit-learn's, C x sum of logistic losses + (1 - l1_ratio) / 2 x ||w||^2 + l1_ratio x ||w||_1, with a free
intercept and, here, an ``l1_ratio`` of 0; `elastic_logistic` minimises the same losses under the other penalties. The solvers
go on to a tight tolerance; scikit-learn's stop earlier by default.
"""

import numpy as np
from scipy.linalg.blas import ssyrk
from scipy.linalg.lapack import spotrf
from scipy.special import expit

from responder_ml.arrays import Flags, Floats, Singles

MAX_GRAM_ROWS = 100
"""Up to so many rows their Gram matrix is the cheaper way, whatever the number of columns."""
MAX_STEPS = 100
MAX_HALVINGS = 30
SMALL_STEP = 1e-7
"""Newton's method converges quadratically: after a step that changes decisions by this share, the rest is near rounding."""
LEAST_WEIGHT = 1e-12
"""A smaller weight of an observation would cost its working response all its digits."""

# Steps scaled by the Hessian's diagonal before a Hessian is computed, and steps with one before its use is judged.
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
    if X.shape[0] <= max(X.shape[1], MAX_GRAM_ROWS):
        dual, intercept = gram_logistic((X @ X.T)[None], target[None], np.array([C]))
        return np.asarray(X.T @ dual[0], dtype=np.float64), float(intercept[0])
    return primal_logistic(X, target, C)


def primal_logistic(X: Floats, target: Floats, C: float) -> tuple[Floats, float]:
    """Return coefficients and intercept of ridge-penalised logistic regression of more rows than columns.

    Conjugate-gradient steps, preconditioned by a Hessian in single precision that is computed anew where that saves time.
    Gradients are in double precision, so the Hessian decides how quickly the solution is reached, not which it is.

    Parameters
    ----------
    X
        Samples x features.
    target
        0.0 or 1.0, shape ``(n_samples,)``.
    C
        Inverse penalty.
    """
    # Compiled code is slow to load, and commands that only describe a job do not need it.
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
    converged = conjugate_steps(by_column, target, C, _NO_FACTOR, diagonal, theta, decision, _FIRST_STEPS)
    for _ in range(MAX_STEPS):
        if converged:
            break
        factor = _hessian_factor(design, decision, C)
        converged = conjugate_steps(by_column, target, C, factor, diagonal, theta, decision, _STEPS_TO_JUDGE)
    return theta[:-1], float(theta[-1] - centre @ theta[:-1])


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
        False for rows that only pad a smaller problem, shape ``(m, n)``.

    Returns
    -------
    dual, intercept
        Shapes ``(m, n)`` and ``(m,)``: coefficients are ``X.T @ dual``.
    """
    count, rows = targets.shape
    counts = np.ones((count, rows)) if present is None else present.astype(np.float64)
    dual, intercept = np.zeros((count, rows)), np.zeros(count)
    unsolved = np.arange(count)
    newton = _GramNewton(grams, targets, np.asarray(C, dtype=np.float64), counts)
    for _ in range(MAX_STEPS):
        converged = newton.step() < SMALL_STEP
        dual[unsolved], intercept[unsolved] = newton.dual, newton.intercept
        if converged.all():
            break
        if converged.any():
            unsolved = unsolved[~converged]
            newton.select(~converged)
    return dual, intercept


def logistic_losses(decision: Floats, signs: Floats, counts: Floats, C: Floats) -> Floats:
    """Return C x sum of logistic losses over the last axis.

    Parameters
    ----------
    decision
        Log-odds, shape ``(..., n)``.
    signs
        The classes as plus or minus one.
    counts
        1.0, or 0.0 for observations that do not count.
    C
        Inverse penalty, shape ``(...)``.
    """
    return np.asarray(C * np.sum(counts * np.logaddexp(0.0, -signs * decision), axis=-1), dtype=np.float64)


class _GramNewton:
    """Damped Newton steps of several ridge-penalised logistic regressions, in the coefficients of their rows."""

    def __init__(self, grams: Floats, targets: Floats, C: Floats, counts: Floats) -> None:
        self._grams, self._targets, self._C, self._counts = grams, targets, C, counts
        share = np.sum(targets * counts, axis=1) / np.sum(counts, axis=1)
        self.intercept = np.log(share / (1.0 - share))
        self.dual = np.zeros_like(targets)
        # Decisions less the intercepts.
        self._linear = np.zeros_like(targets)
        self._signs = (2.0 * targets - 1.0) * counts
        self._loss = logistic_losses(self.intercept[:, None], self._signs, counts, C)

    def select(self, chosen: Flags) -> None:
        """Continue with some of the problems only."""
        for name, values in vars(self).items():
            setattr(self, name, values[chosen])

    def step(self) -> Floats:
        """Take one step in every problem and return how far its decisions moved, relative to their size."""
        decision = self._linear + self.intercept[:, None]
        dual, linear, intercept = self._direction(decision)
        scale = self._step_length(decision, dual, linear, intercept)
        for _ in range(MAX_HALVINGS):
            new_dual = self.dual + scale[:, None] * dual
            new_linear = self._linear + scale[:, None] * linear
            new_intercept = self.intercept + scale * intercept
            loss = logistic_losses(new_linear + new_intercept[:, None], self._signs, self._counts, self._C)
            loss += 0.5 * np.einsum("ij,ij->i", new_dual, new_linear)
            worse = loss > self._loss + 1e-12 * np.abs(self._loss)
            if not worse.any():
                break
            scale[worse] *= 0.5
        moved = np.abs((new_linear + new_intercept[:, None] - decision) * self._counts).max(axis=1)
        self.dual, self._linear, self.intercept, self._loss = new_dual, new_linear, new_intercept, loss
        return np.asarray(moved / (1.0 + np.abs(decision).max(axis=1)), dtype=np.float64)

    def _step_length(self, decision: Floats, dual: Floats, linear: Floats, intercept: Floats) -> Floats:
        """Return how far to go along each full step: one Newton step in one dimension, from its end.

        Logistic losses flatten, so steps from the start fall short; this one correction saves whole factorisations.
        """
        change = (linear + intercept[:, None]) * self._counts
        probability = expit(decision + change)
        weight = probability * (1.0 - probability)
        slope = self._C * np.einsum("ij,ij->i", probability - self._targets, change)
        curvature = self._C * np.einsum("ij,ij,ij->i", weight, change, change)
        slope += np.einsum("ij,ij->i", self.dual + dual, linear)
        curvature += np.einsum("ij,ij->i", dual, linear)
        correction = np.divide(slope, curvature, out=np.zeros_like(slope), where=curvature > 0)
        return np.asarray(np.clip(1.0 - correction, 0.5, 2.0), dtype=np.float64)

    def _direction(self, decision: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the full steps of the duals, of the decisions less the intercepts, and of the intercepts."""
        probability = expit(decision)
        weight = np.maximum(probability * (1.0 - probability), LEAST_WEIGHT)
        root = np.sqrt(self._C[:, None] * weight) * self._counts
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


def _hessian_factor(design: Singles, decision: Floats, C: float) -> Singles:
    """Return the lower Cholesky factor of the penalised Hessian, column by column; no element where rounding spoils it.

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
