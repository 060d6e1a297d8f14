import numpy as np
import pytest

from responder_ml.features.missing_genes import fill_from, fill_gaps, fill_missing, typical_sample
from responder_ml.features.normalise import Normaliser


@pytest.fixture
def counts(rng):
    profile = np.exp(rng.normal(size=800) * 1.5 + 4)
    depth = rng.uniform(0.5, 2.0, size=(12, 1))
    return rng.poisson(profile * depth * np.exp(rng.normal(size=(12, 800)) * 0.2)).astype(float)


def test_typical_counts_are_mean_shares_of_the_median_library():
    counts = np.array([[10.0, 30.0], [50.0, 50.0], [0.0, 400.0]])
    shares = np.array([(0.25 + 0.5 + 0.0) / 3, (0.75 + 0.5 + 1.0) / 3])
    np.testing.assert_allclose(typical_sample(counts, "counts"), shares * 100.0)


@pytest.mark.parametrize("units", ["log2", "tpm"])
def test_other_units_have_their_mean(units):
    np.testing.assert_allclose(typical_sample(np.array([[1.0, 2.0], [3.0, 6.0]]), units), [2.0, 4.0])


@pytest.mark.parametrize("units", ["counts", "log2", "tpm"])
def test_present_genes_are_untouched_and_missing_ones_are_not_read(units, counts):
    present = np.arange(800) % 4 > 0
    typical = typical_sample(counts, units)
    holed = np.where(present, counts, np.nan)
    filled = fill_missing(holed, present, typical, units)
    np.testing.assert_array_equal(filled[:, present], counts[:, present])
    assert np.isfinite(filled).all()
    if units != "counts":
        np.testing.assert_array_equal(filled[:, ~present], np.broadcast_to(typical[~present], (12, 200)))


def test_filled_counts_follow_the_depth_of_the_sample(counts):
    present = np.arange(800) % 4 > 0
    typical = typical_sample(counts, "counts")
    deep = fill_missing(counts * 3, present, typical, "counts")
    plain = fill_missing(counts, present, typical, "counts")
    np.testing.assert_allclose(deep[:, ~present], 3 * plain[:, ~present], rtol=0.02)


@pytest.mark.parametrize("method", ["tmm", "log_cpm"])
def test_present_genes_keep_their_normalised_values(method, counts, rng):
    """What is filled stands for the library that is not seen, so the genes that are seen come out as before."""
    train, fresh = counts[:9], counts[9:]
    normaliser = Normaliser("counts", method).fit(train)
    present = rng.random(800) > 0.4
    filled = fill_missing(np.where(present, fresh, np.nan), present, typical_sample(train, "counts"), "counts")
    difference = normaliser.transform(filled)[:, present] - normaliser.transform(fresh)[:, present]
    assert np.abs(difference).max() < 0.05
    without = normaliser.transform(np.where(present, fresh, 0.0))[:, present] - normaliser.transform(fresh)[:, present]
    assert np.abs(difference).max() <= np.abs(without).max() + 0.02


def test_each_sample_is_filled_by_itself(counts):
    present = np.arange(800) % 3 > 0
    typical = typical_sample(counts, "counts")
    together = fill_missing(counts, present, typical, "counts")
    for row in range(len(counts)):
        np.testing.assert_array_equal(fill_missing(counts[[row]], present, typical, "counts")[0], together[row])


def test_a_sample_without_a_count_is_filled_with_none(counts):
    present = np.arange(800) % 3 > 0
    filled = fill_missing(np.zeros((1, 800)), present, typical_sample(counts, "counts"), "counts")
    np.testing.assert_array_equal(filled, 0.0)


@pytest.mark.parametrize("units", ["counts", "tpm", "log2"])
def test_gaps_are_filled_for_each_sample_by_itself_and_nothing_else_changes(counts, rng, units):
    values = np.log2(counts + 1) if units == "log2" else counts
    gaps = rng.random(values.shape) < 0.05
    typical, everywhere = typical_sample(values, units), np.ones(800, dtype=bool)
    filled = fill_gaps(np.where(gaps, np.nan, values), everywhere, typical, units)
    np.testing.assert_array_equal(filled[~gaps], values[~gaps])
    alone = fill_gaps(np.where(gaps, np.nan, values)[[3]], everywhere, typical, units)
    np.testing.assert_array_equal(alone[0], filled[3])
    # What is filled in resembles what stood there far more than zero or the sample's mean do.
    error = np.abs(np.log2(filled[gaps] + 1) - np.log2(values[gaps] + 1)).mean()
    assert error < 0.5 * np.abs(np.log2(values[gaps] + 1) - np.log2(values.mean() + 1)).mean()


def test_a_gap_without_any_measured_value_in_training_gets_an_ordinary_one(counts):
    gaps = np.zeros(counts.shape, dtype=bool)
    gaps[:6, 4] = True
    filled = fill_from(counts, gaps, np.arange(12) < 6, "counts")
    assert np.all((filled[:6, 4] > 0) & (filled[:6, 4] < counts.max()))


def test_a_gap_in_a_missing_gene_is_left_to_the_rule_for_missing_genes(counts):
    present = np.arange(800) > 0
    values = counts.copy()
    values[:, 0] = np.nan
    assert fill_gaps(values, present, typical_sample(counts, "counts"), "counts") is values
