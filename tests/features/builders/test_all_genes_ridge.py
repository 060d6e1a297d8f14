"""Ridge on all genes: against scikit-learn, many training sets at once, and nothing learnt from held-out rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from responder_ml.features.builders.all_genes import AllGenes
from responder_ml.features.builders.all_genes_ridge import AllGenesRidge
from responder_ml.features.builders.context import Context
from responder_ml.statistics.training_sets import TrainingSets

N, N_GENES = 16, 60
NAMES = np.array([f"g{i}" for i in range(N_GENES)])
LABELS = np.tile([0, 1], 8).astype(np.int8)


@pytest.fixture
def values(rng):
    factor = rng.normal(size=(N, 1)) @ rng.normal(size=(1, N_GENES))
    return rng.normal(6.0, 1.0, (N, N_GENES)) + factor + 0.4 * LABELS[:, None]


def _z(values):
    return (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)


def _cosine(first, second):
    return first @ second / np.sqrt((first @ first) * (second @ second))


def _context(covariates):
    sheet = pd.DataFrame({"response": LABELS.astype(str)})
    return Context(sheet, "response", "1", "0", np.empty((0, N_GENES)), sheet[:0], covariates)


@pytest.mark.parametrize("penalty", [0.01, 0.1, 3.0])
def test_weights_are_those_of_scikit_learns_ridge(values, penalty):
    z = _z(values)
    mean_product = (z**2).sum() / (N - 1)
    expected = Ridge(alpha=penalty * mean_product, solver="cholesky").fit(z, LABELS).coef_
    builder = AllGenesRidge(penalty).fit(values, LABELS, genes=NAMES)
    np.testing.assert_allclose(builder.weights_, expected / np.linalg.norm(expected), atol=1e-10)
    np.testing.assert_allclose(builder.transform(values)[:, 0], z @ builder.weights_, atol=1e-12)


def test_covariates_are_in_the_regression_without_a_penalty(values, rng):
    covariates = np.column_stack([rng.normal(1e6, 3e5, N), rng.normal(size=N) * 1e-6])
    builder = AllGenesRidge().fit(values, LABELS, genes=NAMES, context=_context(covariates))
    z, scaled = _z(values), _z(covariates)
    # Frisch, Waugh and Lovell: ridge of what covariates leave of the class on what they leave of the genes.
    rest = z - LinearRegression().fit(scaled, z).predict(scaled)
    target = LABELS - LinearRegression().fit(scaled, LABELS).predict(scaled)
    alpha = 0.1 * (rest**2).sum() / (N - 3)
    expected = Ridge(alpha=alpha, fit_intercept=False, solver="cholesky").fit(rest, target).coef_
    np.testing.assert_allclose(builder.weights_, expected / np.linalg.norm(expected), atol=1e-8)


def test_a_growing_penalty_gives_the_difference_of_class_means(values):
    ridge = AllGenesRidge(1e9).fit(values, LABELS, genes=NAMES)
    plain = AllGenes().fit(values, LABELS, genes=NAMES)
    np.testing.assert_allclose(ridge.weights_, plain.weights_, atol=1e-7)
    assert _cosine(AllGenesRidge().fit(values, LABELS, genes=NAMES).weights_, plain.weights_) < 0.99


@pytest.mark.parametrize("units", ["log2", "counts"])
@pytest.mark.parametrize("adjusted", [False, True])
def test_many_training_sets_equal_fitting_each_one(values, rng, units, adjusted):
    if units == "counts":
        values = np.round(2.0**values * rng.uniform(0.5, 2.0, (N, 1)))
    rows = rng.random((5, N)) < 0.7
    rows[:, :6] = True
    context = _context(rng.normal(size=(N, 2))) if adjusted else None
    builder = AllGenesRidge(units=units)
    ranked = builder.share(values, NAMES, context).rank(TrainingSets(rows, np.tile(LABELS, (5, 1))))
    for index, one in enumerate(ranked):
        of_rows = None if context is None else context.take(rows[index])
        builder.fit(values[rows[index]], LABELS[rows[index]], genes=NAMES, context=of_rows)
        np.testing.assert_allclose(one.values(), builder.transform(values), atol=1e-9)
        members, shares = one.genes_of(0)
        np.testing.assert_array_equal(NAMES[members], builder.genes_of(0)[0])
        np.testing.assert_allclose(shares, builder.genes_of(0)[1], atol=1e-9)
        (parts,) = one.gene_parts([0])
        np.testing.assert_allclose(parts.values.sum(axis=1), one.values()[:, 0], atol=1e-9)


def test_editing_held_out_rows_labels_and_covariates_changes_nothing_learnt(values, rng):
    rows = np.arange(N) < 11
    covariates = rng.normal(size=(N, 1))
    edited, other, moved = values.copy(), LABELS.copy(), covariates.copy()
    edited[~rows], other[~rows], moved[~rows] = 50.0 - edited[~rows], 1 - other[~rows], 1e9
    builder = AllGenesRidge()
    (before,) = builder.share(values, NAMES, _context(covariates)).rank(TrainingSets(rows[None], LABELS[None]))
    (after,) = builder.share(edited, NAMES, _context(moved)).rank(TrainingSets(rows[None], other[None]))
    np.testing.assert_allclose(before.values()[rows], after.values()[rows], atol=1e-9)
    np.testing.assert_allclose(before.genes_of(0)[1], after.genes_of(0)[1], atol=1e-12)
    assert not np.allclose(before.values()[~rows], after.values()[~rows])


def test_inner_products_are_computed_once_for_both_ways_to_weight_all_genes(values):
    sets = TrainingSets(np.ones((1, N), dtype=bool), LABELS[None])
    (plain,) = AllGenes().share(values, NAMES).rank(sets)
    shared = AllGenesRidge().share(values, NAMES)
    (ridge,) = shared.rank(sets)
    plain.values(), ridge.values()
    assert not shared._cohort._products
    (alone,) = AllGenesRidge().share(values, NAMES).rank(TrainingSets(sets.rows, sets.labels))
    np.testing.assert_array_equal(alone.values(), ridge.values())


@pytest.mark.parametrize("scale", [1e-100, 1.0, 1e100])
def test_genes_that_never_vary_a_determined_class_and_extreme_scales(values, scale):
    constant = AllGenesRidge().fit(np.full((6, 4), scale), LABELS[:6], genes=NAMES[:4])
    assert not constant.weights_.any()
    covariates = scale * (LABELS[:, None] + 2.0)
    determined = AllGenesRidge().fit(values, LABELS, genes=NAMES, context=_context(covariates))
    assert not determined.weights_.any()


def test_genes_that_go_together_do_not_outvote_one_that_differs(rng):
    """Two hundred genes follow one factor that the classes share; ridge looks past it, the difference of means does not."""
    labels = np.tile([0, 1], 30).astype(np.int8)
    values = np.column_stack([
        3.0 * rng.normal(size=(60, 1)) + 0.3 * rng.normal(size=(60, 200)),
        rng.normal(size=(60, 20)) + 0.8 * labels[:, None],
    ])  # fmt: skip
    train, names = np.arange(60) < 30, np.arange(220).astype(str)
    separation = {}
    for builder in (AllGenes(), AllGenesRidge()):
        score = builder.fit(values[train], labels[train], genes=names).transform(values[~train])[:, 0]
        held_out = labels[~train] == 1
        separation[builder.name] = np.mean(score[held_out][:, None] > score[~held_out])
    assert separation["all_genes_ridge"] > 0.9 > separation["all_genes"]


@pytest.mark.parametrize("penalty", [1e-300, 1e-17])
def test_a_penalty_below_rounding_errors_still_tells_the_training_rows_apart(values, penalty):
    copies = np.concatenate([values, values[:4]])
    labels = np.concatenate([LABELS, LABELS[:4]])
    builder = AllGenesRidge(penalty).fit(copies, labels, genes=NAMES)
    score = builder.transform(copies)[:, 0]
    assert np.isfinite(builder.weights_).all()
    assert score[labels == 1].min() > score[labels == 0].max()
