from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest

from responder_ml.evaluation.p_values import exact_p, monte_carlo_p, reaches
from responder_ml.evaluation.permutation import (
    BUDGET,
    EXACT_UP_TO,
    REFERENCE_DRAWS,
    NullPlan,
    NullResult,
    exact_null,
    expected_draws,
    is_exact,
    min_attainable_p,
    relabellings_short,
    run_null,
)
from responder_ml.evaluation.relabel import count_labellings, enumerate_labellings
from responder_ml.evaluation.sequential import confidence_interval, fewest_draws


def test_a_monte_carlo_p_counts_the_observed_labelling_among_those_drawn():
    assert monte_carlo_p([0.1, 0.9, 0.2, 0.8, 0.3], 0.8) == 3 / 6
    assert monte_carlo_p([], 0.8) == 1.0


@pytest.mark.parametrize("n", [2, 5])
def test_p_is_exactly_uniform_on_its_steps(n):
    # Null values and the observed one in every order: under the null all orders are equally likely.
    p_values = np.array([monte_carlo_p(order[1:], order[0]) for order in permutations(range(n + 1))])
    for step in np.unique(p_values):
        assert np.mean(p_values <= step + 1e-12) == pytest.approx(step)


def test_equal_up_to_rounding_reaches_the_observed_value():
    assert 0.1 + 0.2 > 0.3
    assert monte_carlo_p([0.3], 0.1 + 0.2) == 1.0
    assert monte_carlo_p([0.3 - 1e-8], 0.3) == 0.5
    # One pair of 500 x 500 is 4e-6: far above what counts as rounding.
    np.testing.assert_array_equal(reaches([0.5 - 4e-6, 0.5 - 1e-16, 0.5, 0.6], 0.5), [False, True, True, True])
    np.testing.assert_array_equal(reaches([3e6 * (1 - 1e-15), 3e6 - 1.0], 3e6), [True, False])


@pytest.mark.parametrize(("null", "observed"), [([0.1, np.nan], 0.5), ([0.1, 0.2], np.nan)])
def test_nan_is_refused(null, observed):
    with pytest.raises(ValueError, match="nan"):
        monte_carlo_p(null, observed)
    with pytest.raises(ValueError, match="nan"):
        exact_p(null, observed)


@pytest.mark.parametrize(
    ("at_or_above", "turned"),
    # Of 60 labellings three may be at or above the observed value with p <= 0.05.
    [(1, False), (2, False), (3, True), (4, True), (5, False)],
)
def test_an_exact_p_that_hangs_on_one_labelling_says_so(at_or_above, turned):
    values = np.array([0.9] * at_or_above + [0.1] * (60 - at_or_above))
    null = exact_null(_rows(values), np.full(2, 0.9), 0.05, 1 / 60)
    assert null.turned_by_one is turned
    assert null.rejected(0.05) is (at_or_above <= 3)


def test_nobody_can_turn_a_p_that_cannot_be_smaller():
    # Of ten labellings the best has p = 0.1: no labelling fewer would make it 0.05.
    assert not exact_null(_rows(np.linspace(1, 0, 10)), np.ones(2), 0.05, 0.1).turned_by_one
    assert exact_null(_rows([0.9, *np.zeros(19)]), np.full(2, 0.9), 0.05, 0.05).turned_by_one


@pytest.mark.parametrize(("at_or_above", "turned"), [(2, True), (4, True), (6, False)])
def test_a_labelling_and_its_mirror_image_turn_a_verdict_together(at_or_above, turned):
    # 4 against 4: of 70 labellings three may reach the value, which they do two by two. With four, two less would be evidence.
    values = np.array([0.9] * at_or_above + [0.1] * (70 - at_or_above))
    null = exact_null(_rows(values), np.full(2, 0.9), 0.05, 2 / 70)
    assert null.turned_by_one is turned
    assert null.rejected(0.05) is (at_or_above == 2)


