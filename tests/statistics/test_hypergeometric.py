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


def test_impossible_overlap_is_refused():
    with pytest.raises(ValueError, match="exceeds"):
        log_overlap_tail(4, 3, 5, 10)
