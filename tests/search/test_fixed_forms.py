"""Fixed forms fitted together against one model at a time."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.features.builders import BUILDERS
from responder_ml.features.builders.builder import Ranked, prefix_columns
from responder_ml.features.builders.genes import Genes
from responder_ml.search import fixed_forms
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.fixed_forms import prefixes
from responder_ml.search.nested import search_draws
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import SearchData

PLAN = SearchPlan(folds=4, inner_folds=3, trials=0, seed=3)
PAIRS = [
    ("genes", "nearest_centroid"),
    ("genes", "elastic_net"),
    ("all_genes", "nearest_centroid"),
    ("derived", "nearest_centroid"),
    ("all_genes", "linear_svm"),
]


@pytest.fixture
def counts(rng):
    labels = np.array([0, 1] * 12, dtype=np.int8)
    mean = np.exp(rng.normal(size=300) * 2 + 3)
    effect = np.where(np.arange(300) < 40, 0.6, 0.0) * labels[:, None]
    expression = rng.poisson(mean * np.exp(rng.normal(size=(24, 300)) * 0.4 + effect)).astype(float)
    # Two samples of some subjects, so that training sets differ in their number of rows.
    subject_of = np.array([*range(19), 0, 3, 5, 6, 8])
    labels = labels[:19]
    return SearchData(expression, np.arange(300).astype(str), subject_of, np.zeros(19, dtype=int)), labels


def _candidates(pairs=PAIRS):
    return [Candidate(name, BUILDERS[name](units="counts"), CLASSIFIERS[kind]) for name, kind in pairs]


def _search(search_data, draws, candidates, plan=PLAN, **options):
    shared = {
        candidate.builder_name: candidate.builder.share(search_data.expression, search_data.genes)
        for candidate in candidates
    }
    return search_draws(search_data, shared, candidates, plan, draws, **options)


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_decisions_equal_those_of_one_model_at_a_time(counts, rng, pair):
    search_data, labels = counts
    candidate = _candidates([pair])[0]
    draws = [Draw(rng.permutation(labels), repeat) for repeat in range(3)]
    for draw, result in zip(draws, _search(search_data, draws, [candidate]), strict=True):
        of_samples = draw.labels[search_data.subject_of]
        for fold in range(PLAN.folds):
            train = result.fold != fold
            model = PrefixModel(candidate.builder, candidate.make({}), candidate.builder.fixed_length)
            model.fit(search_data.expression[train], of_samples[train], genes=search_data.genes)
            expected = model.decision_function(search_data.expression[~train])
            np.testing.assert_allclose(result.decisions[0, ~train], expected, atol=1e-7)


def test_draws_searched_together_or_alone_with_models_or_without_decide_alike(counts, rng, monkeypatch):
    search_data, labels = counts
    candidates = _candidates()
    draws = [Draw(rng.permutation(labels), repeat) for repeat in range(5)]
    together = _search(search_data, draws, candidates)
    with_models = _search(search_data, draws, candidates, keep_models=True)
    monkeypatch.setattr(fixed_forms, "_MOST_NUMBERS", 1)
    for result, of_models, alone in zip(together, with_models, _search(search_data, draws, candidates), strict=True):
        # To the last bit, where the observed labelling must tie with itself among the relabelled ones.
        np.testing.assert_array_equal(result.decisions, of_models.decisions)
        np.testing.assert_allclose(result.decisions, alone.decisions, atol=1e-9)
        np.testing.assert_array_equal(result.weights, np.full((5, 4), 0.2))
        assert np.isnan(result.inner_scores).all()
        assert not result.models
        for model in of_models.models:
            decided = model.classifier.decision_function(model.test_features)
            np.testing.assert_allclose(decided, result.decisions[model.candidate, model.test_rows], atol=1e-9)
            np.testing.assert_array_equal(np.flatnonzero(result.fold == model.fold), model.test_rows)
            if model.gene_parts is not None:
                summed = np.column_stack([part.values.sum(axis=1) for part in model.gene_parts])
                np.testing.assert_allclose(summed, model.test_features, atol=1e-9)


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_editing_a_held_out_subject_changes_no_model_that_did_not_see_it(counts, rng, pair):
    search_data, labels = counts
    candidate, subject = _candidates([pair])[0], 5
    edited = search_data.expression.copy()
    rows = search_data.subject_of == subject
    edited[rows] = rng.poisson(50, size=(2, 300)) * rng.integers(1, 9, size=(2, 300))
    other_labels = labels.copy()
    other_labels[subject] = 1 - labels[subject]
    before = _search(search_data, [Draw(labels, 0)], [candidate], keep_models=True)[0]
    after = _search(replace(search_data, expression=edited), [Draw(labels, 0)], [candidate], keep_models=True)[0]
    fold = before.fold[rows][0]
    unseen = [(one, other) for one, other in zip(before.models, after.models, strict=True) if one.fold == fold]
    for one, other in unseen:
        np.testing.assert_array_equal(one.columns, other.columns)
        np.testing.assert_allclose(one.classifier.coef_, other.classifier.coef_, rtol=1e-10)
    others = (before.fold == fold) & ~rows
    np.testing.assert_allclose(before.decisions[0, others], after.decisions[0, others], atol=1e-9)
    assert len(unseen) == 1
    seen = [one for one, other in zip(before.models, after.models, strict=True) if one.fold != fold]
    assert len(seen) == 3
    assert not np.allclose(before.decisions[0, before.fold != fold], after.decisions[0, before.fold != fold])


def test_prefixes_equal_those_of_one_set_at_a_time(rng):
    def ranked(available, cumulative):
        return Ranked(rng.permutation(100)[:available], lambda: None, lambda column: None, cumulative)

    sets = [ranked(available, cumulative) for available in (30, 30, 7, 1) for cumulative in (False, True)]
    for columns, of_set in zip(prefixes(sets, 20), sets, strict=True):
        expected = prefix_columns(of_set.position, 20, cumulative=of_set.cumulative)
        np.testing.assert_array_equal(columns, expected)


def test_a_builder_may_offer_fewer_columns_than_its_fixed_form_takes(rng):
    expression = rng.normal(size=(20, 6)) + 8
    search_data = SearchData(expression, np.arange(6).astype(str), np.arange(20), np.zeros(20, dtype=int))
    candidate = Candidate("genes", Genes(units="log2"), CLASSIFIERS["nearest_centroid"])
    labels = np.resize(np.array([0, 1], dtype=np.int8), 20)
    result = _search(search_data, [Draw(labels, 0)], [candidate], keep_models=True)[0]
    assert {len(model.columns) for model in result.models} == {6}
    assert {model.tuned.params["n_features"] for model in result.models} == {6}
    assert np.isfinite(result.decisions).all()
