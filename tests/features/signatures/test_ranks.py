import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from responder_ml.features.signatures.ranks import average_ranks, share_among_ties


def test_tied_places_share_their_mean():
    shared = share_among_ties(np.array([1.0, 1.0, 2.0, 3.0, 3.0, 3.0]), np.array([10.0, 20.0, 30.0, 1.0, 2.0, 6.0]))
    np.testing.assert_array_equal(shared, [15.0, 15.0, 30.0, 3.0, 3.0, 3.0])


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, (3, 9), elements=st.integers(-3, 3).map(float)))
def test_average_ranks_equal_scipy(values):
    np.testing.assert_array_equal(average_ranks(values), rankdata(values, axis=1))


def test_minus_zero_ties_with_zero():
    np.testing.assert_array_equal(average_ranks(np.array([[0.0, -0.0, 1.0]])), [[1.5, 1.5, 3.0]])
