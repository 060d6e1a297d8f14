"""What every builder that may look at a sample sheet must keep to."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from responder_ml.errors import FeatureError
from responder_ml.features.builders.derived import Derived
from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.pairs import Pairs
from responder_ml.features.builders.reference import Reference
from responder_ml.statistics.training_sets import TrainingSets

EVERY_SIGNATURE = (
    "susceptibility_reversal", "resilience_induction", "stress_axis", "ketamine_axis", "imipramine_axis",
    "nonresponder_opposition",
)  # fmt: skip
BUILDERS = {
    "genes_adjusted": Genes(units="counts", max_genes=30, covariates=("drug", "age")),
    "genes_adjusted_ordinary": Genes(units="counts", max_genes=30, moderated=False, covariates=("drug", "age")),
    "derived": Derived(units="counts", max_genes=40),
    "derived_adjusted": Derived(units="counts", max_genes=40, normalisation="log_cpm", covariates=("drug",)),
    "pairs": Pairs(units="counts", n_genes=30, max_pairs=12),
    "pairs_adjusted": Pairs(units="counts", n_genes=30, covariates=("drug",)),
    "reference": Reference(units="counts", n_genes=15),
    "reference_all": Reference(EVERY_SIGNATURE, units="counts", n_genes=15),
    "reference_projection": Reference(
        EVERY_SIGNATURE, units="counts", n_genes=15, scorer="weighted_projection", normalisation="tmm"
    ),
}


@pytest.fixture(params=BUILDERS)
def builder(request):
    return clone(BUILDERS[request.param])


def test_many_training_sets_equal_fitting_each_one(builder, study):
    shared = builder.share(study.counts, study.genes, study.context)
    for index, ranked in enumerate(shared.rank(study.sets)):
        rows, labels = study.sets.rows[index], study.sets.labels[index]
        builder.fit(study.counts[rows], labels[rows], genes=study.genes, context=study.context.take(rows))
        np.testing.assert_array_equal(ranked.position, builder.position_)
        np.testing.assert_allclose(ranked.values(), builder.transform(study.counts), atol=1e-9)
        assert ranked.cumulative == builder.cumulative
        assert len(builder.names_) == len(set(builder.names_)) == ranked.values().shape[1]
        for column in range(3):
            genes, shares = ranked.genes_of(column)
            np.testing.assert_array_equal(study.genes[genes], builder.genes_of(column)[0])
            np.testing.assert_allclose(shares, builder.genes_of(column)[1], atol=1e-9)
            assert np.abs(shares).sum() == pytest.approx(1)


def test_editing_held_out_rows_labels_and_sheet_changes_nothing_learnt(builder, study, rng):
    one = study.sets[:1]
    rows = one.rows[0]
    (before,) = builder.share(study.counts, study.genes, study.context).rank(one)
    counts = study.counts.copy()
    counts[~rows] = rng.poisson(900, size=counts[~rows].shape) * rng.integers(0, 5, size=counts[~rows].shape)
    labels = np.where(one.rows, one.labels, 1 - one.labels).astype(np.int8)
    # Held-out animals change group as well; labels that the sheet gives are never read for rows of the endpoint.
    sheet = study.context.sheet.copy()
    sheet.loc[~rows, "drug"] = "imipramine"
    sheet.loc[~rows, "age"] = 99
    sheet["response"] = rng.permutation(sheet["response"])
    edited = builder.share(counts, study.genes, replace(study.context, sheet=sheet))
    (after,) = edited.rank(TrainingSets(one.rows, labels))
    np.testing.assert_array_equal(before.position, after.position)
    np.testing.assert_allclose(before.values()[rows], after.values()[rows], atol=1e-9)
    for column in range(3):
        np.testing.assert_array_equal(before.genes_of(column)[0], after.genes_of(column)[0])
        np.testing.assert_allclose(before.genes_of(column)[1], after.genes_of(column)[1], atol=1e-9)


@pytest.mark.parametrize("name", [name for name in BUILDERS if name != "reference"])
def test_labels_of_training_rows_are_learnt_from(name, study):
    """The test above can fail: what it holds still does move when training rows are relabelled."""
    builder = BUILDERS[name]
    first, _, _, relabelled = builder.share(study.counts, study.genes, study.context).rank(
        TrainingSets(np.tile(study.sets.rows[0], (4, 1)), study.sets.labels[:4])
    )
    moved = [first.position.tolist() != relabelled.position.tolist()]
    moved += [first.genes_of(column)[0].tolist() != relabelled.genes_of(column)[0].tolist() for column in range(3)]
    assert any(moved)


def test_a_sheet_of_other_rows_is_refused(builder, study):
    with pytest.raises(FeatureError, match="16 rows for 15 rows"):
        builder.fit(study.counts[1:], study.sets.labels[0][1:], genes=study.genes, context=study.context)


@pytest.mark.parametrize("name", ["genes_adjusted", "derived_adjusted", "pairs_adjusted"])
def test_covariates_need_a_sheet_that_has_them_without_gaps(name, study):
    builder = clone(BUILDERS[name])
    with pytest.raises(FeatureError, match="need a sample sheet"):
        builder.fit(study.counts, study.sets.labels[0], genes=study.genes)
    builder.check(study.context)
    with pytest.raises(FeatureError, match="lane are not in the sample sheet, which has: subject"):
        clone(builder).set_params(covariates=("lane",)).check(study.context)
    sheet = study.context.sheet.copy()
    sheet.loc[3, "drug"] = None
    with pytest.raises(FeatureError, match="'drug' is missing for 1 of 16"):
        builder.check(replace(study.context, sheet=sheet))
