import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from responder_ml.features.builders import BUILDERS
from responder_ml.features.builders.builder import prefix_columns, prefix_slice
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.statistics.training_sets import TrainingSets


@parametrize_with_checks([member() for member in BUILDERS])
def test_scikit_learn_estimator_checks(estimator, check):
    check(estimator)


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


@pytest.mark.parametrize("which", range(4))
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


@pytest.mark.parametrize("which", range(4))
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
