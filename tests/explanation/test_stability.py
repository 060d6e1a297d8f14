from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_ml.explanation.stability import selection_stability, top_features


def _stability_of_rows(table):
    return selection_stability([np.flatnonzero(row) for row in table], table.shape[1])


def _definition(table):
    """Nogueira's definition and the variance of her Theorem 7, one sum at a time."""
    n_sets, n_features = table.shape
    share = [sum(table[i, j] for i in range(n_sets)) / n_sets for j in range(n_features)]
    size = [sum(table[i, j] for j in range(n_features)) for i in range(n_sets)]
    mean = sum(size) / n_sets
    by_chance = mean / n_features * (1 - mean / n_features)
    value = 1 - sum(n_sets / (n_sets - 1) * q * (1 - q) for q in share) / n_features / by_chance
    influence = []
    for i in range(n_sets):
        agreement = sum(table[i, j] * share[j] for j in range(n_features)) / n_features
        inner = 2 * size[i] * mean / n_features**2 - size[i] / n_features - mean / n_features + 1
        influence.append((agreement - size[i] * mean / n_features**2 + value / 2 * inner) / by_chance)
    centre = sum(influence) / n_sets
    return value, 4 / n_sets**2 * sum((value - centre) ** 2 for value in influence)


def test_hand_numbers():
    # Shares 1, 1/2, 1/2, 0: variances 0, 1/2, 1/2, 0, mean 1/4, which is what chance gives for 2 of 4.
    assert selection_stability([[0, 1], [0, 2]], 4).value == pytest.approx(0.0)


def test_the_same_set_every_time_is_one():
    stability = selection_stability([[3, 1], [1, 3], [3, 1]], 100)
    assert (stability.value, stability.low, stability.high) == pytest.approx((1.0, 1.0, 1.0))


def test_sets_that_never_meet_reach_the_lower_end():
    stability = selection_stability([[0, 1], [2, 3]], 4)
    assert stability.value == pytest.approx(-1.0)
    assert stability.low >= -1.0


@given(st.integers(0, 2**32 - 1), st.integers(2, 7), st.integers(2, 12))
@settings(max_examples=60, deadline=None)
def test_value_and_interval_against_the_definition(seed, n_sets, n_features):
    rng = np.random.default_rng(seed)
    table = rng.random((n_sets, n_features)) < rng.random(n_features)
    stability = _stability_of_rows(table)
    if not table.any() or table.all():
        assert stability is None
        return
    value, variance = _definition(table.astype(float))
    assert stability.value == pytest.approx(value)
    half = 1.959964 * np.sqrt(variance)
    assert stability.low == pytest.approx(max(value - half, -1 / (n_sets - 1)), abs=1e-6)
    assert stability.high == pytest.approx(min(value + half, 1.0), abs=1e-6)


def test_equal_sizes_give_kunchevas_mean_over_pairs(rng):
    sets = [rng.choice(30, 6, replace=False) for _ in range(8)]
    pairs = [(len(set(a.tolist()) & set(b.tolist())) - 6**2 / 30) / (6 - 6**2 / 30) for a, b in combinations(sets, 2)]
    assert selection_stability(sets, 30).value == pytest.approx(np.mean(pairs))


def test_neither_order_within_sets_nor_order_of_sets_matters(rng):
    table = rng.random((6, 50)) < 0.2
    sets = [rng.permutation(np.flatnonzero(row)) for row in table]
    assert selection_stability(sets, 50) == _stability_of_rows(table)
    assert selection_stability(sets[::-1], 50).value == pytest.approx(_stability_of_rows(table).value)


def test_random_sets_average_zero_however_large():
    rng = np.random.default_rng(4)
    for size in (3, 30):
        values = [
            selection_stability([rng.choice(40, size, replace=False) for _ in range(5)], 40).value for _ in range(400)
        ]
        assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(400)


def test_interval_covers_the_stability_of_independent_sets():
    rng = np.random.default_rng(6)
    chance = np.concatenate([np.full(10, 0.8), np.full(50, 0.1)])
    size = chance.mean()
    truth = 1 - np.mean(chance * (1 - chance)) / (size * (1 - size))
    stabilities = [_stability_of_rows(rng.random((60, 60)) < chance) for _ in range(600)]
    covered = np.mean([stability.low <= truth <= stability.high for stability in stabilities])
    assert 0.92 < covered < 0.975


@pytest.mark.parametrize("sets", [[], [[0, 1]], [[], []], [[0, 1, 2], [2, 1, 0]]])
def test_undefined_is_none(sets):
    assert selection_stability(sets, 3) is None


def test_an_empty_set_among_others_counts():
    value, _ = _definition(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    assert selection_stability([[0, 1], [], [0]], 3).value == pytest.approx(value)


@pytest.mark.parametrize("wrong", [[0, 3], [-1, 0], [1, 1]])
def test_impossible_indices_are_refused(wrong):
    with pytest.raises(ValueError, match="distinct indices from 0 to 2"):
        selection_stability([[0], wrong], 3)


def test_top_features_by_hand():
    top = top_features([[0.1, -0.9, 0.5, 0.0], [0.2, 0.2, 0.0, 0.2], [0.0, 0.3, 0.0, 0.0]], 2)
    assert [features.tolist() for features in top] == [[1, 2], [0, 1], [1]]


def test_top_features_feed_stability():
    importance = np.array([[3.0, 2.0, 1.0, 0.0], [2.0, 3.0, 0.0, 1.0], [5.0, 4.0, 0.5, 0.1]])
    assert selection_stability(top_features(importance, 2), 4).value == pytest.approx(1.0)
    assert selection_stability(top_features(importance, 1), 4).value < 1.0


@pytest.mark.parametrize(("importance", "size"), [([[1.0, 2.0]], 0), ([[np.nan, 1.0]], 1)])
def test_impossible_top_lists_are_refused(importance, size):
    with pytest.raises(ValueError, match="at least 1"):
        top_features(importance, size)
