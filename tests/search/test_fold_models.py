import numpy as np

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.features.builders.builder import Ranked
from responder_ml.features.builders.genes import Genes
from responder_ml.features.signatures.scorer import GeneParts
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw
from responder_ml.search.fold_models import FittedColumns, FoldModels
from responder_ml.search.search_data import Block
from responder_ml.search.tune import Tuned


def _fitted(rng):
    """Two columns, sums over genes 0 to 2 and 2 to 4, of 12 samples."""
    expression, members = rng.normal(size=(12, 5)), [np.arange(3), np.arange(2, 5)]
    values = np.column_stack([expression[:, genes].sum(axis=1) for genes in members])

    def genes_of(column):
        return members[column], np.full(3, 1 / 3)

    def parts(columns):
        return tuple(GeneParts(members[column], expression[:, members[column]], np.ones(3)) for column in columns)

    ranked = Ranked(np.array([1, 0]), lambda: values, genes_of, gene_parts=parts)
    labels = np.resize(np.array([0, 1], dtype=np.int8), 12)
    train, test = np.arange(9), np.arange(9, 12)
    columns = FittedColumns(ranked, np.array([0, 1]), train, test)
    return labels, columns, Block.build(ranked, train, test, labels, columns.columns)


def test_parts_of_genes_add_up_to_the_standardised_features_and_shares_to_one(rng):
    labels, columns, block = _fitted(rng)
    candidates = [
        Candidate("sums", Genes(), CLASSIFIERS[kind]) for kind in ("nearest_centroid", "xgboost", "linear_svm")
    ]
    models = FoldModels(candidates, Draw(labels, 4), 5)
    for index in range(3):
        models.fit(index, 2, Tuned({}, 0.5, (), ()), columns, block)
    weights = np.zeros((3, 4))
    weights[:2, 2] = 0.5
    first, trees, unused = models.weighted(weights)
    assert (first.repeat, first.fold, first.candidate, first.weight) == (4, 2, 0, 0.5)
    summed = np.column_stack([part.values.sum(axis=1) for part in first.gene_parts])
    np.testing.assert_allclose(summed, block.test, atol=1e-12)
    np.testing.assert_allclose(first.gene_shares.toarray().sum(axis=1), 1.0)
    # Trees are no sums, and what auto does not use is not divided.
    assert trees.gene_parts is None
    assert unused.gene_parts is None
    assert unused.weight == 0.0
    assert first.inner_decisions.size == 0