def _result(values, *, exact):
    values = np.asarray(values, dtype=float)
    return NullResult(0.5, values, 0.5, (0.5, 0.5), exact, True, False, len(values), 0.01, aurocs=values)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("n", [19, 20, 39, 100])
def test_the_critical_auroc_is_the_smallest_statistic_with_a_p_of_at_most_alpha(exact, n):
    values = np.random.default_rng(n).permutation(n).astype(float)
    critical = _result(values, exact=exact).critical_auroc(0.05)

    def p_of(statistic):
        return exact_p([statistic, *values[1:]], statistic) if exact else monte_carlo_p(values, statistic)

    if np.isinf(critical):
        assert p_of(1e9) > 0.05
    else:
        assert p_of(critical + 1e-6) <= 0.05 < p_of(critical - 1e-6)


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


def _rows(values):
    """Measurements whose AUROC and only separation are these values."""
    return np.column_stack([values, values])


def _difference(block):
    """A cheap procedure: the sum of the positives' values; it remembers which labellings it was run on."""

    def statistic(labellings):
        for start in range(0, len(labellings), block):
            some = labellings[start : start + block]
            statistic.run += [bytes(labels) for labels in some]
            yield _rows([VALUES[labels == 1].sum() for labels in some])

    statistic.run = []
    return statistic


def _null(permutations, block=4, strata=ONE_STRATUM, name="strata", seed=1, on_progress=None, least=99):
    statistic = _difference(block)
    plan = NullPlan(permutations, 0.05, seed, least=least)
    (observed,) = _rows([VALUES[LABELS == 1].sum()])
    return run_null(statistic, LABELS, strata, observed, plan, name, on_progress), statistic


@pytest.mark.parametrize("permutations", [35, "auto", 5000])
def test_few_labellings_are_all_run_once_and_p_is_exact(permutations):
    null, statistic = _null(permutations, least=1)
    assert len(statistic.run) == len(set(statistic.run)) == len(null.values) == null.labellings == 35
    assert statistic.run[0] == bytes(LABELS)
    # By hand: 9 + 8 + 7, 9 + 8 + 3, 9 + 8 + 2, 9 + 7 + 3 and so on reach 18.
    reached = sum(sum(chosen) >= 18.0 for chosen in combinations(VALUES, 3))
    assert null.p_value == reached / 35
    assert null.p_interval == (null.p_value, null.p_value)
    assert (null.exact, null.settled, null.stopped_early, null.needed) == (True, True, False, None)
    assert null.min_attainable_p == 1 / 35


def test_of_many_labellings_random_ones_are_run_and_p_counts_the_observed_one():
    null, statistic = _null(34)
    # Relabellings that standardise the separations come first and take no further part.
    assert len(statistic.run) - REFERENCE_DRAWS == len(null.values) == 34
    assert not null.exact
    reached = int(np.sum(null.aurocs >= 18.0))
    assert null.p_value == (reached + 1) / 35
    assert null.p_interval == confidence_interval(reached, 34)
    assert null.min_attainable_p == 1 / 35
    assert (null.mean, null.sd) == (pytest.approx(null.aurocs.mean()), pytest.approx(null.aurocs.std(ddof=1)))
    own = null.aurocs
    np.testing.assert_allclose(
        np.diff(null.values) * (own[1] - own[0]), np.diff(own) * (null.values[1] - null.values[0]), atol=1e-9
    )


# Ten against ten: 184,756 labellings.
MANY = np.repeat(np.array([1, 0], dtype=np.int8), 10)


def _many(rate, permutations="auto", block=8, alpha=0.05, **plan):
    """A procedure that reaches the observed value of 1 at a given rate, whatever the labels."""
    rng, computed = np.random.default_rng(2), []

    def statistic(labellings):
        if len(labellings) == REFERENCE_DRAWS:
            yield _rows(np.arange(REFERENCE_DRAWS) % 2)
            return
        for start in range(0, len(labellings), block):
            computed.append(len(labellings[start : start + block]))
            yield _rows((rng.random(computed[-1]) < rate).astype(float))

    null = run_null(statistic, MANY, np.zeros(20), np.ones(2), NullPlan(permutations, alpha, 1, **plan), "strata")
    return null, sum(computed)


