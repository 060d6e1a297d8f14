import numpy as np
import pytest

from responder_ml.cohort.counts_from_log2 import counts_from_log2


@pytest.fixture
def counts(rng):
    mean = np.exp(rng.normal(size=2000) * 2 + 2)
    return rng.poisson(mean * rng.uniform(0.5, 2, size=(4, 1))).astype(float)


@pytest.mark.parametrize("decimals", [4, 16])
def test_log2_counts_per_million_become_the_counts_they_were(counts, decimals):
    library = counts.sum(axis=1, keepdims=True)
    log2 = np.log2((counts + 0.5) / (library + 1) * 1e6).round(decimals)
    found = counts_from_log2(log2, 12345.0)
    small = counts < 1000
    np.testing.assert_array_equal(found[small], counts[small])
    np.testing.assert_allclose(found, counts, rtol=1e-4)


@pytest.mark.parametrize("offset", [1.0, 0.1, 2.0])
def test_another_offset_gives_the_same_profile_at_the_depth_asked_for(counts, offset):
    library = counts.sum(axis=1, keepdims=True)
    log2 = np.log2(counts / library * 1e6 + offset)
    found = counts_from_log2(log2, 5e6)
    np.testing.assert_allclose(found, counts / library * 5e6, rtol=1e-9, atol=1e-6)


def test_without_a_floor_the_usual_offsets_are_undone_at_the_depth_asked_for(counts):
    expressed = counts[:, (counts > 0).all(axis=0)][:, :50] + np.arange(50) * 3
    depth = 1e6
    log2 = np.log2((expressed + 0.5) / (depth + 1) * 1e6)
    np.testing.assert_allclose(counts_from_log2(log2, depth), expressed, rtol=1e-9)


def test_each_sample_is_converted_by_itself(counts):
    log2 = np.log2((counts + 0.5) / (counts.sum(axis=1, keepdims=True) + 1) * 1e6)
    together = counts_from_log2(log2, 1e6)
    for row in range(len(log2)):
        np.testing.assert_array_equal(counts_from_log2(log2[[row]], 1e6)[0], together[row])
