import numpy as np
import pytest
from scipy.stats import linregress

from responder_ml.features.signatures.ulm import Ulm


@pytest.mark.parametrize("kind", ["expression", "tied"])
def test_equals_a_regression_for_each_sample_and_set(request, kind, signed, members):
    values = request.getfixturevalue(kind)
    expected = np.zeros((len(values), signed.shape[1]))
    for i, sample in enumerate(values):
        for j, weights in enumerate(signed.T):
            line = linregress(weights, sample)
            expected[i, j] = line.slope / line.stderr
    scores = Ulm().fit(values, members=members).transform(values)
    np.testing.assert_allclose(scores, expected, rtol=1e-10)


def test_weights_that_do_not_differ_score_zero(expression):
    np.testing.assert_array_equal(Ulm().fit(expression, members=np.full((60, 1), 0.3)).transform(expression), 0.0)


def test_a_flat_sample_scores_zero(expression, members):
    scorer = Ulm().fit(expression, members=members)
    np.testing.assert_array_equal(scorer.transform(np.full((1, 60), 0.1)), np.zeros((1, 7)))


def test_a_perfect_fit_is_finite(signed, members):
    scores = Ulm().fit(signed.T + 3.0, members=members).transform(signed.T + 3.0)
    assert np.isfinite(scores).all()
    assert (np.diag(scores) > 1e6).all()
