from dataclasses import replace

import numpy as np
import pytest

from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.read import keep_rows
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.features.builders.builder import Ranked
from responder_ml.search.search_data import Block, SearchData, standardisation


@pytest.fixture(scope="module")
def labelled():
    cohort = keep_rows(simulate_cohort(seed=3, n_genes=300), {"region": "PFC"})
    return label_cohort(cohort, Endpoint("response", "responder", "non_responder", ("drug",)))


def test_samples_inside_and_outside_the_endpoint_lose_the_same_genes(labelled):
    search_data = SearchData.of(labelled)
    removed = np.arange(300) % 7 == 0
    fewer = search_data.without(removed)
    np.testing.assert_array_equal(fewer.genes, search_data.genes[~removed])
    np.testing.assert_array_equal(fewer.expression, search_data.expression[:, ~removed])
    np.testing.assert_array_equal(fewer.context.outside, search_data.context.outside[:, ~removed])
    assert len(fewer.context.outside) > 0
    assert fewer.context.sheet is search_data.context.sheet
    assert replace(search_data, context=None).without(removed).context is None


def test_the_samples_of_a_subject_are_taken_together():
    search_data = SearchData(np.zeros((5, 2)), np.array(["a", "b"]), np.array([1, 0, 1, 2, 0]), np.zeros(3, dtype=int))
    assert search_data.n_subjects == 3
    rows = search_data.rows_of(np.array([True, False, True]))
    assert rows.tolist() == [False, True, False, True, True]


def test_a_block_holds_the_chosen_columns_in_their_order_on_the_scale_of_training_rows(rng):
    values = rng.normal(5.0, 2.0, size=(12, 6))
    ranked = Ranked(np.array([4, 0, 5, 2, 1, 3]), lambda: values, lambda column: (np.array([column]), np.ones(1)))
    train, labels = np.arange(12) < 8, np.array([0, 1] * 6, dtype=np.int8)
    rows = np.flatnonzero(train), np.flatnonzero(~train)
    block = Block.build(ranked, *rows, labels, np.array([3, 1]))
    mean, scale = standardisation(values[train][:, [3, 1]])
    np.testing.assert_array_equal(block.position, [2, 0])
    np.testing.assert_allclose(block.train, (values[train][:, [3, 1]] - mean) / scale)
    np.testing.assert_allclose(block.test, (values[~train][:, [3, 1]] - mean) / scale)
    np.testing.assert_array_equal(block.labels, labels[:8])
    # A prefix in natural order, and as ranked.
    whole = Block.build(ranked, *rows, labels)
    assert whole.columns(3).tolist() == [1, 0, 2]
    np.testing.assert_array_equal(whole.train[:, whole.as_ranked(3)], whole.train[:, :3])
