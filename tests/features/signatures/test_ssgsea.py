from itertools import permutations

import numpy as np
import pytest
from scipy.stats import rankdata

from responder_ml.errors import FeatureError
from responder_ml.features.signatures.ssgsea import SsGsea


def _walk(order, weight, inside):
    """Sum of differences of the two distribution functions, place by place from the highest gene down."""
    total, seen_in, seen_out = 0.0, 0.0, 0
    for gene in order:
        if inside[gene]:
            seen_in += weight[gene]
        else:
            seen_out += 1
        total += seen_in / weight[inside].sum() - seen_out / (~inside).sum()
    return total


def _naive(expression, signed, alpha):
    scores = np.zeros((len(expression), signed.shape[1]))
    for i, values in enumerate(expression):
        weight = rankdata(values) ** alpha
        for j, weights in enumerate(signed.T):
            for sign in (1.0, -1.0):
                if (weights * sign > 0).any():
                    scores[i, j] += sign * _walk(np.argsort(-values), weight, weights * sign > 0)
    return scores


@pytest.mark.parametrize("alpha", [0.25, 0.0, 1.0])
def test_equals_a_naive_walk(expression, signed, members, alpha):
    scores = SsGsea(alpha=alpha).fit(expression, members=members).transform(expression)
    np.testing.assert_allclose(scores, _naive(expression, signed, alpha), rtol=0, atol=1e-10)


def test_one_sided_sets_alone_give_the_same(expression, signed):
    scores = SsGsea().fit(expression, members=signed[:, [0, 3]]).transform(expression)
    np.testing.assert_allclose(scores, _naive(expression, signed[:, [0, 3]], 0.25), rtol=0, atol=1e-10)


def test_ties_score_the_mean_over_all_their_orders():
    values = np.array([3.0, 1.0, 1.0, 1.0, 0.0, 3.0])
    inside = np.array([True, True, False, False, False, False])
    weight = rankdata(values) ** 0.25
    orders = [[*high, *middle, 4] for high in permutations([0, 5]) for middle in permutations([1, 2, 3])]
    expected = np.mean([_walk(order, weight, inside) for order in orders])
    scores = SsGsea().fit(values[None], members=inside[:, None].astype(float)).transform(values[None])
    np.testing.assert_allclose(scores, [[expected]], rtol=1e-13)


def test_a_signature_of_all_genes_says_nothing(expression):
    np.testing.assert_array_equal(SsGsea().fit(expression).transform(expression), np.zeros((12, 1)))


def test_refuses_a_negative_exponent(expression):
    with pytest.raises(FeatureError, match="alpha is -1, but must be at least 0"):
        SsGsea(alpha=-1).fit(expression)
