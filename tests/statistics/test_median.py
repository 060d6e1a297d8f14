import numpy as np
import pytest

from responder_ml.statistics.median import median


@pytest.mark.parametrize("shape", [(1,), (2,), (7,), (8,), (5, 6), (4, 9), (3, 2, 10)])
@pytest.mark.parametrize("axis", [0, -1])
def test_equals_numpy(rng, shape, axis):
    values = np.round(rng.normal(size=shape), 1)
    np.testing.assert_allclose(median(values, axis=axis), np.median(values, axis=axis), rtol=1e-15)
