"""Features adjusted for covariates within every training set, against plain scikit-learn, and without a leak."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.errors import FeatureError
from responder_ml.features.builders.all_genes import AllGenes
from responder_ml.features.builders.all_genes_ridge import AllGenesRidge
from responder_ml.features.builders.context import Context
from responder_ml.features.builders.derived import Derived
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.pairs import Pairs
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.mean_model import Member, unfitted_model
from responder_ml.search.nested import search_draws
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import SearchData
from responder_ml.search.shared_gaps import share_with_gaps
from responder_ml.statistics.linear_model import fit_linear_model

SUBJECTS, GENES = 16, 80
NAMES = np.array([f"g{gene}" for gene in range(GENES)])
LABELS = (np.arange(SUBJECTS) % 2).astype(np.int8)


def _data(values, covariates, gaps=None):
    sheet = pd.DataFrame(index=range(len(values)))
    context = Context(sheet, "c", "1", "0", np.empty((0, values.shape[1])), sheet[:0], covariates)
    return SearchData(
        values, NAMES, np.arange(len(values)), np.zeros(len(values), dtype=np.intp), context=context, gaps=gaps
    )


@pytest.fixture
def covariates(rng):
    """Simulated: an age that goes with the class, on a huge scale, and sex."""
    return np.column_stack([1e5 * (LABELS + rng.normal(size=SUBJECTS)), rng.integers(0, 2, SUBJECTS)])


@pytest.fixture
def values(rng, covariates):
    driven = np.zeros((SUBJECTS, GENES))
    driven[:, :30] = 2e-5 * covariates[:, :1]
    return rng.normal(8.0, 1.0, (SUBJECTS, GENES)) + driven


def _candidates(builders, classifier=NearestCentroid):
    return [Candidate(builder.name, builder, classifier) for builder in builders]


def _search(data, candidates, trials=0, **options):
    shared = {candidate.builder_name: share_with_gaps(candidate.builder, data) for candidate in candidates}
    plan = SearchPlan(folds=4, inner_folds=2, trials=trials, seed=3)
    return search_draws(data, shared, candidates, plan, [Draw(LABELS, 0)], **options)[0]


def test_decisions_equal_a_naive_pipeline_with_the_same_folds(values, covariates):
    """Rank with limma's design, take 20 genes, remove the covariates by a regression on training rows, and standardise."""
    (candidate,) = _candidates([Genes()], ElasticNet)
    result = _search(_data(values, covariates), [candidate])
    for fold in range(4):
        train, test = result.fold != fold, result.fold == fold
        design = np.column_stack([np.ones(train.sum()), covariates[train] / [1e5, 1.0], LABELS[train]])
        t = fit_linear_model(values[train], design).t[-1]
        genes = np.sort(np.argsort(-np.abs(t), kind="stable")[:20])
        scaled = covariates / [1e5, 1.0]
        removed = LinearRegression().fit(scaled[train], values[train][:, genes])
        columns = values[:, genes] - removed.predict(scaled)
        mean, scale = columns[train].mean(axis=0), columns[train].std(axis=0)
        naive = ElasticNet().fit((columns[train] - mean) / scale, LABELS[train])
        expected = naive.decision_function((columns[test] - mean) / scale)
        np.testing.assert_allclose(result.decisions[0, test], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "builder",
    [Genes(), Genes(moderated=False), Derived(), AllGenes(), AllGenesRidge(), GeneSets(scorer="mean_z"), Pairs()],
)
def test_the_model_of_one_training_set_equals_the_search(values, covariates, builder):
    data = _data(values, covariates)
    (candidate,) = _candidates([builder])
    result = _search(data, [candidate])
    train, test = result.fold != 1, result.fold == 1
    model = PrefixModel(builder, NearestCentroid(), builder.fixed_length)
    model.fit(values[train], LABELS[train], genes=NAMES, context=data.context.take(train))
    np.testing.assert_allclose(
        model.decision_function(values[test], covariates[test]), result.decisions[0, test], rtol=1e-7, atol=1e-9
    )


def test_a_mean_of_several_adjusts_all_its_columns_and_asks_for_the_covariates(values, covariates):
    data, candidates = _data(values, covariates), _candidates([Genes(), AllGenes()])
    members = [Member(candidate, {}, candidate.builder.fixed_length, 0.5) for candidate in candidates]
    model = unfitted_model(members).fit(values, LABELS, genes=NAMES, context=data.context)
    centred = covariates - covariates.mean(axis=0)
    np.testing.assert_allclose(
        centred.T @ model.features(values, covariates) / np.abs(centred).sum(axis=0)[:, None], 0.0, atol=1e-8
    )
    with pytest.raises(FeatureError, match="every sample needs"):
        model.decision_function(values)
    plain = unfitted_model(members).fit(values, LABELS, genes=NAMES)
    with pytest.raises(FeatureError, match="not adjusted"):
        plain.decision_function(values, covariates)


@pytest.mark.parametrize("with_gaps", [False, True])
def test_nothing_of_held_out_rows_is_learnt(rng, values, covariates, with_gaps):
    """Expression and covariates of one outer fold are replaced; what models of that fold learnt must not change."""
    gaps = rng.random(values.shape) < 0.03 if with_gaps else None
    candidates = _candidates([Genes(), Derived(), AllGenes(), AllGenesRidge()])
    before = _search(_data(values, covariates, gaps), candidates, trials=3, keep_models=True)
    held_out = before.fold == 2
    spoilt, spoilt_covariates = values.copy(), covariates.copy()
    spoilt[held_out] = rng.normal(50.0, 20.0, spoilt[held_out].shape)
    spoilt_covariates[held_out] = rng.normal(0.0, 1e9, spoilt_covariates[held_out].shape)
    after = _search(_data(spoilt, spoilt_covariates, gaps), candidates, trials=3, keep_models=True)

    def learnt(result):
        return [
            (model.tuned.params, model.columns.tolist(), model.classifier.coef_.tolist(), model.classifier.intercept_)
            for model in result.models
            if model.fold == 2
        ]

    assert learnt(after) == learnt(before)
    assert not np.allclose(after.decisions[:, held_out], before.decisions[:, held_out])


def test_a_gene_that_covariates_determine_is_as_good_as_constant(values, covariates):
    values[:, 5] = 3.0 - 1e-4 * covariates[:, 0]
    ranked = share_with_gaps(Genes(), _data(values, covariates))
    (columns,) = ranked.rank(_sets())
    place_of = int(np.flatnonzero(columns.position == 5)[0])
    assert place_of == GENES - 1
    assert np.ptp(columns.values()[:, place_of]) == 0


def _sets():
    from responder_ml.statistics.training_sets import TrainingSets

    return TrainingSets(np.ones((1, SUBJECTS), dtype=bool), LABELS[None])


def test_parts_of_genes_add_up_to_the_adjusted_column(values, covariates):
    (columns,) = share_with_gaps(AllGenes(), _data(values, covariates)).rank(_sets())
    (parts,) = columns.gene_parts([0])
    total, column = parts.values.sum(axis=1), columns.values()[:, 0]
    np.testing.assert_allclose(total - total.mean(), column - column.mean(), atol=1e-9)


def test_without_covariates_nothing_is_wrapped(values):
    data = replace(_data(values, None), context=None)
    assert type(share_with_gaps(Genes(), data)).__name__ == "SharedGenes"
