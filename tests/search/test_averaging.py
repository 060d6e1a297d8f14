import numpy as np

from responder_ml.search.averaging import candidate_weights, weighted_sum
from responder_ml.search.tune import InnerScore


def _score(*aurocs, loss=0.5):
    return InnerScore(np.array(aurocs), loss)


def test_all_candidates_weigh_alike_where_nothing_is_tuned():
    np.testing.assert_array_equal(candidate_weights([None] * 4, 3), np.full(4, 0.25))


def test_tuned_candidates_that_noise_could_have_put_second_weigh_as_much_as_the_best_and_others_nothing():
    best, near, far = _score(0.9, 0.7, 0.8), _score(0.7, 0.9, 0.75), _score(0.5, 0.3, 0.4)
    weights = candidate_weights([far, near, best], 3)
    np.testing.assert_array_equal(weights, [0.0, 0.5, 0.5])
    np.testing.assert_array_equal(candidate_weights([best, far, near], 3), weights[[2, 0, 1]])


def test_candidates_of_equal_scores_weigh_alike():
    np.testing.assert_array_equal(candidate_weights([_score(0.5, 0.5)] * 3, 2), np.full(3, 1.0 / 3.0))


def test_which_of_equals_comes_first_does_not_decide_who_is_near():
    """Two candidates of equal mean and log-loss, to which a third one stands differently."""
    steady, uneven, third = _score(0.8, 0.8, 0.8, 0.8), _score(0.6, 1.0, 0.6, 1.0), _score(0.55, 0.95, 0.55, 0.95)
    weights = candidate_weights([steady, uneven, third], 3)
    np.testing.assert_array_equal(candidate_weights([uneven, steady, third], 3), weights[[1, 0, 2]])


def test_a_sum_is_the_same_to_the_last_bit_in_every_order(rng):
    # Sizes so different that a plain sum depends on the order.
    values, weights = rng.normal(size=(9, 200)) * 10.0 ** rng.integers(-9, 9, size=(9, 200)), rng.random((9, 1))
    one = weighted_sum(values, weights)
    plain, differs = (values * weights).sum(axis=0), False
    for _ in range(5):
        order = rng.permutation(9)
        np.testing.assert_array_equal(weighted_sum(values[order], weights[order]), one)
        differs |= not np.array_equal((values * weights)[order].sum(axis=0), plain)
    assert differs
    np.testing.assert_allclose(one, plain, rtol=1e-9, atol=1e-6)


def test_one_member_is_itself_and_what_nobody_decides_stays_undecided(rng):
    values = rng.normal(size=(1, 5))
    np.testing.assert_array_equal(weighted_sum(values, np.ones((1, 1))), values[0])
    assert np.isnan(weighted_sum(np.full((2, 3), np.nan), np.array([[1.0], [0.0]]))).all()
