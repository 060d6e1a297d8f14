"""The projection of all genes: by hand, many training sets at once, and nothing learnt from held-out rows."""

import numpy as np
import pytest

from responder_ml.features.builders.all_genes import AllGenes, projection_weights
from responder_ml.statistics.training_sets import TrainingSets

N_GENES = 60


@pytest.fixture(params=["log2", "counts"])
def cohort(request, rng):
    labels = np.tile([0, 1], 8).astype(np.int8)
    values = rng.normal(6.0, 1.0, (16, N_GENES)) + 0.4 * labels[:, None]
    if request.param == "counts":
        values = np.round(2.0**values * rng.uniform(0.5, 2.0, (16, 1)))
    rows = rng.random((5, 16)) < 0.7
    rows[:, :4] = True
    return AllGenes(units=request.param), values, labels, np.array([f"g{i}" for i in range(N_GENES)]), rows


def test_many_training_sets_equal_fitting_each_one(cohort):
    builder, values, labels, genes, rows = cohort
    ranked = builder.share(values, genes).rank(TrainingSets(rows, np.tile(labels, (5, 1))))
    for index, one in enumerate(ranked):
        builder.fit(values[rows[index]], labels[rows[index]], genes=genes)
        np.testing.assert_allclose(one.values(), builder.transform(values), atol=1e-9)
        members, shares = one.genes_of(0)
        np.testing.assert_array_equal(genes[members], builder.genes_of(0)[0])
        np.testing.assert_allclose(shares, builder.genes_of(0)[1], atol=1e-9)
        assert np.abs(shares).sum() == pytest.approx(1.0)
        (parts,) = one.gene_parts([0])
        np.testing.assert_allclose(parts.values.sum(axis=1), one.values()[:, 0], atol=1e-9)


def test_editing_held_out_rows_and_labels_changes_nothing_learnt(cohort, rng):
    builder, values, labels, genes, rows = cohort
    held_out = ~rows[0]
    edited = values.copy()
    edited[held_out] = rng.permutation(edited[held_out] * 3.0)
    other = np.where(held_out, 1 - labels, labels).astype(np.int8)
    (before,) = builder.share(values, genes).rank(TrainingSets(rows[:1], labels[None]))
    (after,) = builder.share(edited, genes).rank(TrainingSets(rows[:1], other[None]))
    np.testing.assert_allclose(before.values()[rows[0]], after.values()[rows[0]], atol=1e-9)
    np.testing.assert_allclose(before.genes_of(0)[1], after.genes_of(0)[1], atol=1e-12)


def test_the_score_by_hand(rng):
    labels = np.array([1, 1, 1, 0, 0, 0], dtype=np.int8)
    values = rng.normal(size=(6, 4))
    builder = AllGenes(units="log2").fit(values, labels, genes=np.array(list("abcd")))
    z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    d = z[:3].mean(axis=0) - z[3:].mean(axis=0)
    np.testing.assert_allclose(builder.transform(values)[:, 0], z @ d / np.sqrt(d @ d), atol=1e-12)


def test_genes_that_never_vary_give_a_score_of_zero():
    values = np.ones((6, 4))
    labels = np.array([1, 1, 1, 0, 0, 0], dtype=np.int8)
    assert not projection_weights(values, labels == 1, labels == 0).any()
    builder = AllGenes(units="log2").fit(values, labels, genes=np.array(list("abcd")))
    np.testing.assert_array_equal(builder.transform(values), np.zeros((6, 1)))
    assert not builder.genes_of(0)[1].any()


def test_a_difference_spread_over_all_genes_is_seen(rng):
    values = rng.normal(size=(60, 2000)) + np.repeat([0.0, 1.0], 30)[:, None] * rng.normal(0.0, 0.2, 2000)
    labels = np.repeat([0, 1], 30).astype(np.int8)
    train = np.tile([True, True, False], 20)
    builder = AllGenes(units="log2").fit(values[train], labels[train], genes=np.arange(2000).astype(str))
    score = builder.transform(values[~train])[:, 0]
    assert score[labels[~train] == 1].min() > score[labels[~train] == 0].max()
