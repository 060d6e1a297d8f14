from itertools import combinations, permutations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from responder_ml.evaluation.permutation import (
    NullPlan,
    besag_clifford,
    exact_p,
    is_exact,
    min_attainable_p,
    reaches,
    run_null,
)


def _naive(null, observed, stop_after, most):
    count = 0
    for draw, value in enumerate(null[:most], start=1):
        count += value >= observed
        if count == stop_after:
            return stop_after / draw, draw, True
    return (count + 1) / (len(null[:most]) + 1), len(null[:most]), False


def test_stopped_by_hand():
    null = besag_clifford([0.1, 0.9, 0.2, 0.8, 0.3, 0.7], 0.8, 2, 6)
    assert (null.p_value, null.exceedances, null.draws) == (0.5, 2, 4)
    assert null.stopped_early


def test_not_stopped_by_hand():
    null = besag_clifford([0.1, 0.9, 0.2, 0.3], 0.8, 2, 4)
    assert (null.p_value, null.exceedances, null.draws) == (2 / 5, 1, 4)
    assert not null.stopped_early


def test_stopping_at_the_very_last_draw_counts_as_stopped():
    null = besag_clifford([0.1, 0.9, 0.2, 0.9], 0.8, 2, 4)
    assert (null.p_value, null.stopped_early) == (0.5, True)


def test_before_the_end_it_is_a_running_figure():
    null = besag_clifford([0.1, 0.9], 0.8, 2, 100)
    assert (null.p_value, null.draws, null.stopped_early) == (2 / 3, 2, False)
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
        result = besag_clifford(values[:end], observed, stop_after, len(values))
        if result.stopped_early:
            break
    assert (result.p_value, result.draws, result.stopped_early) == (p_value, draws, stopped)
    # Draws beyond the stream's length, as of a block too many, change nothing.
    assert besag_clifford([*values, 9.0, 9.0], observed, stop_after, len(values)) == result


@pytest.mark.parametrize("stop_after", [1, 2, 3, 6])
def test_p_is_exactly_uniform_on_its_steps(stop_after):
    # Five null values and the observed one in every order: under the null all orders are equally likely.
    p_values = np.array(
        [besag_clifford(order[1:], order[0], stop_after, 5).p_value for order in permutations(range(6))]
    )
    for step in np.unique(p_values):
        assert np.mean(p_values <= step + 1e-12) == pytest.approx(step)


@pytest.mark.parametrize("levels", [3, 10, None])
def test_p_is_valid_on_simulated_streams_with_and_without_ties(levels):
    rng = np.random.default_rng(8)
    values = rng.random((3000, 60))
    if levels is not None:
        values = np.floor(values * levels)
    p_values = np.array([besag_clifford(row[1:], row[0], 4, 59).p_value for row in values])
    for alpha in (0.02, 0.05, 0.1, 0.2, 0.5, 0.8):
        share = np.mean(p_values <= alpha)
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
        null = besag_clifford(stream, 1.0, 4, 40)
        low, high = null.interval
        assert low <= null.p_value <= high
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


# Running a null

LABELS = np.array([1, 1, 1, 0, 0, 0, 0], dtype=np.int8)
ONE_STRATUM = np.zeros(7, dtype=np.intp)
VALUES = np.array([9.0, 8.0, 1.0, 7.0, 2.0, 3.0, 0.5])


def _difference(block):
    """A cheap procedure: the sum of the positives' values; it remembers which labellings it was run on."""

    def statistic(labellings):
        for start in range(0, len(labellings), block):
            some = labellings[start : start + block]
            statistic.run += [bytes(labels) for labels in some]
            yield np.array([VALUES[labels == 1].sum() for labels in some])

    statistic.run = []
    return statistic


def _null(permutations, stop_after=1000, block=4, strata=ONE_STRATUM, name="strata", seed=1, on_progress=None):
    statistic = _difference(block)
    plan = NullPlan(permutations, stop_after, 0.05, seed)
    observed = VALUES[LABELS == 1].sum()
    return run_null(statistic, LABELS, strata, observed, plan, name, on_progress), statistic


