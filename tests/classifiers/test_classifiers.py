import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.classifiers.elastic_logistic import elastic_logistic
from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.classifiers.linear_svm import LinearSVM
from responder_ml.classifiers.majority import Majority
from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.classifiers.ridge_logistic import gram_logistic, primal_logistic, ridge_logistic


@pytest.fixture
def problem(rng):
    X = rng.normal(size=(18, 60))
    labels = np.array([0, 1] * 9, dtype=np.int8)
    X[:, :5] += labels[:, None]
    return X, labels


@pytest.mark.parametrize("C", [1e-3, 0.1, 1.0])
@pytest.mark.parametrize("columns", [5, 60])
def test_ridge_equals_scikit_learn_at_a_tight_tolerance(problem, C, columns):
    X, labels = problem
    coefficients, intercept = ridge_logistic(X[:, :columns], labels.astype(float), C)
    expected = LogisticRegression(C=C, l1_ratio=0, tol=1e-12, max_iter=100_000).fit(X[:, :columns], labels)
    np.testing.assert_allclose(coefficients, expected.coef_[0], atol=1e-6)
    assert intercept == pytest.approx(expected.intercept_[0], abs=1e-6)


def test_ridge_of_many_rows_equals_the_gram_form(rng):
    X = rng.normal(size=(150, 8))
    target = (rng.random(150) < 0.5).astype(float)
    dual, intercept = gram_logistic((X @ X.T)[None], target[None], np.array([0.3]))
    coefficients, other = ridge_logistic(X, target, 0.3)
    np.testing.assert_allclose(X.T @ dual[0], coefficients, atol=1e-6)
    assert intercept[0] == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize("C", [1e-4, 0.1, 10.0])
@pytest.mark.parametrize(("rows", "columns", "effect"), [(120, 3, 0.0), (130, 90, 0.0), (200, 20, 3.0)])
def test_ridge_of_more_rows_than_columns_reaches_the_minimum(rng, rows, columns, effect, C):
    labels = np.resize([0, 1, 1], rows)
    X = rng.normal(size=(rows, columns)) + effect * labels[:, None] * (np.arange(columns) < 2)
    coefficients, intercept = primal_logistic(X, labels.astype(float), C)
    expected = LogisticRegression(C=C, tol=1e-12, max_iter=100_000).fit(X, labels)
    decision = X @ coefficients + intercept
    np.testing.assert_allclose(decision, expected.decision_function(X), atol=1e-5 * (1 + np.abs(decision).max()))
    # At the minimum the gradient vanishes, whatever a library says.
    residual = C * (labels - 1 / (1 + np.exp(-decision)))
    assert abs(residual.sum()) < 1e-6
    np.testing.assert_allclose(X.T @ residual, coefficients, atol=1e-6)


@pytest.mark.parametrize("C", [1e-3, 0.1, 1.0, 1e3])
@pytest.mark.parametrize("apart", [1.0, 3.0, 10.0])
@pytest.mark.parametrize(("rows", "columns", "positives"), [(800, 50, 400), (120, 100, 60), (300, 5, 9)])
def test_ridge_of_classes_far_apart_reaches_the_minimum(rng, rows, columns, positives, C, apart):
    labels = rng.permutation(np.repeat([1.0, 0.0], [positives, rows - positives]))
    X = rng.normal(size=(rows, columns)) + apart * labels[:, None]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    coefficients, intercept = primal_logistic(X, labels, C)
    residual = C * (labels - 1 / (1 + np.exp(-(X @ coefficients + intercept))))
    np.testing.assert_allclose(X.T @ residual, coefficients, atol=1e-6)
    assert abs(residual.sum()) < 1e-6


def test_ridge_of_columns_far_from_zero_equals_that_of_centred_ones(rng):
    X = rng.normal(size=(150, 12))
    labels = np.resize([0.0, 1.0], 150)
    plain, intercept = primal_logistic(X, labels, 0.5)
    offset = rng.normal(size=12) * 1e5
    moved, other = primal_logistic(X + offset, labels, 0.5)
    np.testing.assert_allclose(moved, plain, atol=1e-6)
    assert other + offset @ moved == pytest.approx(intercept, abs=1e-4)


def test_solving_several_settings_together_keeps_their_order(problem):
    X, labels = problem
    settings = [(0.1, 0.0), (0.5, 0.5), (1.0, 0.0), (0.01, 0.0)]
    tasks = [(ElasticNet(C=C, l1_ratio=l1_ratio), (X[:12], labels[:12], X[12:])) for C, l1_ratio in settings]
    for (classifier, (train, target, held_out)), decision in zip(tasks, ElasticNet.decide_together(tasks), strict=True):
        alone = clone(classifier).fit(train, target).decision_function(held_out)
        np.testing.assert_allclose(decision, alone, atol=1e-9)


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
def test_elastic_net_equals_scikit_learn_saga(problem, l1_ratio):
    X, labels = problem
    coefficients, intercept = elastic_logistic(X, labels.astype(float), 0.5, l1_ratio)
    saga = LogisticRegression(C=0.5, l1_ratio=l1_ratio, solver="saga", tol=1e-10, max_iter=500_000).fit(X, labels)
    np.testing.assert_allclose(coefficients, saga.coef_[0], atol=1e-5)
    assert intercept == pytest.approx(saga.intercept_[0], abs=1e-5)


