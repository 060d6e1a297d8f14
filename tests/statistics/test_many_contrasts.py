import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_ml.statistics.linear_model import fit_linear_model
from responder_ml.statistics.many_contrasts import Designs, ManyContrasts, strongest, t_of_own_columns


def _models(rng, n_models, n_samples):
    group = rng.integers(0, 3, size=(n_models, n_samples))
    group[:, :4] = [1, 2, 1, 2]
    return group == 1, group == 2


@pytest.mark.parametrize("n_covariates", [0, 2])
@pytest.mark.parametrize("shifted", [False, True])
def test_t_equals_the_general_linear_model_one_model_at_a_time(rng, n_covariates, shifted):
    values = rng.normal(size=(14, 60)) * rng.gamma(2, size=60) + 7.0
    plus, minus = _models(rng, 8, 14)
    covariates = rng.normal(size=(14, n_covariates)) if n_covariates else None
    shifts = rng.normal(size=(8, 14)) if shifted else None
    usable = rng.random((8, 60)) < 0.8
    t = ManyContrasts(values).moderated_t(Designs.two_groups(plus, minus, covariates), usable, shifts)
    for index in range(8):
        rows = plus[index] | minus[index]
        here = values if shifts is None else values + shifts[index][:, None]
        columns = [np.ones(rows.sum()), plus[index][rows].astype(float)]
        design = np.column_stack(columns if covariates is None else [*columns, covariates[rows]])
        expected = fit_linear_model(here[rows][:, usable[index]], design).t[1]
        np.testing.assert_allclose(t[index, usable[index]], expected, rtol=1e-7, atol=1e-8)
        np.testing.assert_array_equal(t[index, ~usable[index]], 0.0)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_groups_that_models_have_in_common_are_those_of_each_model_alone(rng, scale):
    values = scale * rng.normal(size=(13, 300))
    plus, minus = np.zeros((2, 42, 13), dtype=bool)
    plus[:, :6], minus[:, 6:] = True, True
    for model, (one, other) in enumerate(np.ndindex(6, 7)):
        plus[model, one] = minus[model, 6 + other] = False
    # Two references of normalisation, so that equal groups are shifted differently in some models.
    shifts = scale * rng.normal(size=(2, 13))[np.arange(42) % 2]
    usable = rng.random((42, 300)) < 0.9
    contrasts = ManyContrasts(values)
    together = contrasts.moderated_t(Designs.two_groups(plus, minus), usable, shifts)
    for model in range(42):
        one = slice(model, model + 1)
        alone = contrasts.moderated_t(Designs.two_groups(plus[one], minus[one]), usable[one], shifts[one])
        np.testing.assert_allclose(together[model], alone[0], atol=2e-9)
        covariates = np.zeros((13, 1))
        plain = contrasts.moderated_t(Designs.two_groups(plus[one], minus[one], covariates), usable[one], shifts[one])
        np.testing.assert_allclose(together[model], plain[0], rtol=1e-7, atol=2e-9)


def test_t_of_own_columns_is_that_of_each_table_alone(rng):
    tables = list(rng.normal(size=(70, 9, 3)))
    tables[5][:, 1] = 2.0
    plus, minus = _models(rng, 70, 9)
    together = t_of_own_columns(tables, plus, minus)
    for model, table in enumerate(tables):
        alone = ManyContrasts(table).moderated_t(Designs.two_groups(plus[[model]], minus[[model]]))
        np.testing.assert_allclose(together[model], alone[0], atol=2e-9)
    assert together[5, 1] == 0.0


def test_rows_outside_a_model_do_not_count(rng):
    values = rng.normal(size=(12, 30))
    plus = np.array([[True] * 3 + [False] * 9])
    minus = np.array([[False] * 3 + [True] * 4 + [False] * 5])
    edited = values.copy()
    edited[7:] *= 50.0
    for covariates in (None, rng.normal(size=(12, 1))):
        designs = Designs.two_groups(plus, minus, covariates)
        np.testing.assert_allclose(
            ManyContrasts(values).moderated_t(designs), ManyContrasts(edited).moderated_t(designs), atol=1e-8
        )


@pytest.mark.parametrize(
    ("plus", "minus", "covariates"),
    [
        ([0, 1, 2], [], None),
        ([0], [1], None),
        ([0, 1, 2], [3, 4, 5], [[1.0]] * 3 + [[0.0]] * 3),
        ([0, 1], [2, 3], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]),
    ],
    ids=["no group", "no residual", "covariate is the group", "covariates leave no residual"],
)
def test_a_contrast_that_cannot_be_estimated_is_zero(rng, plus, minus, covariates):
    rows = np.zeros((2, 1, 6), dtype=bool)
    rows[0, 0, plus], rows[1, 0, minus] = True, True
    designs = Designs.two_groups(rows[0], rows[1], None if covariates is None else np.array(covariates))
    np.testing.assert_array_equal(ManyContrasts(rng.normal(size=(6, 9))).moderated_t(designs), 0.0)


