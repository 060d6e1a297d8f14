import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from responder_ml.statistics.hypergeometric import log_overlap_bounds, log_overlap_tail


@st.composite
def overlaps(draw):
    total = draw(st.integers(1, 400))
    first, second = draw(st.integers(0, total)), draw(st.integers(0, total))
    return draw(st.integers(0, min(first, second))), first, second, total


@given(overlaps())
@settings(max_examples=150, deadline=None)
def test_tail_equals_the_sum_of_probabilities(case):
    overlap, first, second, total = case
    terms = hypergeom.logpmf(np.arange(overlap, min(first, second) + 1), total, first, second)
    naive = min(0.0, np.logaddexp.reduce(terms))
    log_p = log_overlap_tail(overlap, first, second, total)
    assert log_p == pytest.approx(naive, rel=1e-9, abs=1e-9)
    low, high = log_overlap_bounds(overlap, first, second, total)
    assert low <= log_p <= high


def test_extreme_overlap_is_finite_and_exact():
    # All of 5,000 among 20,000 in both: 1 / choose(20000, 5000).
    log_p = float(log_overlap_tail(5000, 5000, 5000, 20_000))
    assert np.isfinite(log_p)
    assert log_p == pytest.approx(float(hypergeom.logpmf(5000, 20_000, 5000, 5000)), rel=1e-10)


def test_certain_overlap_has_log_zero():
    np.testing.assert_array_equal(log_overlap_tail([0, 4, 0], [3, 7, 0], [5, 7, 4], 10), 0.0)


def test_shapes_broadcast():
    assert log_overlap_tail(np.ones((2, 1), int), 3, np.array([4, 5, 6]), 10).shape == (2, 3)


@pytest.mark.parametrize(
    ("overlap", "first", "second"), [([1, 4], 3, 5), ([1, 4], 5, 3), (1, [3, 11], 5), (1, 5, [3, 11])]
)
def test_one_impossible_overlap_is_refused(overlap, first, second):
    with pytest.raises(ValueError, match="exceeds"):
        log_overlap_tail(overlap, first, second, 10)


def test_bounds_far_above_the_mode_are_the_first_term_and_its_geometric_series():
    # Sets of 6 and 5 among 40: P(4) = C(6, 4) C(34, 1) / C(40, 5), and the next term is 2 x 1 / (5 x 34) of it.
    first_term = np.log(15 * 34 / 658_008)
    low, high = log_overlap_bounds(4, 6, 5, 40)
    assert low == pytest.approx(first_term, abs=2e-6)
    assert high == pytest.approx(first_term - np.log(1 - 2 / 170), abs=2e-6)


@pytest.mark.parametrize("overlap", [0, 1, 2])
def test_there_is_no_upper_bound_up_to_the_mode(overlap):
    # Sets of 6 and 7 among 12 share 1 at least; P(1) = 6 / 792, P(2) = 90 / 792, and P(3) = P(4) = 300 / 792 are the largest.
    low, high = log_overlap_bounds(overlap, 6, 7, 12)
    assert high == pytest.approx(0.0, abs=2e-6)
    assert low == pytest.approx({0: 0.0, 1: np.log(6 / 792), 2: np.log(90 / 792)}[overlap], abs=2e-6)


def test_logarithms_of_probabilities_are_at_most_zero():
    overlap, first, second = np.meshgrid(np.arange(12), np.arange(11, 30), np.arange(11, 30))
    assert log_overlap_tail(overlap, first, second, 41).max() <= 0.0
