"""Random-effects meta-analysis against R's metafor (golden file), and where it is easily fooled."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from responder_ml.statistics.random_effects import pool, shared_correlation

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


@pytest.mark.parametrize("row", pd.read_csv(GOLDEN / "metafor_shared.csv").to_dict("records"), ids=range(40))
def test_shared_controls_agree_with_metafors_rma_mv(row):
    y, v, r = (_numbers(row[name]) for name in "yvr")
    one = pool(y, v, never_narrower=False, correlation=r.reshape(len(y), -1))
    # metafor searches the likelihood, which is flat where it is largest.
    np.testing.assert_allclose(one.tau2, row["tau2"], rtol=1e-6, atol=5e-7)
    ours = [one.estimate, one.standard_error, one.q, one.q_p_value]
    theirs = [row["estimate"], row["se"] * np.sqrt(row["spread"]), row["q"], row["q_p"]]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(one.weights, _numbers(row["weights"]), rtol=1e-6, atol=5e-7)


def test_no_correlation_changes_no_digit_and_a_shared_control_widens(rng):
    y, v = rng.normal(0.5, 0.1, 3), np.full(3, 0.1)
    plain = pool(y, v)
    assert pool(y, v, correlation=np.eye(3)) == plain
    np.testing.assert_allclose(plain.weights, 1 / 3)
    shared = np.eye(3)
    shared[0, 1] = shared[1, 0] = 0.5
    dependent = pool(y, v, correlation=shared)
    assert dependent.standard_error > plain.standard_error
    assert dependent.weights[2] > dependent.weights[0]
    # On any axes tau^2 has the interval that Q, by its definition, gives it.
    low, high = dependent.tau2_interval
    for tau2 in (low, high):
        if tau2 > 0:
            inverse = np.linalg.inv(shared * 0.1 + tau2 * np.eye(3))
            mean = inverse.sum(axis=0) @ y / inverse.sum()
            assert (y - mean) @ inverse @ (y - mean) == pytest.approx(chi2.ppf(0.975 if tau2 == low else 0.025, 2))


def test_the_correlation_is_that_of_group_sizes_and_of_simulated_differences(rng):
    control = {f"c{number}": 0 for number in range(5)}
    one = control | {f"a{number}": 1 for number in range(3)}
    other = control | {f"b{number}": 1 for number in range(4)}
    reverse = {f"c{number}": 1 for number in range(5)} | {f"d{number}": 0 for number in range(6)}
    r = shared_correlation([one, other, reverse])
    expected = (1 / 5) / np.sqrt((1 / 3 + 1 / 5) * (1 / 4 + 1 / 5))
    assert r[0, 1] == pytest.approx(expected)
    # The founding study's: susceptible and resilient against one control.
    assert 0.40 < r[0, 1] < 0.47
    assert r[0, 2] < 0
    values = {name: rng.normal(size=20_000) for name in one | other | reverse}
    means = [
        sum(values[n] for n, label in c.items() if label) / sum(c.values())
        - sum(values[n] for n, label in c.items() if not label) / (len(c) - sum(c.values()))
        for c in (one, other, reverse)
    ]
    np.testing.assert_allclose(np.corrcoef(means), r, atol=0.03)


def test_cohorts_of_which_one_follows_from_the_others_are_refused():
    groups = {name: [f"{name}{number}" for number in range(4)] for name in "abc"}
    circle = [
        dict.fromkeys(groups[one], 1) | dict.fromkeys(groups[other], 0)
        for one, other in (("a", "b"), ("b", "c"), ("a", "c"))
    ]
    with pytest.raises(ValueError, match="same animals"):
        pool(np.array([0.1, 0.2, 0.3]), np.full(3, 0.1), correlation=shared_correlation(circle))


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
