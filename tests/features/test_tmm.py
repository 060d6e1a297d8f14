import numpy as np
import pytest

from responder_ml.features import tmm as module
from responder_ml.features.tmm import shared_factors, tmm_factor, tmm_factors


@pytest.fixture
def counts(rng):
    return rng.poisson(np.exp(rng.normal(size=300) + 3) * rng.gamma(9, size=(5, 1)) / 9).astype(float)


@pytest.fixture
def calls(monkeypatch):
    """Return the samples whose factors were worked out."""
    made = []
    monkeypatch.setattr(module, "tmm_factor", lambda row, reference: made.append(1) or tmm_factor(row, reference))
    return made


def test_each_sample_and_reference_has_its_own_factor(counts):
    expected = [[tmm_factor(row, reference) for row in counts] for reference in counts]
    with shared_factors():
        for _ in range(2):
            found = [tmm_factors(counts, reference) for reference in counts]
            np.testing.assert_array_equal(found, expected)
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
