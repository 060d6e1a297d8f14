from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.features import tmm as module
from responder_ml.features.normalise import Normaliser, choose_reference, upper_quartile
from responder_ml.features.tmm import shared_factors, tmm_factor, tmm_factors


@pytest.fixture
def counts(rng):
    return rng.poisson(np.exp(rng.normal(size=300) + 3) * rng.gamma(9, size=(5, 1)) / 9).astype(float)


@pytest.fixture
def calls(monkeypatch):
    """Return one entry for each factor that was computed."""
    computed = []
    monkeypatch.setattr(module, "tmm_factor", lambda row, reference: computed.append(1) or tmm_factor(row, reference))
    return computed


def test_each_sample_and_reference_has_its_own_factor(counts):
    expected = [[tmm_factor(row, reference) for row in counts] for reference in counts]
    with shared_factors():
        for _ in range(2):
            factors = [tmm_factors(counts, reference) for reference in counts]
            np.testing.assert_array_equal(factors, expected)
        np.testing.assert_array_equal(tmm_factors(counts[1:3], counts[0]), expected[0][1:3])
        np.testing.assert_array_equal(tmm_factors(counts[::-1].copy(), counts[0]), expected[0][::-1])


def test_equal_references_are_compared_with_once(counts, calls):
    with shared_factors():
        tmm_factors(counts, counts[2])
        tmm_factors(counts, counts[2].copy())
        assert len(calls) == 5
        tmm_factors(counts, counts[3])
        assert len(calls) == 10


def test_nothing_is_remembered_outside_or_afterwards(counts, calls):
    with shared_factors():
        tmm_factors(counts, counts[2])
    counts *= 2
    tmm_factors(counts, counts[2])
    tmm_factors(counts, counts[2])
    assert len(calls) == 15


GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def edger():
    """Counts, samples x genes, and what edgeR 3.40.2 computes from them; see tests/golden/README.md."""
    counts = pd.read_csv(GOLDEN / "limma_counts.csv", index_col="gene").T.astype(float)
    table = pd.read_csv(GOLDEN / "limma_tmm_factors.csv", index_col="sample")
    assert list(counts.index) == list(table.index)
    np.testing.assert_array_equal(counts.sum(axis=1), table["library_size"])
    return counts, table


@pytest.mark.parametrize("choice", ["fixed", "default"])
def test_factors_are_edgers_before_recentring(edger, choice):
    counts, table = edger
    (reference,) = set(table[f"{choice}_reference"])
    factors = tmm_factors(counts.to_numpy(), counts.loc[reference].to_numpy())
    np.testing.assert_allclose(factors, table[f"{choice}_raw"], rtol=1e-12)
    assert np.ptp(factors) > 0.3
    recentred = factors / np.exp(np.mean(np.log(factors)))
    np.testing.assert_allclose(recentred, table[f"{choice}_factor"], rtol=1e-12)


def test_of_edgers_quartiles_edgers_reference_is_chosen(edger):
    counts, table = edger
    assert counts.index[choose_reference(table["quartile"].to_numpy())] == table["default_reference"].iloc[0] == "s08"


def test_the_reference_rests_on_each_samples_own_nonzero_counts(edger):
    """edgeR's quartile counts the zeros of genes that other samples have; without them another sample is the nearest."""
    counts, table = edger
    values = counts.to_numpy()
    expressed = values[:, (values > 0).any(axis=0)]
    library = values.sum(axis=1)
    np.testing.assert_allclose(np.quantile(expressed, 0.75, axis=1) / library, table["quartile"], rtol=1e-12)
    own = np.array([np.quantile(row[row > 0], 0.75) for row in values]) / library
    np.testing.assert_allclose(upper_quartile(values), own, rtol=1e-12)
    nearest = np.argmin(np.abs(own - own.mean()))
    assert counts.index[nearest] == "s11"
    np.testing.assert_array_equal(Normaliser("counts", "tmm").fit(values).reference_, values[nearest])


def test_a_frozen_normaliser_divides_by_edgers_effective_library(edger):
    counts, table = edger
    values = counts.to_numpy()
    normaliser = Normaliser("counts", "tmm").fit(values[[2]])
    effective = (table["library_size"] * table["fixed_raw"]).to_numpy()
    expected = np.log2((values + 0.5) / (effective[:, None] + 1.0) * 1e6)
    np.testing.assert_allclose(normaliser.transform(values), expected, rtol=1e-12)


def test_libraries_that_differ_in_size_only_or_share_no_gene_have_factor_one():
    reference = np.array([10.0, 20.0, 30.0, 40.0, 50.0])
    assert tmm_factor(3.0 * reference, reference) == 1.0
    assert tmm_factor(np.array([5.0, 0.0]), np.array([0.0, 5.0])) == 1.0


def test_a_gene_that_only_falls_is_no_equal_library(counts):
    sample = counts[0].copy()
    sample[np.argsort(sample)[-100:]] *= 0.25
    assert tmm_factor(sample, counts[0]) > 1.2
