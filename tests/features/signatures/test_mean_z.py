import numpy as np
import pytest

from responder_ml.errors import FeatureError
from responder_ml.features.signatures.mean_z import MeanZ


def _naive(z, signed):
    scores = np.zeros((len(z), signed.shape[1]))
    for i, values in enumerate(z):
        for j, weights in enumerate(signed.T):
            for sign in (1.0, -1.0):
                inside = weights * sign > 0
                if inside.any():
                    scores[i, j] += sign * np.average(values[inside], weights=np.abs(weights[inside]))
    return scores


def test_equals_a_naive_loop(expression, signed, members):
    training, new = expression[:8], expression[8:]
    z = (new - training.mean(axis=0)) / training.std(axis=0, ddof=1)
    scores = MeanZ().fit(training, members=members).transform(new)
    np.testing.assert_allclose(scores, _naive(z, signed), rtol=0, atol=1e-13)


def test_against_the_sample_equals_a_naive_loop(expression, signed, members):
    z = (expression - expression.mean(axis=1)[:, None]) / expression.std(axis=1, ddof=1)[:, None]
    scores = MeanZ(against="sample").fit(expression[:2], members=members).transform(expression)
    np.testing.assert_allclose(scores, _naive(z, signed), rtol=0, atol=1e-13)


def test_a_gene_that_did_not_vary_contributes_zero_and_still_counts():
    training = np.array([[0.0, 5.0], [2.0, 5.0]])
    scores = MeanZ().fit(training).transform(np.array([[1.0 + np.sqrt(2.0), 900.0]]))
    np.testing.assert_allclose(scores, [[0.5]])


def test_a_flat_sample_scores_zero_against_itself(expression, members):
    scorer = MeanZ(against="sample").fit(expression, members=members)
    np.testing.assert_array_equal(scorer.transform(np.full((1, 60), 0.1)), np.zeros((1, 7)))


def test_refuses_an_unknown_reference(expression):
    with pytest.raises(FeatureError, match="against is 'cohort', but must be one of training, sample"):
        MeanZ(against="cohort").fit(expression)
