import numpy as np
import pytest
from scipy.special import expit

from responder_ml.classifiers.active_set_newton import active_set_newton


def _violation(X, target, C, absolute, square, theta):
    """Return by how much the conditions of a minimum are missed: gradients of columns with and without a coefficient."""
    weights, residual = theta[:-1], C * (expit(X @ theta[:-1] + theta[-1]) - target)
    gradient, used = residual @ X, weights != 0
    used_rest = gradient[used] + square * weights[used] + absolute * np.sign(weights[used])
    return max(
        np.abs(used_rest).max(initial=0.0), (np.abs(gradient[~used]) - absolute).max(initial=0.0), abs(residual.sum())
    )


def _columns(rng, kind, n_samples, n_columns, target):
    X = rng.normal(size=(n_samples, n_columns)) + rng.normal(size=(n_samples, 2)) @ rng.normal(size=(2, n_columns))
    if kind == "all equal":
        X[:] = X[:, :1]
    if kind == "in threes":
        X = np.repeat(X, 3, axis=1)
    if kind == "half constant":
        X[:, : n_columns // 2] = 0.0
    if kind == "of other scales":
        X *= 10.0 ** rng.integers(-3, 4, size=n_columns)
    if kind == "counts":
        X = np.round(X)
    if kind == "separating":
        X[:, 0] = 3.0 * (2.0 * target - 1.0)
    return X


@pytest.mark.parametrize(
    "kind", ["plain", "all equal", "in threes", "half constant", "of other scales", "counts", "separating"]
)
@pytest.mark.parametrize("l1_ratio", [1e-3, 0.5, 1.0])
def test_the_conditions_of_a_minimum_hold(rng, kind, l1_ratio):
    for C in (1e-4, 0.01, 0.1, 1.0, 100.0):
        for n_samples, n_columns in ((5, 40), (30, 8), (40, 120)):
            target = np.zeros(n_samples)
            target[: rng.integers(1, n_samples)] = 1.0
            X = _columns(rng, kind, n_samples, n_columns, target)
            theta = active_set_newton(np.ascontiguousarray(X.T), target, C, l1_ratio, 1.0 - l1_ratio)
            assert np.isfinite(theta).all()
            assert _violation(X, target, C, l1_ratio, 1.0 - l1_ratio, theta) < 1e-8 * (1.0 + C * np.abs(X).max())


def test_no_column_has_a_coefficient_where_no_gradient_outweighs_the_penalty(rng):
    X, target = rng.normal(size=(20, 30)), (np.arange(20) < 5).astype(float)
    largest = np.abs((target - 0.25) @ X).max()
    for C, is_used in ((0.5 / largest * 0.99, False), (0.5 / largest * 1.01, True)):
        theta = active_set_newton(np.ascontiguousarray(X.T), target, C, 0.5, 0.5)
        assert theta[:-1].any() == is_used
    assert active_set_newton(np.ascontiguousarray(X.T), target, 1e-9, 0.5, 0.5)[-1] == pytest.approx(np.log(1 / 3))


def test_the_order_of_columns_does_not_matter(rng):
    X, target = rng.normal(size=(25, 60)), (np.arange(25) % 2).astype(float)
    order = rng.permutation(60)
    theta = active_set_newton(np.ascontiguousarray(X.T), target, 0.7, 0.5, 0.5)
    again = active_set_newton(np.ascontiguousarray(X[:, order].T), target, 0.7, 0.5, 0.5)
    np.testing.assert_allclose(again[:-1], theta[:-1][order], atol=1e-9)
