from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.statistics.lowess import lowess

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.mark.parametrize("span", [0.2, 0.5, 0.9])
def test_equals_r_with_ties_and_an_outlier(span):
    table = pd.read_csv(GOLDEN / "limma_lowess.csv")
    smooth = lowess(table["x"].to_numpy(), table["y"].to_numpy(), span)
    np.testing.assert_allclose(smooth, table[f"span_{span}"], rtol=1e-9, atol=1e-12)


def test_line_comes_back_unchanged():
    x = np.linspace(0, 5, 30)
    np.testing.assert_allclose(lowess(x, 3 - 2 * x, 0.4, delta=0.0), 3 - 2 * x, atol=1e-12)


def test_interpolates_between_anchors_only(rng):
    x = np.sort(rng.uniform(size=400))
    y = np.sin(4 * x) + rng.normal(0, 0.1, 400)
    coarse, fine = lowess(x, y, 0.3), lowess(x, y, 0.3, delta=0.0)
    assert np.max(np.abs(coarse - fine)) < 0.01


def test_ties_alone_give_their_mean():
    np.testing.assert_allclose(lowess(np.zeros(5), np.arange(5.0), 1.0, iterations=0), np.full(5, 2.0))


def test_unordered_x_is_refused():
    with pytest.raises(ValueError, match="ascending"):
        lowess(np.array([1.0, 0.0, 2.0]), np.zeros(3))
