"""Pairwise coupling against what defines it: the minimum of Wu, Lin and Weng's second method."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from responder_ml.statistics.pairwise_coupling import couple


def _decisions(probabilities):
    """Log-odds of every two classes where the pairs agree with one set of probabilities."""
    pairs = combinations(range(probabilities.shape[-1]), 2)
    return {(i, j): np.log(probabilities[..., i]) - np.log(probabilities[..., j]) for i, j in pairs}


def test_two_classes_are_the_pair_itself(rng):
    log_odds = rng.normal(0.0, 3.0, 20)
    np.testing.assert_allclose(couple({(0, 1): log_odds}, 2)[:, 0], expit(log_odds), atol=1e-12)


@pytest.mark.parametrize("n_classes", [3, 4, 6])
def test_pairs_that_agree_give_back_the_probabilities_they_come_from(rng, n_classes):
    probabilities = rng.dirichlet(np.ones(n_classes), size=(5, 40)).clip(1e-4)
    probabilities /= probabilities.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(couple(_decisions(probabilities), n_classes), probabilities, atol=1e-9)


def test_pairs_that_disagree_give_the_minimum_of_the_stated_sum(rng):
    pairs = list(combinations(range(4), 2))
    for _ in range(5):
        decisions = {pair: rng.normal(0.0, 2.0) for pair in pairs}
        won = {**{(i, j): expit(d) for (i, j), d in decisions.items()}}
        won |= {(j, i): 1.0 - p for (i, j), p in won.items()}

        def loss(p, won=won):
            return sum((won[j, i] * p[i] - won[i, j] * p[j]) ** 2 for i in range(4) for j in range(4) if i != j)

        searched = minimize(
            loss,
            np.full(4, 0.25),
            bounds=[(0.0, 1.0)] * 4,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1.0},
            options={"ftol": 1e-15, "maxiter": 500},
        )
        np.testing.assert_allclose(couple(decisions, 4), searched.x, atol=1e-5)


def test_renamed_classes_have_renamed_probabilities(rng):
    decisions = {pair: rng.normal(0.0, 2.0, 10) for pair in combinations(range(3), 2)}
    turned = {(0, 1): -decisions[0, 1], (0, 2): decisions[1, 2], (1, 2): decisions[0, 2]}
    np.testing.assert_allclose(couple(turned, 3), couple(decisions, 3)[:, [1, 0, 2]], atol=1e-12)


@pytest.mark.parametrize("size", [50.0, 1e4, np.inf])
def test_decisions_beyond_doubt_stay_probabilities(size):
    """Also where they contradict each other in a circle: then no class is above another."""
    sure = couple({(0, 1): size, (0, 2): size, (1, 2): size}, 3)
    assert sure[0] == pytest.approx(1.0, abs=1e-6)
    circle = couple({(0, 1): size, (0, 2): -size, (1, 2): size}, 3)
    np.testing.assert_allclose(circle, np.full(3, 1 / 3), atol=1e-6)
    for p in (sure, circle):
        assert np.all(p >= 0.0)
        assert p.sum() == pytest.approx(1.0, abs=1e-12)


def test_a_shape_of_repeats_and_subjects_is_that_of_its_parts(rng):
    decisions = {pair: rng.normal(0.0, 2.0, (3, 7)) for pair in combinations(range(3), 2)}
    whole = couple(decisions, 3)
    assert whole.shape == (3, 7, 3)
    one = couple({pair: values[2, 5] for pair, values in decisions.items()}, 3)
    np.testing.assert_allclose(whole[2, 5], one, atol=1e-14)
    assert logit(whole[2, 5, 0]) < np.inf