def test_genes_that_do_not_vary_are_harmless(rng):
    values = np.full((6, 5), 3.25)
    group = np.array([[True] * 3 + [False] * 3])
    designs = Designs.two_groups(group, ~group)
    np.testing.assert_array_equal(ManyContrasts(values).moderated_t(designs), 0.0)
    values[:, 0] = rng.normal(size=6)
    t = ManyContrasts(values).moderated_t(designs)[0]
    assert np.isfinite(t).all()
    np.testing.assert_array_equal(t[1:], 0.0)


def test_equal_genes_stay_tied(rng):
    values = np.repeat(rng.normal(size=(10, 40)), 3, axis=1)
    plus, minus = _models(rng, 20, 10)
    t = ManyContrasts(values).moderated_t(Designs.two_groups(plus, minus), shifts=rng.normal(size=(20, 10)))
    np.testing.assert_array_equal(t[:, 0::3], t[:, 1::3])
    np.testing.assert_array_equal(t[:, 0::3], t[:, 2::3])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=30), st.integers(1, 12))
def test_strongest_equals_sorting_everything(t, count):
    t = np.array(t, dtype=float)
    up = [gene for gene in sorted(range(len(t)), key=lambda gene: -t[gene]) if t[gene] > 0][:count]
    down = [gene for gene in sorted(range(len(t)), key=lambda gene: t[gene]) if t[gene] < 0][:count]
    assert strongest(t, count).tolist() == up + down


@pytest.mark.parametrize("squeezed", [False, True])
def test_genes_that_do_not_vary_within_a_model_have_no_effect(rng, squeezed):
    values = rng.normal(size=(40, 300))
    training, group = np.arange(40) < 18, rng.random(40) < 0.5
    values[:, :100] += 15.0
    values[np.ix_(training, np.arange(100))] = 0.1
    designs = Designs.two_groups((group & training)[None], (~group & training)[None], rng.normal(size=(40, 1)))
    t = ManyContrasts(values).moderated_t(designs, squeezed=squeezed)[0]
    assert not t[:100].any()
    assert np.abs(t[100:]).max() > 1


@pytest.mark.parametrize("n_covariates", [0, 1])
def test_one_residual_degree_of_freedom_and_a_group_of_one_are_enough(rng, n_covariates):
    n_samples = 3 + n_covariates
    values, plus = rng.normal(size=(n_samples, 50)), np.arange(n_samples) == 0
    covariates = rng.normal(size=(n_samples, n_covariates)) if n_covariates else None
    design = np.column_stack([np.ones(n_samples), plus, *([] if covariates is None else [covariates])])
    for group, sign in ((plus, 1.0), (~plus, -1.0)):
        t = ManyContrasts(values).moderated_t(Designs.two_groups(group[None], ~group[None], covariates))[0]
        np.testing.assert_allclose(t, sign * fit_linear_model(values, design).t[1], rtol=1e-7, atol=1e-8)


def test_a_repeated_covariate_counts_once(rng):
    values, covariate = rng.normal(size=(12, 40)), rng.normal(size=(12, 1)) + 5.0
    plus = (np.arange(12) < 5)[None]
    once, twice = (
        ManyContrasts(values).moderated_t(Designs.two_groups(plus, ~plus, columns))
        for columns in (covariate, np.column_stack([covariate, 3.0 * covariate]))
    )
    np.testing.assert_allclose(twice, once, atol=1e-8)


def test_a_large_common_level_costs_no_digits(rng):
    values, plus = rng.normal(size=(10, 40)), (np.arange(10) < 5)[None]
    designs = Designs.two_groups(plus, ~plus)
    # Values that single steps of 2^-20 at this level represent exactly.
    values = np.round(values * 2**20) / 2**20
    raised = ManyContrasts(values + 2.0**26).moderated_t(designs)
    np.testing.assert_allclose(raised, ManyContrasts(values).moderated_t(designs), rtol=1e-6)


def test_rounding_errors_of_a_constant_are_no_difference(rng):
    values, plus = rng.normal(size=(21, 30)), (np.arange(21) % 2 == 1)[None]
    values[:, :10] = 1e7 / 3 * (1.0 + np.finfo(float).eps * rng.integers(0, 2, size=(21, 10)))
    for squeezed in (False, True):
        t = ManyContrasts(values).moderated_t(Designs.two_groups(plus, ~plus), squeezed=squeezed)[0]
        np.testing.assert_array_equal(t[:10], 0.0)
        assert t[10:].all()


def test_a_perfect_difference_without_spread_is_the_largest(rng):
    values, plus = rng.normal(size=(12, 30)), (np.arange(12) % 2 == 1)[None]
    values[:, 7] = plus[0]
    for squeezed in (False, True):
        t = ManyContrasts(values).moderated_t(Designs.two_groups(plus, ~plus), squeezed=squeezed)[0]
        assert np.argmax(np.abs(t)) == 7


def test_t_has_nine_decimals(rng):
    values, plus = rng.normal(size=(8, 30)), (np.arange(8) < 4)[None]
    t = ManyContrasts(values).moderated_t(Designs.two_groups(plus, ~plus))
    np.testing.assert_array_equal(t, np.round(t, 9))
    assert np.any(t != np.round(t, 8))
