import numpy as np
import pytest
from scipy.stats import rankdata

from responder_ml.features.signatures.singscore import Singscore


def _naive(expression, signed):
    """Foroutan et al.'s definition, one sample and one set at a time."""
    n_genes = expression.shape[1]
    scores = np.zeros((len(expression), signed.shape[1]))
    for i, values in enumerate(expression):
        for j, weights in enumerate(signed.T):
            for ranks, inside in ((rankdata(values), weights > 0), (rankdata(-values), weights < 0)):
                size = inside.sum()
                if size:
                    low, high = (size + 1) / 2, (2 * n_genes - size + 1) / 2
                    scores[i, j] += (ranks[inside].mean() - low) / (high - low) - 0.5
    return scores


@pytest.mark.parametrize("kind", ["expression", "tied"])
def test_equals_a_naive_loop(request, kind, signed, members):
    values = request.getfixturevalue(kind)
    scores = Singscore().fit(values, members=members).transform(values)
    np.testing.assert_allclose(scores, _naive(values, signed), rtol=0, atol=1e-13)


def test_by_hand():
    # Up gene first of four, down gene last of four: 1/2 + 1/2. Up gene in second place: (3 - 1) / 3 - 1/2.
    values = np.array([[9.0, 7.0, 3.0, 1.0]])
    members = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [-1.0, 0.0]])
    np.testing.assert_allclose(Singscore().fit(values, members=members).transform(values), [[1.0, 2 / 3 - 0.5]])


def test_a_signature_of_all_genes_says_nothing(expression):
    np.testing.assert_array_equal(Singscore().fit(expression).transform(expression), np.zeros((12, 1)))


def test_only_the_order_of_genes_counts(expression, members):
    scorer = Singscore().fit(expression, members=members)
    np.testing.assert_array_equal(scorer.transform(np.exp(expression)), scorer.transform(expression))
