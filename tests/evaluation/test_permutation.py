from itertools import permutations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from responder_ml.evaluation.permutation import besag_clifford, exact_p, reaches


def _naive(null, observed, stop_after, most):
    count = 0
    for draw, value in enumerate(null[:most], start=1):
        count += value >= observed
        if count == stop_after:
            return stop_after / draw, draw, True
    return (count + 1) / (len(null[:most]) + 1), len(null[:most]), False


def test_stopped_by_hand():
    found = besag_clifford([0.1, 0.9, 0.2, 0.8, 0.3, 0.7], 0.8, 2, 6)
    assert (found.p_value, found.exceedances, found.draws) == (0.5, 2, 4)
    assert found.stopped_early
    assert found.finished


def test_not_stopped_by_hand():
    found = besag_clifford([0.1, 0.9, 0.2, 0.3], 0.8, 2, 4)
    assert (found.p_value, found.exceedances, found.draws) == (2 / 5, 1, 4)
    assert not found.stopped_early
    assert found.finished


def test_stopping_at_the_very_last_draw_counts_as_stopped():
    found = besag_clifford([0.1, 0.9, 0.2, 0.9], 0.8, 2, 4)
    assert (found.p_value, found.stopped_early) == (0.5, True)


def test_before_the_end_it_is_a_running_figure():
    found = besag_clifford([0.1, 0.9], 0.8, 2, 100)
    assert (found.p_value, found.finished, found.stopped_early) == (2 / 3, False, False)
    nothing = besag_clifford([], 0.8, 2, 100)
    assert (nothing.p_value, nothing.draws, nothing.interval) == (1.0, 0, (0.0, 1.0))


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=40),
    st.integers(0, 6),
    st.integers(1, 6),
    st.integers(1, 9),
)
@settings(max_examples=150, deadline=None)
def test_blocks_of_any_size_end_like_one_draw_at_a_time(null, observed, stop_after, block):
    values = np.array(null, dtype=float)
    p_value, draws, stopped = _naive(values, observed, stop_after, len(values))
    for end in range(block, len(values) + block, block):
        found = besag_clifford(values[:end], observed, stop_after, len(values))
        if found.finished:
            break
    assert (found.p_value, found.draws, found.stopped_early) == (p_value, draws, stopped)
    # Draws beyond the stream's length, as of a block too many, change nothing.
    assert besag_clifford([*values, 9.0, 9.0], observed, stop_after, len(values)) == found


@pytest.mark.parametrize("stop_after", [1, 2, 3, 6])
def test_p_is_exactly_uniform_on_its_steps(stop_after):
    # Five null values and the observed one in every order: under the null all orders are equally likely.
    found = np.array([besag_clifford(order[1:], order[0], stop_after, 5).p_value for order in permutations(range(6))])
    for step in np.unique(found):
        assert np.mean(found <= step + 1e-12) == pytest.approx(step)


@pytest.mark.parametrize("levels", [3, 10, None])
def test_p_is_valid_on_simulated_streams_with_and_without_ties(levels):
    rng = np.random.default_rng(8)
    values = rng.random((3000, 60))
    if levels is not None:
        values = np.floor(values * levels)
    found = np.array([besag_clifford(row[1:], row[0], 4, 59).p_value for row in values])
    for alpha in (0.02, 0.05, 0.1, 0.2, 0.5, 0.8):
        share = np.mean(found <= alpha)
        assert share <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / 3000)


def test_stopping_on_a_small_running_p_would_not_be_valid():
    # The control of the test above: a rule that looks for significance finds it.
    rng = np.random.default_rng(8)
    values = rng.random((1000, 60))
    running = (np.cumsum(values[:, 1:] >= values[:, :1], axis=1) + 1) / np.arange(2, 61)
    assert np.mean(running.min(axis=1) <= 0.05) > 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_equal_up_to_rounding_reaches_the_observed_value():
    assert 0.1 + 0.2 > 0.3
    assert besag_clifford([0.3], 0.1 + 0.2, 5, 1).exceedances == 1
    assert besag_clifford([0.3 - 1e-9], 0.3, 5, 1).exceedances == 0
    # One pair of 500 x 500 is 4e-6: far above what counts as rounding.
    np.testing.assert_array_equal(reaches([0.5 - 4e-6, 0.5 - 1e-16, 0.5, 0.6], 0.5), [False, True, True, True])
    np.testing.assert_array_equal(reaches([3e6 * (1 - 1e-15), 3e6 - 1e-3], 3e6), [True, False])


@pytest.mark.parametrize(("null", "observed"), [([0.1, np.nan], 0.5), ([0.1, 0.2], np.nan)])
def test_nan_is_refused(null, observed):
    with pytest.raises(ValueError, match="nan"):
        besag_clifford(null, observed, 2, 2)
    with pytest.raises(ValueError, match="nan"):
        exact_p(null, observed)


@pytest.mark.parametrize(("stop_after", "most"), [(0, 5), (5, 0)])
def test_impossible_rule_is_refused(stop_after, most):
    with pytest.raises(ValueError, match="at least 1"):
        besag_clifford([0.1], 0.5, stop_after, most)


def test_interval_by_hand_and_against_scipy():
    none = besag_clifford(np.zeros(99), 1.0, 10, 99)
    assert none.interval == pytest.approx((0.0, 1 - 0.025 ** (1 / 99)))
    null = np.repeat([1.0, 0.0], [7, 92])
    scipys = binomtest(7, 99).proportion_ci(0.95, method="exact")
    assert besag_clifford(null, 1.0, 10, 99).interval == pytest.approx((scipys.low, scipys.high))
    # The first draw stops it: p may be anything above 0.025, which gives it one chance in forty.
    assert besag_clifford([1.0], 1.0, 1, 99).interval == pytest.approx((0.025, 1.0))
    # The second draw does: above 0.975 the first would hardly have missed.
    assert besag_clifford([0.0, 1.0], 1.0, 1, 99).interval == pytest.approx((1 - 0.975**0.5, 0.975))


def _outcomes(chance, stop_after, most):
    """Every way the test can end, with its probability when a draw reaches the observed value by ``chance``."""
    for draws in range(stop_after, most + 1):
        ways = comb(draws - 1, stop_after - 1)
        stream = np.repeat([0.0, 1.0], [draws - stop_after, stop_after])
        yield stream, ways * chance**stop_after * (1 - chance) ** (draws - stop_after)
    for count in range(stop_after):
        stream = np.repeat([0.0, 1.0], [most - count, count])
        yield stream, comb(most, count) * chance**count * (1 - chance) ** (most - count)


@pytest.mark.parametrize("chance", [0.01, 0.04, 0.05, 0.2, 0.5, 0.9])
def test_interval_covers_in_every_design_point(chance):
    total = covered = 0.0
    for stream, probability in _outcomes(chance, 4, 40):
        found = besag_clifford(stream, 1.0, 4, 40)
        low, high = found.interval
        assert low <= found.p_value <= high
        total += probability
        covered += probability * (low <= chance <= high)
    assert total == pytest.approx(1.0)
    assert covered >= 0.95


def test_exact_p_by_hand():
    assert exact_p([0.8, 0.9, 0.8, 0.1, 0.2], 0.8) == 3 / 5
    assert exact_p([1.0, 0.9, 0.8], 1.0) == 1 / 3


def test_the_observed_labelling_counts_once_whatever_rounding_did_to_it():
    assert exact_p([0.8 - 1e-6, 0.1, 0.2, 0.3], 0.8) == 1 / 4


def test_exact_p_of_nothing_is_refused():
    with pytest.raises(ValueError, match="none was given"):
        exact_p([], 0.5)
