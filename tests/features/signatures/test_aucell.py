from itertools import permutations

import numpy as np
import pytest

from responder_ml.errors import FeatureError
from responder_ml.features.signatures.aucell import AUCell, depth_of


def _area(order, inside, depth):
    """Area under the steps of the recovery curve, over its greatest possible value."""
    size, hits, area = inside.sum(), 0, 0
    for position, gene in enumerate(order[:depth], start=1):
        hits += inside[gene]
        area += hits * (position < depth)
    greatest = sum(min(rank, size) for rank in range(1, depth))
    return area / greatest


def _naive(expression, signed, depth):
    scores = np.zeros((len(expression), signed.shape[1]))
    for i, values in enumerate(expression):
        for j, weights in enumerate(signed.T):
            for sign in (1.0, -1.0):
                if (weights * sign > 0).any():
                    scores[i, j] += sign * _area(np.argsort(-values), weights * sign > 0, depth)
    return scores


@pytest.mark.parametrize(("top", "depth"), [(0.05, 3), (0.4, 24), (1.0, 60), (1e-9, 2)])
def test_equals_a_naive_walk(expression, signed, members, top, depth):
    assert depth_of(60, top) == depth
    scores = AUCell(top=top).fit(expression, members=members).transform(expression)
    np.testing.assert_allclose(scores, _naive(expression, signed, depth), rtol=0, atol=1e-13)


@pytest.mark.parametrize("top", [0.4, 0.6, 0.9])
def test_ties_score_the_mean_over_all_their_orders(top):
    values = np.array([3.0, 1.0, 1.0, 1.0, 0.0, 3.0])
    inside = np.array([True, True, False, False, False, False])
    depth = depth_of(6, top)
    orders = [[*high, *middle, 4] for high in permutations([0, 5]) for middle in permutations([1, 2, 3])]
    expected = np.mean([_area(order, inside, depth) for order in orders])
    scores = AUCell(top=top).fit(values[None], members=inside[:, None].astype(float)).transform(values[None])
    np.testing.assert_allclose(scores, [[expected]], rtol=1e-13)


def test_one_gene_has_no_recovery_curve():
    np.testing.assert_array_equal(AUCell().fit(np.ones((2, 1))).transform(np.ones((2, 1))), np.zeros((2, 1)))


@pytest.mark.parametrize("top", [0.0, 1.5, float("nan")])
def test_refuses_a_share_that_is_none(expression, top):
    with pytest.raises(FeatureError, match="must be above 0 and at most 1"):
        AUCell(top=top).fit(expression)
