import numpy as np
import pytest

from responder_ml.errors import FeatureError
from responder_ml.features.expression_filter import ExpressionFilter, SharedDetection, detected
from responder_ml.features.normalise import Normaliser, SharedExpression, choose_reference, upper_quartile
from responder_ml.features.tmm import tmm_factor


@pytest.fixture
def counts(rng):
    mean = np.exp(rng.normal(size=400) * 2 + 3)
    return rng.poisson(mean * rng.gamma(20, size=(9, 1)) / 20).astype(float)


def test_log_cpm_by_hand():
    normalised = Normaliser("counts", "log_cpm").fit_transform(np.array([[0.0, 999.0]]))
    np.testing.assert_allclose(normalised, np.log2([[0.5 / 1000 * 1e6, 999.5 / 1000 * 1e6]]))


def test_tmm_of_a_rescaled_library_is_one_and_of_one_with_a_swollen_gene_is_below(counts):
    assert tmm_factor(counts[0] * 3, counts[0]) == pytest.approx(1.0, abs=1e-9)
    swollen = counts[0].copy()
    swollen[5] += counts[0].sum()
    assert tmm_factor(swollen, counts[0]) == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("method", ["log_cpm", "tmm"])
def test_a_sample_alone_in_a_batch_or_reordered_is_the_same(counts, method):
    normaliser = Normaliser("counts", method).fit(counts[:6])
    together = normaliser.transform(counts)
    np.testing.assert_array_equal(normaliser.transform(counts[[7]])[0], together[7])
    np.testing.assert_array_equal(normaliser.transform(counts[::-1])[::-1], together)


def test_the_reference_is_a_training_row_and_held_out_rows_do_not_move_it(counts, rng):
    reference = Normaliser("counts", "tmm").fit(counts[:6]).reference_
    assert any((reference == row).all() for row in counts[:6])
    shared = SharedExpression(counts, "counts", "tmm")
    rows = np.arange(9) < 6
    edited = counts.copy()
    edited[6:] = rng.poisson(9, size=(3, 400))
    np.testing.assert_array_equal(
        shared.shifts(rows[None])[0][:6], SharedExpression(edited, "counts", "tmm").shifts(rows[None])[0][:6]
    )


@pytest.mark.parametrize("units", ["counts", "tpm", "log2"])
def test_shared_expression_equals_the_normaliser_for_every_training_set(counts, rng, units):
    values = np.log2(counts + 1) if units == "log2" else counts
    shared = SharedExpression(values, units, "tmm")
    for _ in range(5):
        rows = np.zeros(9, dtype=bool)
        rows[rng.choice(9, 6, replace=False)] = True
        shifts = shared.shifts(rows[None])
        shifted = shared.base if shifts is None else shared.base + shifts[0][:, None]
        np.testing.assert_allclose(shifted, Normaliser(units, "tmm").fit(values[rows]).transform(values), atol=1e-12)


def test_reference_choice_looks_at_each_sample_alone(counts):
    quartiles = upper_quartile(counts)
    np.testing.assert_array_equal(quartiles[3], upper_quartile(counts[[3]])[0])
    assert choose_reference(np.array([1.0, 2.0, 6.0])) == 1


def test_unknown_units_and_methods_are_refused_with_what_is_known():
    with pytest.raises(FeatureError, match=r"'rpkm'.*counts, log2, tpm"):
        Normaliser("rpkm").fit(np.ones((3, 2)))
    with pytest.raises(FeatureError, match=r"'quantile'.*log_cpm, tmm"):
        Normaliser("counts", "quantile").fit(np.ones((3, 2)))


def test_filter_counts_detections_in_training_rows_only(counts, rng):
    detections = detected(counts, "counts", 2000.0)
    shared = SharedDetection(detections, 0.5)
    for _ in range(5):
        rows = np.zeros(9, dtype=bool)
        rows[rng.choice(9, 5, replace=False)] = True
        expected = ExpressionFilter("counts", 2000.0, 0.5).fit(counts[rows]).kept_
        np.testing.assert_array_equal(shared.expressed(rows[None])[0], expected)
        assert 0 < expected.sum() < 400


def test_log2_values_are_never_filtered():
    assert detected(np.ones((2, 3)), "log2", 1.0) is None
    assert ExpressionFilter("log2").fit(np.zeros((4, 3))).kept_.all()
