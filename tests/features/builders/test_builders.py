"""What every builder must keep to, with expression alone and with a sample sheet."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from responder_ml.errors import FeatureError
from responder_ml.features.builders.builder import prefix_columns, prefix_slice
from responder_ml.features.builders.derived import Derived
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.pairs import Pairs
from responder_ml.features.builders.reference import Reference
from responder_ml.statistics.training_sets import TrainingSets

GENE_NAMES = np.array([f"g{index}" for index in range(120)])


@pytest.fixture
def gmt(tmp_path, rng):
    lines = []
    for number in range(8):
        chosen = rng.choice(GENE_NAMES, 24, replace=False)
        lines += ["\t".join([f"S{number}_UP", "", *chosen[:14]]), "\t".join([f"S{number}_DN", "", *chosen[14:]])]
    path = tmp_path / "sets.gmt"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def _builders(gmt):
    return [
        Genes(units="counts", max_genes=30),
        Genes(units="counts", normalisation="log_cpm", max_genes=30),
        Genes(units="counts", moderated=False, max_genes=30),
        GeneSets(path=gmt, units="counts"),
        GeneSets(path=gmt, scorer="mean_z", units="counts"),
    ]


@pytest.fixture
def cohort(rng):
    counts = rng.poisson(np.exp(rng.normal(size=120) + 4) * rng.gamma(9, size=(16, 1)) / 9).astype(float)
    labels = np.tile(rng.permutation(np.arange(16) % 2), (6, 1)).astype(np.int8)
    rows = np.ones((6, 16), dtype=bool)
    for row in rows:
        row[rng.choice(16, 4, replace=False)] = False
    return counts, TrainingSets(rows, labels)


@pytest.mark.parametrize("which", range(5))
def test_many_training_sets_equal_fitting_each_one(cohort, gmt, which):
    counts, sets = cohort
    builder = _builders(gmt)[which]
    shared = builder.share(counts, GENE_NAMES)
    for index, ranked in enumerate(shared.rank(sets)):
        rows = sets.rows[index]
        builder.fit(counts[rows], sets.labels[index][rows], genes=GENE_NAMES)
        np.testing.assert_array_equal(ranked.position, builder.position_)
        np.testing.assert_allclose(ranked.values(), builder.transform(counts), atol=1e-10)
        np.testing.assert_array_equal(shared.names[ranked.position], builder.names_)
        for column in range(3):
            genes, shares = ranked.genes_of(column)
            np.testing.assert_array_equal(GENE_NAMES[genes], builder.genes_of(column)[0])
            np.testing.assert_allclose(shares, builder.genes_of(column)[1])
            assert np.abs(shares).sum() == pytest.approx(1)


@pytest.mark.parametrize("which", range(5))
def test_editing_held_out_rows_or_labels_changes_nothing_learnt(cohort, gmt, rng, which):
    counts, sets = cohort
    builder = _builders(gmt)[which]
    before = builder.share(counts, GENE_NAMES).rank(sets[:1])[0]
    edited = counts.copy()
    edited[~sets.rows[0]] = rng.poisson(30, size=(4, 120))
    labels = np.where(sets.rows, sets.labels, 1 - sets.labels).astype(np.int8)
    after = builder.share(edited, GENE_NAMES).rank(TrainingSets(sets.rows[:1], labels[:1]))[0]
    np.testing.assert_array_equal(before.position, after.position)
    rows = sets.rows[0]
    np.testing.assert_allclose(before.values()[rows], after.values()[rows], atol=1e-12)


def test_a_prefix_is_handed_on_in_natural_order():
    position = np.array([7, 2, 9, 4])
    np.testing.assert_array_equal(position[prefix_columns(position, 3, cumulative=False)], [2, 7, 9])


@pytest.mark.parametrize(("length", "column"), [(1, 0), (3, 2), (4, 3), (9, 3)])
def test_a_cumulative_prefix_is_its_last_column(length, column):
    assert prefix_columns(np.arange(4), length, cumulative=True).tolist() == [column]
    assert prefix_slice(length, 4, cumulative=True) == slice(column, column + 1)


EVERY_SIGNATURE = (
    "susceptibility_reversal", "resilience_induction", "stress_axis", "ketamine_axis", "imipramine_axis",
    "nonresponder_opposition",
)  # fmt: skip
BUILDERS_WITH_A_SHEET = {
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


@pytest.fixture(params=BUILDERS_WITH_A_SHEET)
def builder(request):
    return clone(BUILDERS_WITH_A_SHEET[request.param])


def test_many_training_sets_with_a_sheet_equal_fitting_each_one(builder, study):
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


@pytest.mark.parametrize("name", [name for name in BUILDERS_WITH_A_SHEET if name != "reference"])
def test_labels_of_training_rows_are_learnt_from(name, study):
    """The test above can fail: what it holds still does move when training rows are relabelled."""
    builder = BUILDERS_WITH_A_SHEET[name]
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
    builder = clone(BUILDERS_WITH_A_SHEET[name])
    with pytest.raises(FeatureError, match="need a sample sheet"):
        builder.fit(study.counts, study.sets.labels[0], genes=study.genes)
    builder.check(study.context)
    with pytest.raises(FeatureError, match="lane are not in the sample sheet, which has: subject"):
        clone(builder).set_params(covariates=("lane",)).check(study.context)
    sheet = study.context.sheet.copy()
    sheet.loc[3, "drug"] = None
    with pytest.raises(FeatureError, match="'drug' is missing for 1 of 16"):
        builder.check(replace(study.context, sheet=sheet))
