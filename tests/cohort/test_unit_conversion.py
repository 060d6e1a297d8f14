import numpy as np
import pytest

from responder_ml.cohort.unit_conversion import convert_units
from responder_ml.exceptions import ExpressionError


@pytest.mark.parametrize("units", ["counts", "log2", "tpm"])
def test_the_same_units_stay_as_they_are(units, rng):
    values = rng.random((2, 3))
    assert convert_units(values, units, units, 1e6) is values


def test_log2_of_tpm_becomes_tpm_again():
    tpm = np.array([[0.0, 1.0, 2.5, 1000.0]])
    np.testing.assert_allclose(convert_units(np.log2(tpm + 1), "log2", "tpm", 0.0), tpm, atol=1e-12)
    np.testing.assert_array_equal(convert_units(np.array([[-0.01]]), "log2", "tpm", 0.0), 0.0)


def test_log2_counts_per_million_become_counts():
    counts = np.array([[3.0, 10.0, 200.0]])
    log2 = np.log2((counts + 0.5) / (1e7 + 1) * 1e6)
    np.testing.assert_allclose(convert_units(log2, "log2", "counts", 1e7), counts)


@pytest.mark.parametrize(
    ("units", "wanted", "ways"),
    [
        ("counts", "log2", "Give log2 made the way"),
        ("tpm", "log2", "Give log2 made the way"),
        ("tpm", "counts", "Give counts or log2."),
        ("counts", "tpm", "Give tpm or log2."),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_ways_there_are(units, wanted, ways):
    with pytest.raises(ExpressionError, match=f"declared as {units}, but the model was trained on {wanted}") as found:
        convert_units(np.ones((1, 1)), units, wanted, 1e6)
    assert ways in str(found.value)
