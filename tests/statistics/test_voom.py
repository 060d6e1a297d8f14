from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.errors import ContrastError
from responder_ml.statistics.voom import voom

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def _golden(name):
    return pd.read_csv(GOLDEN / f"limma_{name}.csv")


@pytest.fixture(scope="module")
def inputs():
    samples, factors = _golden("samples"), _golden("tmm_factors")
    groups = [samples["group"] == name for name in ("susceptible", "drug")]
    design = np.column_stack([np.ones(12), *groups, samples["batch"] == "b"]).astype(float)
    counts = _golden("counts").set_index("gene").to_numpy().T.astype(float)
    return counts, design, (factors["library_size"] * factors["default_factor"]).to_numpy()


def test_expression_and_weights_equal_limma(inputs):
    found = voom(*inputs)
    np.testing.assert_allclose(found.expression, _golden("voom_expression").set_index("gene").T, rtol=1e-10)
    np.testing.assert_allclose(found.weights, _golden("voom_weights").set_index("gene").T, rtol=1e-8)


def test_trend_equals_limma(inputs):
    found, points = voom(*inputs), _golden("voom_points").sort_values("x", kind="stable")
    np.testing.assert_allclose(found.size, points["x"], rtol=1e-9)
    np.testing.assert_allclose(found.trend, _golden("voom_trend")["y"], rtol=1e-8)


def test_larger_counts_have_larger_weights(rng):
    counts = rng.poisson(np.tile(2.0 ** rng.uniform(1, 10, 400), (10, 1))).astype(float)
    design = np.column_stack([np.ones(10), np.arange(10) % 2]).astype(float)
    found = voom(counts, design, counts.sum(axis=1))
    by_size = np.argsort(counts.mean(axis=0))
    assert found.weights[:, by_size[-40:]].mean() > 5 * found.weights[:, by_size[:40]].mean()


def test_log_values_are_refused(inputs):
    _, design, library = inputs
    with pytest.raises(ContrastError, match="raw counts"):
        voom(np.full((12, 5), -1.0), design, library)
