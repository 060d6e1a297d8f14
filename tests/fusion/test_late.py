"""Late fusion: weights and fallbacks by hand, one set of folds, nothing learnt from held-out subjects, and when it pays."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.evaluation.intervals import corrected_t
from responder_ml.evaluation.metrics import auroc, fold_aurocs
from responder_ml.evaluation.separation import measure
from responder_ml.features.builders.genes import Genes
from responder_ml.fusion.late import LateFusion, best_available, fuse, fuse_draws, region_weights
from responder_ml.fusion.regions import Regions
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.nested import search_draws
from responder_ml.search.workers import Workers

PLAN = SearchPlan(folds=4, inner_folds=3, trials=3, seed=5)
CANDIDATES = (Candidate("genes", Genes(units="log2", max_genes=10), NearestCentroid),)


@pytest.fixture
def late(make_labelled, region_names):
    def make(*arguments, **options):
        regions = Regions.of(make_labelled(*arguments, **options), region_names)
        return regions, LateFusion(regions, CANDIDATES, PLAN, Workers(1))

    return make


def test_weights_are_shares_of_what_exceeds_a_coin():
    assert region_weights(np.array([0.9, 0.4, 0.7])) == pytest.approx([2 / 3, 0, 1 / 3])
    assert region_weights(np.array([0.3, 0.5])) == pytest.approx([0.5, 0.5])


def test_the_best_region_a_subject_has_scores_it():
    scores = np.array([[1.0, 2.0, 3.0], [1.0, np.nan, 3.0], [np.nan, np.nan, 3.0]])
    assert best_available(scores, np.array([0.6, 0.9, 0.5])).tolist() == [2.0, 1.0, 3.0]


def test_every_subject_is_decided_once_a_repeat_and_fused_scores_stay_apart_from_single(late):
    regions, fusion = late((1.5, 1.5, 1.5), missing=0.2)
    fused, single, weights = fusion.observe(regions.labels, 2)
    assert fused.decisions.shape == single.decisions.shape == (2, len(regions.subjects))
    assert np.isfinite(fused.decisions).all()
    assert np.isfinite(single.decisions).all()
    assert np.array_equal(fused.folds, single.folds)
    assert set(np.unique(fused.folds)) == set(range(PLAN.folds))
    assert weights.shape == (2, PLAN.folds, 3)
    assert weights.sum(axis=2) == pytest.approx(np.ones((2, PLAN.folds)))
    assert not np.allclose(fused.decisions, single.decisions)


def test_the_statistic_of_the_observed_labels_is_that_of_its_decisions(late, rng):
    regions, fusion = late((1.5, 0.0, 1.5), missing=0.1)
    shuffled = rng.permutation(regions.labels)
    values = np.concatenate(list(fusion.statistics([regions.labels, shuffled], 2)))
    fused, _, _ = fusion.observe(regions.labels, 2)
    other, _, _ = fusion.observe(shuffled, 2)
    expected = [measure(fused, regions.strata), measure(other, regions.strata)]
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_editing_every_row_of_held_out_subjects_changes_no_training_decision(late, rng):
    regions, _ = late((1.5, 1.0, 0.5), missing=0.2)
    draw = Draw(regions.labels, 0)
    before = _fuse(regions, draw)
    held_out = before.fold == 1
    edited_regions = {}
    for name, search_data in regions.by_region.items():
        edited = search_data.expression.copy()
        rows = held_out[search_data.subject_of]
        edited[rows] = rng.normal(0.0, 30.0, edited[rows].shape)
        edited_regions[name] = replace(search_data, expression=edited)
    after = _fuse(replace(regions, by_region=edited_regions), draw)
    assert np.array_equal(before.fold, after.fold)
    assert np.array_equal(before.weights[1], after.weights[1])
    assert not np.allclose(before.fused[held_out], after.fused[held_out])
    # The same edit, seen from a fold that trains on those subjects, does change what it learns.
    assert not np.array_equal(before.weights, after.weights)


def test_labels_of_held_out_subjects_change_no_decision_on_them(late):
    regions, _ = late((1.5, 1.0, 0.5), missing=0.2)
    before = _fuse(regions, Draw(regions.labels, 0))
    # Two held-out subjects of one fold and one stratum change places in every region; training sets stay as they are.
    fold, stratum = next(
        (fold, stratum)
        for fold in range(PLAN.folds)
        for stratum in np.unique(regions.strata)
        if len(set(regions.labels[(before.fold == fold) & (regions.strata == stratum)])) == 2
    )
    inside = np.flatnonzero((before.fold == fold) & (regions.strata == stratum))
    one = inside[regions.labels[inside] == 1][0]
    other = inside[regions.labels[inside] == 0][0]
    edited_regions = {}
    for name, search_data in regions.by_region.items():
        swapped = search_data.expression.copy()
        a, b = np.flatnonzero(search_data.subject_of == one), np.flatnonzero(search_data.subject_of == other)
        swapped[np.concatenate([a, b])] = swapped[np.concatenate([b, a])]
        edited_regions[name] = replace(search_data, expression=swapped)
    after = _fuse(replace(regions, by_region=edited_regions), Draw(regions.labels, 0))
    assert after.fused[one] == pytest.approx(before.fused[other])
    assert after.fused[other] == pytest.approx(before.fused[one])


@pytest.mark.parametrize(("effects", "pays"), [((1.0, 1.0, 1.0), True), ((2.0, 0.0, 0.0), False)])
def test_fusion_pays_where_the_signal_is_split_over_regions_and_not_where_it_is_in_one(late, effects, pays):
    regions, fusion = late(effects, n_subjects=120, n_genes=8, missing=0.15, seed=3)
    fused, single, _ = fusion.observe(regions.labels, 6)
    gain = corrected_t(fold_aurocs(fused) - fold_aurocs(single), PLAN.folds)
    assert sum(regions.missing.values()) >= 30
    assert auroc(single) > 0.6
    assert (gain.low > 0) is pays, gain


def _fuse(regions, draw, candidates=CANDIDATES):
    shared = {name: _shared(search_data)[1] for name, search_data in regions.by_region.items()}
    return fuse_draws(regions.by_region, shared, candidates, PLAN, [draw])[0]


def test_a_fused_score_is_the_weighted_sum_of_scores_standardised_on_inner_folds(late):
    """The same in plain loops, from each region's own search."""
    regions, _ = late((1.5, 0.5, 1.0), missing=0.2)
    draw, candidates = Draw(regions.labels, 1), (*CANDIDATES, Candidate("genes", CANDIDATES[0].builder, ElasticNet))
    fused = _fuse(regions, draw, candidates)
    results = [
        search_draws(*_shared(data), candidates, PLAN, [draw], keep_models=True)[0]
        for data in regions.by_region.values()
    ]
    for subject, fold in enumerate(fused.fold):
        total, scores, aurocs = 0.0, [], []
        for column, (data, result) in enumerate(zip(regions.by_region.values(), results, strict=True)):
            aurocs.append(result.inner_scores[:, fold] @ result.weights[:, fold])
            rows = data.subject_of == subject
            if not rows.any():
                scores.append(np.nan)
                continue
            models = [model for model in result.models if model.fold == fold]
            of_training = np.sum([model.weight * model.inner_decisions for model in models], axis=0)
            inner = of_training[~np.isnan(of_training)]
            scores.append((result.auto[rows].mean() - inner.mean()) / inner.std())
            total += fused.weights[fold, column] * scores[-1]
        assert fused.fused[subject] == pytest.approx(total)
        np.testing.assert_allclose(fused.weights[fold], region_weights(np.array(aurocs)))
        assert fused.single[subject] == pytest.approx(best_available(np.array([scores]), np.array(aurocs))[0])


def test_a_region_whose_inner_scores_do_not_vary_adds_its_difference_as_it_is(late):
    regions, _ = late((1.5, 0.5, 1.0))
    draw = Draw(regions.labels, 0)
    results = [
        search_draws(*_shared(data), CANDIDATES, PLAN, [draw], keep_models=True)[0]
        for data in regions.by_region.values()
    ]
    flat = [
        replace(result, models=tuple(replace(model, inner_decisions=np.full(24, 0.25)) for model in result.models))
        for result in results
    ]
    fused = fuse(list(regions.by_region.values()), flat)
    log_odds = np.stack([result.auto - 0.25 for result in results], axis=1)
    np.testing.assert_allclose(fused.fused, (log_odds * fused.weights[fused.fold]).sum(axis=1))


def _shared(search_data):
    builder = CANDIDATES[0].builder
    return search_data, {"genes": builder.share(search_data.expression, search_data.genes, search_data.context)}
