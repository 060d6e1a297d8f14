import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import polygamma

from responder_ml.statistics.squeeze import fit_f_dist, log_moments, may_need_floor, squeeze, trigamma_inverse


@pytest.mark.parametrize("value", [1e-8, 1e-3, 0.7, 12.0, 1e9])
def test_trigamma_inverse_undoes_trigamma(value):
    assert polygamma(1, trigamma_inverse(np.array(value))) == pytest.approx(value, rel=1e-6)


def test_trigamma_inverse_ends_only_when_all_values_have_converged():
    values = np.geomspace(1e-5, 1e6, 40)
    np.testing.assert_allclose(polygamma(1, trigamma_inverse(values)), values, rtol=1e-9)


def test_prior_is_found_again(rng):
    prior_df, prior_variance, df = 6.0, 0.3, 20.0
    truth = prior_variance * prior_df / rng.chisquare(prior_df, size=200_000)
    found_df, found_variance = fit_f_dist(truth * rng.chisquare(df, size=truth.size) / df, df)
    assert found_df == pytest.approx(prior_df, rel=0.05)
    assert found_variance == pytest.approx(prior_variance, rel=0.05)


def test_prior_and_squeezed_variances_by_hand():
    """limma's fitFDist: trigamma(d0 / 2) = var(log s2) - trigamma(d / 2), s0^2 = exp(mean(log s2) - digamma(d / 2) + log(d / 2) +
    digamma(d0 / 2) - log(d0 / 2)); the posterior is the mean of s0^2 and s2, weighted by their degrees of freedom.
    """
    # With d = 4 and d0 = 2: trigamma(2) = pi^2 / 6 - 1, trigamma(1) = pi^2 / 6, digamma(2) = digamma(1) + 1.
    half_range = np.sqrt((np.pi**2 / 3 - 1) / 2)
    variances = 5.0 * np.exp([-half_range, half_range])
    prior_df, prior_variance = fit_f_dist(variances, 4.0)
    assert prior_df == pytest.approx(2.0, rel=1e-8)
    assert prior_variance == pytest.approx(5.0 * 2.0 / np.e, rel=1e-8)
    expected = (2.0 * 10.0 / np.e + 4.0 * variances) / 6.0
    np.testing.assert_allclose(squeeze(variances, 4.0, prior_df, prior_variance), expected, rtol=1e-8)


@pytest.mark.parametrize("variances", [[1.0, 2.0, 3.0], [0.5, 0.5, 0.5, 0.5]])
def test_variances_that_differ_no_more_than_chance_all_become_their_mean(variances):
    """limma's fitFDist where var(log s2) <= trigamma(d / 2): d0 is infinite, s0^2 the mean of s2, and every posterior is s0^2."""
    # Four degrees of freedom alone give a variance of the logarithms of trigamma(2) = pi^2 / 6 - 1 = 0.645.
    assert np.var(np.log(variances), ddof=1) < np.pi**2 / 6 - 1
    prior_df, prior_variance = fit_f_dist(np.array(variances), 4.0)
    assert prior_df == np.inf
    assert prior_variance == pytest.approx(np.mean(variances), rel=1e-12)
    np.testing.assert_allclose(
        squeeze(np.array(variances), 4.0, prior_df, prior_variance), np.mean(variances), rtol=1e-12
    )


def test_the_prior_is_infinite_up_to_the_spread_that_chance_alone_gives():
    chance = np.sqrt((np.pi**2 / 6 - 1) / 2)
    for spread, finite in ((0.999, False), (1.001, True)):
        prior_df, _ = fit_f_dist(np.exp([-spread * chance, spread * chance]), 4.0)
        assert np.isfinite(prior_df) == finite


def test_each_row_has_its_own_prior(rng):
    variances = np.stack([rng.chisquare(5, size=400) * rng.gamma(2, size=400), np.linspace(1.0, 1.1, 400)])
    df = np.array([5.0, 7.0])
    prior_df, prior_variance = fit_f_dist(variances, df)
    assert np.isfinite(prior_df).tolist() == [True, False]
    squeezed = squeeze(variances, df[:, None], prior_df[:, None], prior_variance[:, None])
    for row in range(2):
        alone = tuple(map(float, fit_f_dist(variances[row], df[row])))
        assert (prior_df[row], prior_variance[row]) == pytest.approx(alone)
        np.testing.assert_allclose(squeezed[row], squeeze(variances[row], df[row], *alone))


def test_constant_genes_are_raised_to_limmas_floor():
    # 1e-5 of the median; where every gene is constant the logarithm still has to be finite.
    floored = np.array([3e-5, 3e-5, 3.0, 3.0, 4.0])
    mean, spread, pooled = log_moments(np.array([0.0, 1e-5, 3.0, 3.0, 4.0]))
    assert (mean, spread, pooled) == pytest.approx(
        (np.log(floored).mean(), np.log(floored).var(ddof=1), floored.mean()), rel=1e-12
    )
    mean, spread, pooled = log_moments(np.zeros(5))
    assert (mean, spread, pooled) == pytest.approx((np.log(1e-30), 0.0, 1e-30), rel=1e-12)


def test_each_row_has_its_own_floor():
    rows = np.array([[1.0, 2.0, 4.0], [0.0, 2.0, 4.0]])
    for row, moments in zip(rows, np.transpose(log_moments(rows)), strict=True):
        np.testing.assert_allclose(moments, log_moments(row), rtol=1e-12)
    assert np.isfinite(log_moments(rows)).all()


def test_floor_is_suspected_where_the_median_is_far_above_the_mean_of_logarithms():
    variances = np.repeat([1.0, 2e-5, 0.9e-5], [51, 49, 1])
    logs = np.log(variances)
    assert variances.min() < 1e-5 * np.median(variances)
    assert may_need_floor(logs.min(), logs.mean(), logs.var(ddof=1))


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
