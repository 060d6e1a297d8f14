import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import polygamma

from responder_ml.statistics.squeeze import fit_f_dist, log_moments, may_need_floor, trigamma_inverse


@pytest.mark.parametrize("value", [1e-8, 1e-3, 0.7, 12.0, 1e9])
def test_trigamma_inverse_undoes_trigamma(value):
    assert polygamma(1, trigamma_inverse(np.array(value))) == pytest.approx(value, rel=1e-6)


def test_prior_is_found_again(rng):
    prior_df, prior_variance, df = 6.0, 0.3, 20.0
    truth = prior_variance * prior_df / rng.chisquare(prior_df, size=200_000)
    found_df, found_variance = fit_f_dist(truth * rng.chisquare(df, size=truth.size) / df, df)
    assert found_df == pytest.approx(prior_df, rel=0.05)
    assert found_variance == pytest.approx(prior_variance, rel=0.05)


@given(seed=st.integers(0, 2**32 - 1), spread=st.floats(0.1, 8.0), constant=st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_floor_is_never_missed(seed, spread, constant):
    variances = np.exp(np.random.default_rng(seed).normal(size=101) * spread)
    variances[:constant] = 1e-30
    logs = np.log(variances)
    if not may_need_floor(logs.min(), logs.mean(), logs.var(ddof=1)):
        assert variances.min() >= 1e-5 * np.median(variances)
        mean, moment, pooled = log_moments(variances)
        assert (mean, moment, pooled) == pytest.approx((logs.mean(), logs.var(ddof=1), variances.mean()))
