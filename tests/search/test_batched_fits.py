import numpy as np
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.search import batched_fits
from responder_ml.search.batched_fits import BatchedFits


@pytest.mark.parametrize("most_waiting", [0, 10_000, 10**9])
def test_each_decision_goes_where_it_belongs(rng, monkeypatch, most_waiting):
    monkeypatch.setattr(batched_fits, "_MOST_WAITING_BYTES", most_waiting)
    labels = np.array([0, 1] * 6, dtype=np.int8)
    rows = np.array([True, False, True, True])
    fits = BatchedFits()
    expected, targets = [], []
    for kind, params in (("elastic_net", {"C": 0.1}), ("nearest_centroid", {}), ("elastic_net", {"C": 0.7})):
        problem = (rng.normal(size=(12, 30)), labels, rng.normal(size=(3, 30)))
        expected.append(CLASSIFIERS[kind](**params).decide_each([problem])[0])
        targets.append(np.full(4, np.nan))
        fits.add(CLASSIFIERS[kind](**params), problem, targets[-1], rows)
    fits.solve()
    for decision, target in zip(expected, targets, strict=True):
        np.testing.assert_allclose(target[rows], decision, atol=1e-12)
        assert np.isnan(target[1])


def test_problems_are_solved_before_their_columns_fill_the_memory(rng, monkeypatch):
    monkeypatch.setattr(batched_fits, "_MOST_WAITING_BYTES", 2 * 15 * 30 * 8)
    fits, labels = BatchedFits(), np.array([0, 1] * 6, dtype=np.int8)
    targets = [np.full(3, np.nan) for _ in range(4)]
    solved = []
    for target in targets:
        problem = (rng.normal(size=(12, 30)), labels, rng.normal(size=(3, 30)))
        fits.add(CLASSIFIERS["nearest_centroid"](), problem, target, np.ones(3, dtype=bool))
        solved.append(sum(np.isfinite(values).all() for values in targets))
    # Two fit, the third is one too many: then all three are solved, and counting begins anew.
    assert solved == [0, 0, 3, 3]
