"""Random-effects meta-analysis against R's metafor (golden file), and where it is easily fooled."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.statistics.random_effects import pool

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def _numbers(text):
    return np.array(text.split(), dtype=float)


@pytest.mark.parametrize("row", pd.read_csv(GOLDEN / "metafor.csv").to_dict("records"), ids=range(60))
def test_it_agrees_with_metafor(row):
    y, v = _numbers(row["y"]), _numbers(row["v"])
    plain, adhoc = pool(y, v, never_narrower=False), pool(y, v)
    ours = [
        plain.estimate,
        plain.standard_error,
        *plain.interval,
        plain.p_value,
        plain.tau2,
        100 * plain.i2,
        plain.q,
        plain.q_p_value,
    ]
    theirs = [row[name] for name in ("estimate", "se", "low", "high", "p", "tau2", "i2", "q", "q_p")]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(
        [adhoc.standard_error, adhoc.p_value], [row["adhoc_se"], row["adhoc_p"]], rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(plain.tau2_interval, [row["tau2_low"], row["tau2_high"]], rtol=1e-6, atol=1e-7)


def test_equal_estimates_have_no_variance_between_them():
    result = pool(np.array([0.4, 0.4, 0.4]), np.array([0.01, 0.02, 0.5]))
    assert result.tau2 == result.i2 == 0.0
    assert result.q < 1e-20
    assert result.q_p_value == 1.0
    assert result.interval[0] < 0.4 < result.interval[1]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_unit_does_not_matter(rng, scale):
    y, v = rng.normal(1, 1, 6), rng.gamma(2, 0.2, 6)
    one, other = pool(y, v), pool(scale * y, scale**2 * v)
    np.testing.assert_allclose(other.estimate, scale * one.estimate)
    np.testing.assert_allclose(other.interval, scale * np.array(one.interval))
    np.testing.assert_allclose(
        [other.tau2, *other.tau2_interval], scale**2 * np.array([one.tau2, *one.tau2_interval]), rtol=1e-6
    )
    np.testing.assert_allclose([other.i2, other.p_value], [one.i2, one.p_value])


@pytest.mark.parametrize(
    ("y", "v"), [([0.1], [1.0]), ([0.1, 0.2], [1.0, 0.0]), ([0.1, np.nan], [1.0, 1.0]), ([0.1, 0.2], [1.0, -1.0])]
)
def test_what_cannot_be_pooled_is_refused(y, v):
    with pytest.raises(ValueError, match="at least two cohorts"):
        pool(np.array(y), np.array(v))
