from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.pairs import Pairs, score_pairs, top_pairs


def _ranks(values):
    return np.stack([rankdata(row) for row in values])


def _naive(values, ranks, labels):
    """Scores of all pairs as Tan et al. define them, but for the sign and the half credit of ties."""
    scores = {}
    for a, b in combinations(range(values.shape[1]), 2):
        order = [np.sign(values[labels == label, b] - values[labels == label, a]).mean() for label in (1, 0)]
        distance = [(ranks[labels == label, b] - ranks[labels == label, a]).mean() for label in (1, 0)]
        scores[a, b] = (round(abs(order[0] - order[1]), 9), round(abs(distance[0] - distance[1]), 9))
    return scores


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(2, 5), st.integers(2, 5), st.booleans())
def test_pairs_equal_a_naive_search(seed, n_genes, n_positive, n_negative, ties):
    rng = np.random.default_rng(seed)
    labels = np.array([1] * n_positive + [0] * n_negative, dtype=np.int8)
    values = rng.normal(size=(len(labels), n_genes))
    values = np.round(values) if ties else values
    ranks = _ranks(values)
    naive = _naive(values, ranks, labels)
    remaining, expected = sorted(naive, key=lambda pair: (*(-value for value in naive[pair]), *pair)), []
    while remaining:
        best = remaining[0]
        expected.append(best)
        remaining = [pair for pair in remaining if not set(pair) & set(best)]
    first, second = top_pairs(score_pairs(values, ranks, labels), 99)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == expected


def test_a_pair_by_hand():
    # Gene 0 below gene 1 in both positives and in one of two negatives: 1 - 1/2; orders 1 and 0.
    values = np.array([[1.0, 2.0], [3.0, 9.0], [4.0, 1.0], [0.0, 5.0]])
    labels = np.array([1, 1, 0, 0], dtype=np.int8)
    score = score_pairs(values, _ranks(values), labels)[0, 1]
    # 2 x (1 + 1) - 2 x (1 - 1) = 4 in whole numbers; distance |2 (2 + 2) ... |: both genes' doubled ranks.
    level = 2 * np.array([4, 8]) - 2 * np.array([6, 6])
    distance = abs(level[0] - level[1])
    assert score == 4 * (distance + 1) + distance


def test_columns_say_which_gene_is_higher(study):
    labels = study.sets.labels[0]
    builder = Pairs(units="counts", n_genes=40, max_pairs=10).fit(study.counts, labels, genes=study.genes)
    values = builder.transform(study.counts)
    column_of = {gene: index for index, gene in enumerate(study.genes)}
    for column, name in enumerate(builder.names_):
        low, high = name.split("<")
        np.testing.assert_array_equal(
            values[:, column], np.sign(study.counts[:, column_of[high]] - study.counts[:, column_of[low]])
        )
        assert builder.genes_of(column)[0].tolist() == [low, high]
        assert builder.genes_of(column)[1].tolist() == [-0.5, 0.5]
    used = np.concatenate([builder.first_, builder.second_])
    assert len(used) == len(set(used.tolist())) == 20
    narrowed = Genes(units="counts", max_genes=40).fit(study.counts, labels, genes=study.genes)
    assert set(used.tolist()) <= set(narrowed.position_.tolist())


def test_another_platforms_scale_changes_no_column(study, rng):
    labels = study.sets.labels[0]
    builder = Pairs(units="counts", n_genes=40).fit(study.counts, labels, genes=study.genes)
    other = np.log2(study.counts + 1.0) * rng.uniform(0.5, 2.0, size=(16, 1)) + rng.normal(size=(16, 1))
    np.testing.assert_array_equal(builder.transform(other), builder.transform(study.counts))


def test_ties_within_a_sample_count_for_neither_gene():
    values = np.array([[1.0, 1.0], [2.0, 2.0], [1.0, 2.0], [1.0, 3.0]])
    builder = Pairs(n_genes=2).fit(values, np.array([0, 0, 1, 1]))
    np.testing.assert_array_equal(builder.transform(values)[:, 0], [0, 0, 1, 1])