def test_few_labellings_are_all_run_once_and_p_is_exact():
    null, statistic = _null(35)
    assert len(statistic.run) == len(set(statistic.run)) == null.labellings == 35
    assert statistic.run[0] == bytes(LABELS)
    # By hand: 9 + 8 + 7, 9 + 8 + 3, 9 + 8 + 2, 9 + 7 + 3 and so on reach 18.
    reached = sum(sum(chosen) >= 18.0 for chosen in combinations(VALUES, 3))
    assert null.p_value == reached / 35
    assert null.p_interval == (null.p_value, null.p_value)
    assert (null.exact, null.stopped_early, null.min_attainable_p) == (True, False, 1 / 35)


def test_an_exact_null_never_stops_early():
    null, statistic = _null(35, stop_after=1)
    assert len(statistic.run) == len(null.values) == 35


def test_of_many_labellings_random_ones_are_run_and_p_counts_the_observed_one():
    null, statistic = _null(34)
    assert len(statistic.run) == len(null.values) == 34
    assert not null.exact
    reached = int(np.sum(null.values >= 18.0))
    assert null.p_value == (reached + 1) / 35
    scipys = binomtest(reached, 34).proportion_ci(0.95, method="exact")
    assert null.p_interval == pytest.approx((scipys.low, scipys.high))
    assert null.min_attainable_p == 1 / 35
    assert (null.mean, null.sd) == (pytest.approx(null.values.mean()), pytest.approx(null.values.std(ddof=1)))


@pytest.mark.parametrize("block", [1, 4, 7])
def test_a_null_stops_at_the_same_relabelling_whatever_the_size_of_the_blocks(block):
    null, statistic = _null(34, stop_after=2, block=block)
    everything, _ = _null(34)
    stop = int(np.flatnonzero(everything.values >= 18.0)[1]) + 1
    assert null.stopped_early
    np.testing.assert_array_equal(null.values, everything.values[:stop])
    assert null.p_value == 2 / stop
    assert len(statistic.run) == -(-stop // block) * block


@pytest.mark.parametrize(("permutations", "n_run"), [(35, 12), (11, 11)])
def test_labels_are_exchanged_within_strata_whether_enumerated_or_drawn(permutations, n_run):
    strata = np.array([0, 0, 1, 0, 1, 1, 1])
    null, statistic = _null(permutations, strata=strata)
    runs = np.array([list(run) for run in statistic.run])
    assert null.labellings == 12
    assert len(runs) == n_run
    assert (runs[:, strata == 0].sum(axis=1) == 2).all()
    assert (runs[:, strata == 1].sum(axis=1) == 1).all()


def test_random_relabellings_are_fixed_by_the_seed_and_the_name():
    same, again, other_seed, other_name = (
        _null(34)[1].run,
        _null(34)[1].run,
        _null(34, seed=2)[1].run,
        _null(34, name="strata and batch")[1].run,
    )
    assert same == again
    assert same != other_seed
    assert same != other_name


def test_progress_is_reported_with_the_running_p():
    messages = []
    _null(35, block=10, on_progress=lambda *message: messages.append(message))
    assert [message[:2] for message in messages] == [(10, 35), (20, 35), (30, 35), (35, 35)]
    assert messages[-1][2] == f"p = {_null(35)[0].p_value:.3f}"


@pytest.mark.parametrize(
    ("permutations", "exact", "smallest"),
    [(35, True, 1 / 35), (34, False, 1 / 35), (99, True, 1 / 35), (9, False, 0.1)],
)
def test_the_smallest_attainable_p_is_one_over_labellings_or_one_over_draws_and_one(permutations, exact, smallest):
    assert is_exact(LABELS, ONE_STRATUM, permutations) is exact
    assert min_attainable_p(LABELS, ONE_STRATUM, permutations) == smallest
