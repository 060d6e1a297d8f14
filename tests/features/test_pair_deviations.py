import numpy as np
import pytest

from responder_ml.features.pair_deviations import pair_deviations

PAIRS = np.array([0, 1, 0, 1])


def test_members_have_half_their_log2_ratio_with_opposite_signs(rng):
    values = rng.normal(8.0, 2.0, size=(4, 5))
    deviations = pair_deviations(values, "log2", PAIRS)
    np.testing.assert_allclose(deviations[0], (values[0] - values[2]) / 2)
    np.testing.assert_allclose(deviations[:2], -deviations[2:])


def test_what_both_members_share_cancels(rng):
    values = rng.normal(8.0, 2.0, size=(4, 5))
    shared = rng.normal(size=(2, 5))[PAIRS]
    np.testing.assert_allclose(pair_deviations(values + shared, "log2", PAIRS), pair_deviations(values, "log2", PAIRS))


def test_a_pair_tells_nothing_about_another(rng):
    values = rng.poisson(30.0, size=(4, 50)).astype(float)
    edited = values.copy()
    edited[[1, 3]] *= 7.0
    np.testing.assert_array_equal(
        pair_deviations(edited, "counts", PAIRS)[[0, 2]], pair_deviations(values, "counts", PAIRS)[[0, 2]]
    )


@pytest.mark.parametrize("units", ["counts", "tpm"])
def test_a_gene_that_neither_expresses_has_no_difference(units):
    values = np.array([[0.0, 5.0, 1e6], [3.0, 0.0, 1e6], [0.5, 0.0, 1e6], [2.0, 4.0, 1e6]])
    deviations = pair_deviations(values, units, PAIRS)
    assert deviations[0, 0] == deviations[2, 0] == 0.0
    assert (deviations[[0, 1, 3], [1, 0, 0]] != 0.0).all()
