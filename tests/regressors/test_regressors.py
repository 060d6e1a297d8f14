import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, Ridge
from xgboost import XGBRegressor

from responder_ml.regressors import REGRESSORS
from responder_ml.regressors.elastic_net import ElasticNetRegressor
from responder_ml.regressors.ridge import RidgeRegressor
from responder_ml.regressors.xgboost import XGBoostRegressor


@pytest.fixture
def problem(rng):
    """Return a function that makes standardised columns and an outcome in its own unit."""

    def make(rows, columns):
        X = rng.normal(size=(rows, columns))
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        return X, 40.0 + 7.0 * (X[:, 0] + rng.normal(size=rows))

    return make


def _standardised(y):
    return (y - y.mean()) / y.std()


@pytest.mark.parametrize(("rows", "columns"), [(15, 40), (40, 6)])
def test_ridge_is_scikit_learns(problem, rows, columns):
    X, y = problem(rows, columns)
    model = RidgeRegressor(alpha=0.7).fit(X, y)
    other = Ridge(alpha=0.7 * rows, fit_intercept=False).fit(X, _standardised(y))
    np.testing.assert_allclose(model.coef_, y.std() * other.coef_, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.predict(X), y.mean() + y.std() * other.predict(X), rtol=1e-9)


def test_elastic_net_is_scikit_learns(problem):
    X, y = problem(20, 30)
    model = ElasticNetRegressor(alpha=0.1, l1_ratio=0.5).fit(X, y)
    other = ElasticNet(alpha=0.1, l1_ratio=0.5, fit_intercept=False, tol=1e-9).fit(X, _standardised(y))
    np.testing.assert_allclose(model.weights_, other.coef_, atol=1e-4)
    assert 0 < np.count_nonzero(model.coef_) < 30


def test_trees_are_xgboosts(problem):
    X, y = problem(30, 8)
    model = XGBoostRegressor(seed=3).fit(X, y)
    other = XGBRegressor(
        n_estimators=50, max_depth=2, learning_rate=0.1, min_child_weight=2.0, colsample_bytree=0.3, base_score=0.0,
        tree_method="hist", n_jobs=1, random_state=3,
    ).fit(X, _standardised(y))  # fmt: skip
    np.testing.assert_allclose(model.predict(X), y.mean() + y.std() * other.predict(X), rtol=1e-4)


@pytest.mark.parametrize("kind", REGRESSORS.names())
def test_a_unit_of_the_outcome_changes_predictions_by_that_unit_alone(problem, kind):
    X, y = problem(24, 10)
    plain, scaled = REGRESSORS[kind]().fit(X, y), REGRESSORS[kind]().fit(X, 1e4 * y - 3.0)
    np.testing.assert_allclose(scaled.predict(X), 1e4 * plain.predict(X) - 3.0, rtol=1e-4)


@pytest.mark.parametrize("kind", REGRESSORS.names())
def test_a_constant_outcome_is_predicted_as_it_is(problem, kind):
    X, _ = problem(12, 5)
    np.testing.assert_allclose(REGRESSORS[kind]().fit(X, np.full(12, 4.2)).predict(X), 4.2)


@pytest.mark.parametrize("kind", REGRESSORS.names())
def test_defaults_lie_in_the_space_that_is_searched(kind):
    regressor = REGRESSORS[kind]
    for name, distribution in regressor.search_space(20).items():
        assert distribution._contains(distribution.to_internal_repr(getattr(regressor(), name)))


def test_judged_by_concordance_and_squared_error():
    target, decisions = np.array([1.0, 2.0, 3.0]), np.array([0.0, 3.0, 2.0])
    assert RidgeRegressor.judge(target, decisions) == (pytest.approx(2 / 3), pytest.approx(1.0))
    # Where no two outcomes differ nothing can be said.
    assert RidgeRegressor.judge(np.ones(3), decisions)[0] == 0.5