def test_relabellings_end_once_p_is_settled_and_no_block_is_computed_after_that():
    large, computed = _many(0.5)
    assert (large.settled, large.stopped_early, len(large.values), computed) == (True, True, 99, 104)
    assert not large.rejected(0.05)
    small, _ = _many(0.0)
    assert (small.settled, small.stopped_early, len(small.values)) == (True, True, fewest_draws(0.05))
    assert small.rejected(0.05)
    assert small.p_value == small.min_attainable_p == 1 / (fewest_draws(0.05) + 1)
    assert small.p_interval[0] == 0.0
    assert small.p_interval[1] < 0.05


@pytest.mark.parametrize("block", [1, 8, 50])
def test_a_null_ends_at_the_same_relabelling_whatever_the_size_of_the_blocks(block):
    null, _ = _many(0.15, block=block)
    assert len(null.values) == len(_many(0.15, block=3)[0].values)
    np.testing.assert_array_equal(null.values, _many(0.15, block=3)[0].values)


def test_where_the_budget_ends_first_p_is_undecided_with_an_interval_and_what_it_would_take():
    null, computed = _many(0.06, 400)
    assert (null.settled, null.stopped_early, len(null.values), computed) == (False, False, 400, 400)
    assert not null.rejected(0.05)
    assert not null.rejected(0.5)
    low, high = null.p_interval
    assert low < 0.05 < high
    assert 400 < null.needed <= count_labellings(MANY, np.zeros(20))
    # p at alpha can be settled by no number of relabellings but all of them.
    reached = np.random.default_rng(3).permutation(np.repeat([1.0, 0.0], [49, 950]))
    at_alpha = run_null(lambda _: [_rows(reached)], MANY, np.zeros(20), np.ones(2), NullPlan(999, 0.05, 1), "strata")
    assert at_alpha.p_value == 0.05
    assert (at_alpha.settled, at_alpha.needed) == (False, None)


def test_tests_that_are_corrected_together_go_on_until_a_small_p_is_small_enough():
    alone, together = _many(0.0)[0], _many(0.0, family=6)[0]
    assert len(together.values) == fewest_draws(0.05 / 6) > len(alone.values)
    assert together.p_value == together.min_attainable_p
    assert together.p_value * 6 <= 0.05
    # A large p ends as before.
    assert len(_many(0.5, family=6)[0].values) == 99


@pytest.mark.parametrize(("permutations", "n_run"), [(35, 12), (11, REFERENCE_DRAWS + 11)])
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
    messages.clear()
    drawn, _ = _null(34, block=10, on_progress=lambda *message: messages.append(message))
    assert [message[:2] for message in messages] == [(10, 34), (20, 34), (30, 34), (34, 34)]
    assert messages[-1][2] == f"p = {drawn.p_value:.3f} so far"


def test_a_null_is_expected_to_end_when_it_is_settled_at_the_rate_so_far():
    plan = NullPlan(5000, 0.05, 1)
    assert expected_draws(plan) == fewest_draws(0.05)
    clear, near = expected_draws(plan, 60, 100), expected_draws(plan, 5, 100)
    assert clear == 101  # settled, and only waiting for its block to end
    assert near == 5000
    assert expected_draws(replace(plan, permutations=50)) == 50
    # Corrected for ten tests, p must be seen below a tenth of alpha.
    assert expected_draws(replace(plan, family=10)) > fewest_draws(0.05)