def test_problems_of_unequal_size_solved_together_equal_each_alone(problem):
    X, labels = problem
    problems = [(X[:n], labels[:n], X[n:]) for n in (9, 12, 15)]
    together = ElasticNet(C=0.2).decide_each(problems)
    for (train, target, held_out), decision in zip(problems, together, strict=True):
        alone = ElasticNet(C=0.2).fit(train, target).decision_function(held_out)
        np.testing.assert_allclose(decision, alone, atol=1e-9)


def test_svm_equals_scikit_learn_linear_kernel(problem):
    X, labels = problem
    ours = LinearSVM(C=0.05).fit(X, labels)
    theirs = SVC(kernel="linear", C=0.05, tol=1e-5).fit(X, labels)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-4)


@pytest.mark.parametrize("copies", [2, 40])
def test_nearest_centroid_counts_copies_of_a_column_once(rng, copies):
    column, labels = rng.normal(size=(9, 1)), np.array([0, 1] * 4 + [0])
    once = NearestCentroid().fit(column, labels).decision_function(column)
    np.testing.assert_allclose(
        NearestCentroid().fit(np.tile(column, copies), labels).decision_function(np.tile(column, copies)), once
    )


def test_nearest_centroid_adds_up_columns_that_are_uncorrelated_within_classes():
    labels = np.repeat([0, 1], 4)
    within = np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]).T
    columns = np.concatenate([within - 0.5, within + 0.5])
    alone = [NearestCentroid().fit(column[:, None], labels).decision_function(column[:, None]) for column in columns.T]
    np.testing.assert_allclose(NearestCentroid().fit(columns, labels).decision_function(columns), np.sum(alone, axis=0))


def test_nearest_centroid_of_columns_that_do_not_vary_within_classes():
    model = NearestCentroid().fit(np.array([[-1.0], [-1.0], [1.0]]), np.array([0, 0, 1]))
    assert model.coef_[0] == pytest.approx(4.0)


@pytest.mark.parametrize("level", [0.0, 5.0, 1e4, 1e8])
@pytest.mark.parametrize("rows", [12, 80])
def test_nearest_centroid_wherever_the_columns_lie_is_the_definition(rng, rows, level):
    labels = np.resize([0, 1, 1], rows).astype(np.int8)
    X = rng.normal(size=(rows, 20)) + level * labels[:, None] * (np.arange(20) < 9)
    model = NearestCentroid().fit(X, labels)
    means = np.stack([X[labels == label].mean(axis=0) for label in (0, 1)])
    residuals = X - means[labels]
    variance = 0.5 * (residuals**2).sum(axis=0) / (rows - 2) + 0.5
    within = residuals / np.sqrt(variance)
    eigenvalues = np.linalg.svd(within, compute_uv=False) ** 2
    weight = eigenvalues.sum() ** 2 / (eigenvalues**2).sum() / 20
    np.testing.assert_allclose(model.coef_, weight * (means[1] - means[0]) / variance, rtol=1e-6)


def test_nearest_centroid_on_one_column_by_hand():
    model = NearestCentroid().fit(np.array([[-2.0], [0.0], [1.0], [3.0]]), np.array([0, 0, 1, 1]))
    # Class means -1 and 2, pooled variance 2, half of it plus a half is 1.5, one effective column.
    assert model.coef_[0] == pytest.approx(2.0)
    assert model.decision_function([[0.5]])[0] == pytest.approx(0.0)


def test_majority_answers_with_the_training_odds():
    model = Majority().fit(np.zeros((6, 2)), np.array([0, 0, 1, 1, 1, 1]))
    np.testing.assert_allclose(model.decision_function(np.ones((2, 2))), np.log(2))


@pytest.mark.parametrize("kind", CLASSIFIERS.names())
def test_decisions_survive_copying_and_storing(problem, kind):
    X, labels = problem
    model = CLASSIFIERS[kind]().fit(X, labels)
    stored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(stored.decision_function(X), model.decision_function(X))
    again = clone(model).fit(X, labels)
    np.testing.assert_array_equal(again.decision_function(X), model.decision_function(X))


@pytest.mark.parametrize("kind", CLASSIFIERS.names())
def test_search_space_names_constructor_arguments(kind):
    member = CLASSIFIERS[kind]
    assert set(member.search_space()) <= set(member().get_params())
    assert set(member.search_space(rows=6)) <= set(member.search_space())
    assert member.summary
    assert member.reference.startswith("doi:")


def test_an_absolute_penalty_is_searched_from_twenty_rows_on():
    assert set(ElasticNet.search_space(rows=19)) == {"C"}
    assert set(ElasticNet.search_space(rows=20)) == set(ElasticNet.search_space()) == {"C", "l1_ratio"}
