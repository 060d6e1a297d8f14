import numpy as np
import pytest

from responder_ml.contrasts.claim_statistic import expected_correlation

SIZES = {"control": 5, "susceptible": 3, "resilient": 4, "drug": 3}
STRESS = ("susceptible", "control")


@pytest.mark.parametrize(
    ("second", "value"),
    [
        (("drug", "susceptible"), -0.559),
        (("resilient", "control"), 0.408),
        (("drug", "control"), 0.375),
        (("drug", "resilient"), 0.0),
    ],
)
def test_values_of_the_founding_design(second, value):
    assert expected_correlation(STRESS, second, SIZES) == pytest.approx(value, abs=5e-4)


def test_equals_simulation(rng):
    means = {name: rng.normal(0, 1 / np.sqrt(size), 200_000) for name, size in SIZES.items()}
    stress, drug = means["susceptible"] - means["control"], means["drug"] - means["susceptible"]
    expected = expected_correlation(STRESS, ("drug", "susceptible"), SIZES)
    assert np.corrcoef(stress, drug)[0, 1] == pytest.approx(expected, abs=0.01)
