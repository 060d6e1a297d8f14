"""Missing values are filled from training rows alone: whatever stands in held-out rows, nothing learnt changes."""

import numpy as np
import pytest

from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.features.builders.genes import Genes
from responder_ml.features.missing_genes import fill_from
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.nested import search_draws
from responder_ml.search.search_data import SearchData
from responder_ml.search.shared_gaps import SharedWithGaps, share_with_gaps
from responder_ml.statistics.training_sets import TrainingSets

SUBJECTS, GENES = 16, 60
LABELS = (np.arange(SUBJECTS) % 2).astype(np.int8)
TRAINING = np.arange(SUBJECTS) < 10


@pytest.fixture(params=["log2", "counts"])
def units(request):
    return request.param


@pytest.fixture
def values(rng, units):
    return rng.normal(8, 1, (SUBJECTS, GENES)) if units == "log2" else rng.poisson(200, (SUBJECTS, GENES)).astype(float)


@pytest.fixture
def gaps(rng):
    return rng.random((SUBJECTS, GENES)) < 0.05


def _data(values, gaps):
    names = np.array([f"g{gene}" for gene in range(GENES)])
    return SearchData(values, names, np.arange(SUBJECTS), np.zeros(SUBJECTS, dtype=np.intp), gaps=gaps)


def _ranked(values, gaps, units):
    builder = Genes(max_genes=20, units=units)
    sets = TrainingSets(np.stack([TRAINING, ~TRAINING]), np.stack([LABELS, LABELS]))
    first = share_with_gaps(builder, _data(values, gaps)).rank(sets)[0]
    return first.position, first.values()


def test_held_out_rows_change_nothing_in_training(values, gaps, units):
    position, columns = _ranked(values, gaps, units)
    edited = values.copy()
    edited[~TRAINING] = edited[~TRAINING] * 3 + 1
    moved = gaps.copy()
    moved[~TRAINING] = np.roll(moved[~TRAINING], 7, axis=1)
    for other_values, other_gaps in ((edited, gaps), (values, moved), (edited, moved)):
        other_position, other_columns = _ranked(other_values, other_gaps, units)
        np.testing.assert_array_equal(other_position, position)
        np.testing.assert_array_equal(other_columns[TRAINING], columns[TRAINING])


def test_what_stands_in_a_gap_is_never_read(values, gaps, units):
    garbage = np.where(gaps, 1e6, values)
    for one, other in zip(_ranked(values, gaps, units), _ranked(garbage, gaps, units), strict=True):
        np.testing.assert_array_equal(one, other)


def test_each_training_set_fills_from_its_own_rows(values, gaps, units):
    filled = fill_from(values, gaps, TRAINING, units)
    np.testing.assert_array_equal(filled[~gaps], values[~gaps])
    assert np.isfinite(filled).all()
    if units == "log2":
        means = np.nanmean(np.where(gaps, np.nan, values)[TRAINING], axis=0)
        np.testing.assert_allclose(filled[gaps], np.broadcast_to(means, values.shape)[gaps])


def test_without_gaps_nothing_changes(values, units):
    builder = Genes(max_genes=20, units=units)
    shared = share_with_gaps(builder, _data(values, None))
    assert not isinstance(shared, SharedWithGaps)
    sets = TrainingSets(np.stack([TRAINING, ~TRAINING]), np.stack([LABELS, LABELS]))
    with_none = SharedWithGaps(builder, _data(values, np.zeros_like(values, dtype=bool))).rank(sets)
    for one, other in zip(with_none, shared.rank(sets), strict=True):
        np.testing.assert_array_equal(one.position, other.position)
        np.testing.assert_allclose(one.values(), other.values())


def test_a_nested_search_of_noise_with_gaps_runs_and_stays_noise(rng):
    scores = []
    for _ in range(6):
        values, gaps = rng.normal(8, 1, (SUBJECTS, GENES)), rng.random((SUBJECTS, GENES)) < 0.05
        data = _data(values, gaps)
        builder = Genes(max_genes=20, units="log2")
        candidate = Candidate("genes", builder, ElasticNet, {"l1_ratio": 0.0})
        plan = SearchPlan(folds=4, inner_folds=2, trials=2, seed=3)
        (result,) = search_draws(data, {"genes": share_with_gaps(builder, data)}, [candidate], plan, [Draw(LABELS, 0)])
        scores.append(float(np.corrcoef(result.auto, LABELS)[0, 1]))
    assert abs(np.mean(scores)) < 0.5
