from itertools import permutations

import numpy as np
import pytest

from responder_ml.evaluation.permutation import NullPlan, run_null
from responder_ml.evaluation.reorder import OUTCOMES, count_orders, draw_orders, enumerate_orders, smallest_p

OUTCOME = np.array([3.0, 1.0, 1.0, 2.5, 2.0, 7.0])
STRATA = np.array([0, 0, 0, 1, 1, 1])


def test_orders_are_those_of_every_stratum_once_and_the_observed_one_is_first():
    orders = enumerate_orders(OUTCOME, STRATA)
    expected = {(*first, *second) for first in permutations(OUTCOME[:3]) for second in permutations(OUTCOME[3:])}
    assert len(expected) == count_orders(OUTCOME, STRATA) == len(orders) == 18
    assert set(map(tuple, orders)) == expected
    np.testing.assert_array_equal(orders[0], OUTCOME)


def test_draws_exchange_within_strata_only_and_do_not_depend_on_their_number(rng):
    drawn = draw_orders(OUTCOME, STRATA, 400, np.random.default_rng(3))
    for part in (slice(0, 3), slice(3, 6)):
        np.testing.assert_array_equal(np.sort(drawn[:, part]), np.tile(np.sort(OUTCOME[part]), (400, 1)))
    np.testing.assert_array_equal(drawn[:10], draw_orders(OUTCOME, STRATA, 10, np.random.default_rng(3)))
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 18
    assert counts.min() > 5


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ([1.0, 2.0, 4.0], 1 / 6),
        # Reflected about its centre it is the same set of values.
        ([1.0, 2.0, 3.0], 2 / 6),
        ([0.0, 0.0, 1.0, 1.0], 2 / 6),
        ([5.0, 5.0, 5.0], 1.0),
    ],
)
def test_the_smallest_p_counts_an_order_that_is_the_mirror_image(outcome, expected):
    assert smallest_p(np.array(outcome), np.zeros(len(outcome), dtype=int)) == pytest.approx(expected)


def test_hundreds_of_subjects_overflow_nothing():
    outcome = np.arange(700.0)
    assert smallest_p(outcome, np.zeros(700, dtype=int)) == 0.0
    assert count_orders(outcome, np.zeros(700, dtype=int)) > 10**1000


def test_a_null_of_outcomes_is_exact_where_orders_are_few():
    weights = np.array([1.0, 2.0, 3.0, 4.0])

    def statistic(outcomes):
        yield np.array([[0.5, outcome @ weights] for outcome in outcomes])

    outcome = np.array([1.0, 2.0, 4.0, 5.5])
    strata = np.zeros(4, dtype=int)
    null = run_null(
        statistic,
        outcome,
        strata,
        np.array([0.5, outcome @ weights]),
        NullPlan("auto", 0.05, 7),
        "x",
        relabelling=OUTCOMES,
    )
    # Sorted outcomes have the largest product: no other of the 24 orders reaches it.
    assert (null.exact, null.labellings, null.p_value) == (True, 24, 1 / 24)
