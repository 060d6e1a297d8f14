import numpy as np
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.classifiers.problems import Problems


@pytest.fixture
def problems(rng):
    sizes = [(3, 10, 2), (1, 12, 0), (20, 9, 4), (5, 10, 1)]
    labels = [rng.permutation(np.resize([0, 1], rows)).astype(np.int8) for _, rows, _ in sizes]
    train, test = ([rng.normal(size=(size[0], size[column])) for size in sizes] for column in (1, 2))
    flat = [np.concatenate([part.ravel() for part in parts]) for parts in (train, test)]
    return Problems(*np.array(sizes).T, *flat, np.concatenate(labels)), train, labels, test


def test_each_problem_is_read_back(problems):
    flat, train, labels, test = problems
    for problem, *expected in zip(flat, train, labels, test, strict=True):
        np.testing.assert_array_equal(problem[0], expected[0].T)
        np.testing.assert_array_equal(problem[1], expected[1])
        np.testing.assert_array_equal(problem[2], expected[2].T)
    assert len(list(flat)) == 4


@pytest.mark.parametrize("kind", ["nearest_centroid", "elastic_net", "linear_svm"])
def test_all_are_decided_as_one_by_one(problems, kind):
    flat, train, labels, test = problems
    decisions = CLASSIFIERS[kind]().decide_all(flat)
    expected = []
    for columns, target, held_out in zip(train, labels, test, strict=True):
        model = CLASSIFIERS[kind]()
        model.learn(columns.T, target)
        expected.append(model._decide(held_out.T))
    np.testing.assert_allclose(decisions, np.concatenate(expected), atol=1e-9)
