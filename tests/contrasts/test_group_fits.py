import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_ml.contrasts.group_fits import blocks, fit_groups, resample_groups
from responder_ml.errors import ContrastError
from responder_ml.statistics.linear_model import fit_linear_model


def _weights(n_groups, plus, minus):
    weights = np.zeros(n_groups)
    weights[plus], weights[minus] = 1.0, -1.0
    return weights


@given(seed=st.integers(0, 2**32 - 1), with_covariates=st.booleans(), left_out=st.sampled_from([-1, 2]))
@settings(max_examples=20, deadline=None)
def test_each_labelling_equals_its_own_linear_model(seed, with_covariates, left_out):
    rng = np.random.default_rng(seed)
    expression = rng.normal(size=(14, 60)) * rng.gamma(2, size=60) + 100
    codes = rng.permuted(np.tile([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, left_out, left_out, 1], (6, 1)), axis=1)
    covariates = rng.normal(size=(14, 2)) if with_covariates else None
    fits = fit_groups(expression, codes, 3, covariates)
    weights = _weights(3, 2, 0)
    for row, labelling in enumerate(codes):
        used = labelling >= 0
        design = (labelling[used][:, None] == np.arange(3)).astype(float)
        if with_covariates:
            design = np.column_stack([design, covariates[used]])
        contrast = np.zeros((1, design.shape[1]))
        contrast[0, :3] = weights
        one = fit_linear_model(expression[used], design, contrast)
        np.testing.assert_allclose(fits.effect(weights)[row], one.effect[0], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(fits.t(weights)[row], one.t[0], rtol=1e-6, atol=1e-8)
        assert fits.df_total[row] == pytest.approx(one.df_total)


def test_samples_left_out_change_nothing(rng):
    expression = rng.normal(size=(10, 50))
    codes = np.array([[0, 0, 0, 1, 1, 1, 1, -1, -1, -1]])
    edited = expression.copy()
    edited[7:] = rng.normal(size=(3, 50)) * 1000
    weights = _weights(2, 1, 0)
    np.testing.assert_allclose(
        fit_groups(edited, codes, 2).t(weights), fit_groups(expression, codes, 2).t(weights), rtol=1e-6
    )


def test_gene_that_never_varies_has_t_zero(rng):
    expression = rng.normal(size=(8, 30))
    expression[:, 5] = 3.25
    assert fit_groups(expression, np.array([[0, 0, 0, 0, 1, 1, 1, 1]]), 2).t(_weights(2, 1, 0))[0, 5] == 0


def test_every_animal_drawn_once_is_the_observed_fit(noise, study):
    codes, count = study.codes, len(study.names)
    observed = fit_groups(noise, codes[None], count)
    drawn = resample_groups(noise, codes, count, np.ones((1, 25)))
    np.testing.assert_allclose(drawn.t(_weights(count, 0, 3)), observed.t(_weights(count, 0, 3)), rtol=1e-10)


def test_redrawn_means_are_those_of_the_drawn_animals(noise):
    codes = np.array([0] * 12 + [1] * 13)
    drawn = np.zeros((1, 25))
    drawn[0, [0, 12]], drawn[0, 20] = 2, 1
    effect = resample_groups(noise, codes, 2, drawn).effect(_weights(2, 1, 0))[0]
    np.testing.assert_allclose(effect, (2 * noise[12] + noise[20]) / 3 - noise[0], atol=1e-10)


def test_redrawn_means_carry_sampling_error_twice(rng):
    """Once from the animals there are, once from redrawing them: what estimates of signal have to take off."""
    codes, doubled = np.repeat([0, 1], 4), []
    for _ in range(400):
        expression = rng.normal(size=(8, 20))
        drawn = np.zeros((5, 8))
        for group in (slice(0, 4), slice(4, 8)):
            drawn[:, group] = rng.multinomial(3, np.full(4, 0.25), size=5)
        fits = resample_groups(expression, codes, 2, drawn)
        doubled.append(np.mean(fits.effect(_weights(2, 1, 0)) ** 2))
    assert np.mean(doubled) == pytest.approx(fits.error_factor * 2 / 4, rel=0.05)
    assert fit_groups(expression, codes[None], 2).error_factor == 1


def test_a_large_common_level_costs_no_digits(rng):
    # Values that single steps of 2^-20 at this level represent exactly.
    expression = np.round(rng.normal(size=(9, 40)) * 2**20) / 2**20
    codes, weights = np.repeat([0, 1, 2], 3), _weights(3, 1, 0)
    for fit in (
        lambda values: fit_groups(values, codes[None], 3),
        lambda values: resample_groups(values, codes, 3, np.tile([2.0, 0.0, 0.0], 3)[None]),
    ):
        np.testing.assert_allclose(
            fit(expression + 2.0**26).t(weights), fit(expression).t(weights), rtol=1e-6, atol=1e-9
        )


def test_batch_nested_in_group_of_one_labelling_is_refused(noise):
    codes = np.array([0] * 12 + [1] * 13)
    with pytest.raises(ContrastError, match="cannot be distinguished"):
        fit_groups(noise, np.stack([np.arange(25) % 2, codes]), 2, (codes == 1).astype(float)[:, None])


def test_one_labelling_without_residual_is_refused_and_one_degree_of_freedom_is_enough(rng):
    expression, codes = rng.normal(size=(3, 20)), np.array([[0, 0, 1], [0, 1, 2]])
    with pytest.raises(ContrastError, match="residual degrees"):
        fit_groups(expression, codes, 3)
    assert np.isfinite(fit_groups(expression, codes[:1], 3).t(_weights(3, 1, 0))).all()


def test_blocks_cover_every_labelling_once():
    covered = [row for block in blocks(1000, 7, 20_000) for row in range(1000)[block]]
    assert covered == list(range(1000))
