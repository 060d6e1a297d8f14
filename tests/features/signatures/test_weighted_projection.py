import numpy as np

from responder_ml.features.signatures.weighted_projection import WeightedProjection


def test_equals_a_naive_loop(expression, signed, members):
    training, new = expression[:8], expression[8:]
    mean, scale = training.mean(axis=0), training.std(axis=0, ddof=1)
    expected = np.zeros((4, signed.shape[1]))
    for i, values in enumerate(new):
        for j, weights in enumerate(signed.T):
            for g in range(60):
                expected[i, j] += weights[g] * (values[g] - mean[g]) / scale[g]
            expected[i, j] /= np.sqrt(sum(weight**2 for weight in weights))
    scores = WeightedProjection().fit(training, members=members).transform(new)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)


def test_by_hand():
    # z of the new sample is (1, -1); weights 3 and -4 have length 5: (3 + 4) / 5.
    training = np.array([[-1.0, 4.0], [0.0, 6.0], [1.0, 8.0]])
    scorer = WeightedProjection().fit(training, members=np.array([[3.0], [-4.0]]))
    np.testing.assert_allclose(scorer.transform(np.array([[1.0, 4.0]])), [[1.4]])


def test_a_common_factor_of_the_weights_changes_nothing(expression, members):
    small = WeightedProjection().fit(expression, members=members).transform(expression)
    large = WeightedProjection().fit(expression, members=members * 7.0).transform(expression)
    np.testing.assert_allclose(large, small, rtol=0, atol=1e-13)
