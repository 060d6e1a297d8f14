import numpy as np
import pytest

from responder_ml.statistics.rounding import rounding_share


@pytest.mark.parametrize("level", [0.1, -7.3, 1e9 / 3])
@pytest.mark.parametrize("count", [3, 40, 1_000])
def test_what_sums_make_of_a_constant_is_rounding_and_a_real_difference_is_not(rng, level, count):
    values = np.full(count, level) * (1.0 + np.finfo(float).eps * rng.integers(0, 2, size=count))
    mean = values.mean()
    assert np.sqrt(np.mean((values - mean) ** 2)) <= rounding_share(count) * abs(mean)
    values[0] *= 1.0 + 1e-9
    assert np.sqrt(np.mean((values - values.mean()) ** 2)) > rounding_share(count) * abs(mean)