@pytest.mark.parametrize(
    ("permutations", "exact", "smallest"),
    [(35, True, 1 / 35), (34, False, 1 / 35), (99, True, 1 / 35), (9, False, 0.1), ("auto", True, 1 / 35)],
)
def test_the_smallest_attainable_p_is_one_over_labellings_or_one_over_draws_and_one(permutations, exact, smallest):
    assert is_exact(LABELS, ONE_STRATUM, permutations) is exact
    assert min_attainable_p(LABELS, ONE_STRATUM, NullPlan(permutations, 0.05, 1)) == smallest


def test_auto_runs_all_labellings_up_to_some_thousands_and_else_has_a_budget():
    six_seven, seven_seven = (np.repeat(np.array([1, 0], dtype=np.int8), sizes) for sizes in ((6, 7), (7, 7)))
    assert (
        count_labellings(six_seven, np.zeros(13)) == 1716 <= EXACT_UP_TO < count_labellings(seven_seven, np.zeros(14))
    )
    assert is_exact(six_seven, np.zeros(13), "auto")
    assert not is_exact(seven_seven, np.zeros(14), "auto")
    assert NullPlan("auto", 0.05, 1).budget == BUDGET
    assert NullPlan(77, 0.05, 1).budget == 77


def test_too_few_relabellings_are_told_with_the_number_needed():
    fewest = fewest_draws(0.05)
    assert relabellings_short(MANY, np.zeros(20), NullPlan(fewest - 1, 0.05, 1)) == fewest
    for enough in (fewest, "auto", 0):
        assert relabellings_short(MANY, np.zeros(20), NullPlan(enough, 0.05, 1)) is None
    # With fewer labellings than that, all of them do.
    assert relabellings_short(LABELS, ONE_STRATUM, NullPlan(34, 0.05, 1)) == 35
    assert relabellings_short(LABELS, ONE_STRATUM, NullPlan(35, 0.05, 1)) is None


def test_a_weighted_null_counts_labellings_by_their_probability():
    labels, log_odds = np.array([1, 1, 0, 0, 0], dtype=np.int8), np.array([2.0, 1.0, 0.0, 0.0, -1.0])
    direction = np.array([1.0, 0.0, 3.0, 0.0, 0.5])

    def statistic(labellings):
        yield _rows([labelling @ direction for labelling in labellings])

    plan = NullPlan("auto", 0.05, 1)
    null = run_null(statistic, labels, np.zeros(5, dtype=int), np.ones(2), plan, "x", log_odds=log_odds)
    labellings = enumerate_labellings(labels, np.zeros(5, dtype=int))
    weights = np.exp(labellings @ log_odds)
    assert null.exact
    assert null.p_value == pytest.approx(weights[labellings @ direction >= 1.0].sum() / weights.sum())
    assert null.observed_share == null.min_attainable_p == pytest.approx(weights[0] / weights.sum())
    # Random draws come as often as they are likely, so they have no weights and give the same p.
    drawn = run_null(
        statistic, labels, np.zeros(5, dtype=int), np.ones(2), NullPlan(9, 0.5, 1, least=9), "x", log_odds=log_odds
    )
    assert not drawn.exact
    assert drawn.p_value == pytest.approx(null.p_value, abs=0.35)


def test_labels_that_a_measurement_settles_cannot_reach_alpha():
    labels, log_odds = np.repeat([1, 0], 5).astype(np.int8), np.repeat([20.0, -20.0], 5)

    def statistic(labellings):
        yield _rows([float(labelling[:5].sum()) for labelling in labellings])

    null = run_null(
        statistic, labels, np.zeros(10, dtype=int), np.full(2, 5.0), NullPlan("auto", 0.05, 1), "x", log_odds=log_odds
    )
    assert null.min_attainable_p > 0.99
    random = run_null(
        statistic, labels, np.zeros(10, dtype=int), np.full(2, 5.0), NullPlan(99, 0.05, 1), "x", log_odds=log_odds
    )
    assert random.observed_share == random.p_value == 1.0
