"""Folds keep blocks whole, share classes out, and do not change where labels are exchanged within blocks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.errors import EndpointError
from responder_ml.features.builders.genes import Genes
from responder_ml.search.block_folds import NO_FOLD, folds_of_blocks
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.nested import search_draws, training_set
from responder_ml.search.search_data import SearchData
from responder_ml.search.shared_gaps import share_with_gaps


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=5), min_size=2, max_size=12), st.data())
def test_no_block_is_parted_and_no_fold_is_empty(members, data):
    labels = np.concatenate(members).astype(np.int8)
    blocks = np.repeat(np.arange(len(members)), [len(of_block) for of_block in members])
    order = data.draw(st.permutations(range(len(labels))))
    labels, blocks = labels[order], blocks[order]
    folds = data.draw(st.integers(2, len(members)))
    fold = folds_of_blocks(labels, blocks, folds, np.random.default_rng(3))
    assert sorted(set(fold.tolist())) == list(range(folds))
    assert all(len(set(fold[blocks == block].tolist())) == 1 for block in range(len(members)))
    exchanged = labels.copy()
    for block in range(len(members)):
        exchanged[blocks == block] = np.sort(labels[blocks == block])
    np.testing.assert_array_equal(folds_of_blocks(exchanged, blocks, folds, np.random.default_rng(3)), fold)


def test_every_fold_gets_a_block_of_both_classes_and_its_share(rng):
    # Four cages of 2 v 2, four of one class.
    labels = np.array([0, 0, 1, 1] * 4 + [1] * 4 + [0] * 4 + [1] * 4 + [0] * 4, dtype=np.int8)
    blocks = np.repeat(np.arange(8), 4)
    fold = folds_of_blocks(labels, blocks, 4, rng)
    counts = [np.bincount(labels[fold == number], minlength=2).tolist() for number in range(4)]
    assert all(set(blocks[fold == number]) & {0, 1, 2, 3} for number in range(4))
    assert sorted(counts) == [[2, 6], [2, 6], [6, 2], [6, 2]]


def test_only_members_are_assigned_and_too_few_blocks_are_refused(rng):
    labels, blocks = np.tile([0, 1], 6).astype(np.int8), np.repeat(np.arange(4), 3)
    members = blocks != 2
    fold = folds_of_blocks(labels, blocks, 3, rng, members)
    assert (fold[~members] == NO_FOLD).all()
    assert set(fold[members].tolist()) == {0, 1, 2}
    with pytest.raises(EndpointError, match="4 folds need at least 4 blocks, but there are 3"):
        folds_of_blocks(labels, blocks, 4, rng, members)


def test_the_search_never_trains_on_a_cage_mate_of_a_held_out_animal(rng):
    labels, cages = np.tile([0, 0, 1, 1], 6).astype(np.int8), np.repeat(np.arange(6), 4)
    names = np.array([f"g{gene}" for gene in range(40)])
    data = SearchData(rng.normal(8, 1, (24, 40)), names, np.arange(24), cages, gaps=None, block_of=cages)
    candidate = Candidate("genes", Genes(), NearestCentroid)
    plan = SearchPlan(folds=3, inner_folds=2, trials=2, seed=5)
    (result,) = search_draws(
        data, {"genes": share_with_gaps(candidate.builder, data)}, [candidate], plan, [Draw(labels, 0)]
    )
    assert pd.Series(result.fold).groupby(cages).nunique().max() == 1
    outer = training_set(data, plan, Draw(labels, 0), result.fold != 0, 0)
    assert len(outer.inner) == 2
    for held_out in outer.inner:
        assert not set(cages[held_out]) & set(cages[outer.subjects & ~held_out])
