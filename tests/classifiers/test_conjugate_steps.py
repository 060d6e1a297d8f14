import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from responder_ml.classifiers.conjugate_steps import conjugate_steps


@pytest.fixture
def problem(rng):
    target = np.resize([0.0, 1.0, 1.0], 140)
    return rng.normal(size=(140, 25)) + target[:, None] * (np.arange(25) < 3), target


def _descend(X, target, C, factor, diagonal, fewest_steps=10_000):
    theta, decision = np.zeros(X.shape[1] + 1), np.zeros(len(X))
    factor = np.asarray(factor, dtype=np.float32)
    by_column = np.ascontiguousarray(X.T)
    settled = conjugate_steps(by_column, target, C, factor, diagonal, theta, decision, fewest_steps)
    return settled, theta, decision


@pytest.mark.parametrize("C", [1e-3, 0.1, 5.0])
@pytest.mark.parametrize("preconditioner", ["diagonal", "rough", "exact"])
def test_the_minimum_is_reached_whatever_the_preconditioner(rng, problem, C, preconditioner):
    X, target = problem
    design = np.column_stack([X, np.ones(len(X))])
    hessian = np.diag(np.append(np.ones(25), 0.0)) + 0.2 * C * design.T @ design
    factor, diagonal = np.empty((0, 0)), np.diagonal(hessian).copy()
    if preconditioner != "diagonal":
        rough = 0.3 * np.diag(rng.random(26) * np.diagonal(hessian)) if preconditioner == "rough" else 0.0
        factor = np.linalg.cholesky(hessian + rough).T
    settled, theta, decision = _descend(X, target, C, factor, diagonal)
    expected = LogisticRegression(C=C, tol=1e-12, max_iter=100_000).fit(X, target)
    assert settled
    np.testing.assert_allclose(decision, X @ theta[:-1] + theta[-1], atol=1e-9)
    np.testing.assert_allclose(decision, expected.decision_function(X), atol=2e-5 * (1 + np.abs(decision).max()))


def test_steps_that_would_take_long_end_early_but_lower(problem):
    X, target = problem
    settled, theta, decision = _descend(X, target, 5.0, np.empty((0, 0)), np.full(26, 1e4), fewest_steps=4)
    assert not settled
    loss = 5.0 * np.logaddexp(0.0, np.where(target > 0, -decision, decision)).sum() + 0.5 * theta[:-1] @ theta[:-1]
    assert loss < 5.0 * len(X) * np.log(2.0)


def test_extreme_decisions_overflow_nothing(problem):
    X, target = problem
    settled, theta, _ = _descend(1e4 * X, target, 1.0, np.empty((0, 0)), np.full(26, 1e8))
    assert np.isfinite(theta).all()
    assert isinstance(settled, bool)
