import numpy as np

from responder_ml.features.signatures.eigengene import Eigengene


def test_training_rows_have_plages_activity(expression, signed, members):
    scores = Eigengene().fit(expression, members=members).transform(expression)
    z = (expression - expression.mean(axis=0)) / expression.std(axis=0, ddof=1)
    for j, weights in enumerate(signed.T):
        inside = weights != 0
        _, _, right = np.linalg.svd(z[:, inside].T, full_matrices=False)
        turn = np.sign(np.corrcoef(right[0], z[:, inside] @ np.sign(weights[inside]))[0, 1])
        np.testing.assert_allclose(scores[:, j], turn * right[0] * np.sqrt(11), rtol=0, atol=1e-9)


def test_new_rows_are_projected_on_the_kept_direction(expression, signed, members):
    training, new = expression[:8], expression[8:]
    scores = Eigengene().fit(training, members=members).transform(new)
    mean, scale = training.mean(axis=0), training.std(axis=0, ddof=1)
    for j, weights in enumerate(signed.T):
        inside = weights != 0
        vectors, values, _ = np.linalg.svd(((training - mean) / scale)[:, inside].T, full_matrices=False)
        towards = vectors[:, 0] @ np.sign(weights[inside])
        # One up and one down gene that rise together have no correlation with their difference.
        turn = np.sign(towards) if abs(towards) > 1e-9 else np.sign(vectors[:, 0] @ (weights[inside] > 0))
        expected = ((new - mean) / scale)[:, inside] @ vectors[:, 0] * turn * np.sqrt(7) / values[0]
        np.testing.assert_allclose(scores[:, j], expected, rtol=0, atol=1e-9)


def test_the_sign_follows_up_genes(rng):
    up = rng.normal(size=(10, 1))
    expression = np.hstack([up + 0.1 * rng.normal(size=(10, 5)), -up + 0.1 * rng.normal(size=(10, 5))])
    members = np.repeat([[1.0], [-1.0]], 5, axis=0)
    scores = Eigengene().fit(expression, members=members).transform(expression)
    assert np.corrcoef(scores[:, 0], up[:, 0])[0, 1] > 0.9


def test_a_signature_of_genes_that_do_not_vary_scores_zero(expression):
    expression[:, :4] = 0.1
    members = np.zeros((60, 1))
    members[:4] = 1.0
    scores = Eigengene().fit(expression, members=members).transform(expression + 1.0)
    np.testing.assert_array_equal(scores, np.zeros((12, 1)))


def test_where_the_signed_mean_gives_no_sign_up_genes_do(rng):
    both = rng.normal(size=(10, 1))
    expression = np.hstack([both, both, rng.normal(size=(10, 3))])
    scores = Eigengene().fit(expression, members=np.array([[1.0], [-1.0], [0.0], [0.0], [0.0]])).transform(expression)
    np.testing.assert_allclose(scores, (both - both.mean()) / both.std(ddof=1), rtol=0, atol=1e-12)
