"""Ridge-penalised logistic regression in the smaller dimension."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import ssyrk
from scipy.linalg.lapack import spotrf
from scipy.special import expit

from responder_ml.classifiers.gram_logistic import gram_logistic
from responder_ml.classifiers.logistic_loss import LEAST_WEIGHT, MAX_STEPS

Floats = NDArray[np.float64]

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


def _hessian_factor(design: NDArray[np.float32], decision: Floats, C: float) -> NDArray[np.float32]:
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
