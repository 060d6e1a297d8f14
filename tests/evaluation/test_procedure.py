"""The observed labels and relabelled ones go through the same procedure, to the last bit."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.evaluation.calibration import choose_threshold
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.features.builders.all_genes import AllGenes
from responder_ml.features.builders.all_genes_ridge import AllGenesRidge
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import SearchData
from responder_ml.search.splits import complete_size, count_classes
from responder_ml.search.workers import Workers

LABELS = np.repeat([1, 0], [6, 7]).astype(np.int8)
STRATA = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize("kind", CLASSIFIERS.names())
@pytest.mark.parametrize("repeats", [1, 2])
def test_statistic_of_the_observed_labels_is_that_of_the_same_labels_among_relabelled_ones(rng, kind, repeats):
    for seed in range(3):
        counts = rng.poisson(rng.gamma(2.0, 20.0, size=400), size=(13, 400)).astype(np.float64)
        search_data = SearchData(counts, np.arange(400).astype(str), np.arange(13), STRATA)
        fixed = {"rounds": 10} if kind == "xgboost" else {}
        candidates = [
            Candidate("genes", Genes(units="counts", max_genes=60), CLASSIFIERS[name], params)
            for name, params in {kind: fixed, "nearest_centroid": {}}.items()
        ]
        procedure = Procedure(search_data, candidates, SearchPlan(5, 3, 2, seed), Workers(1))
        observed = procedure.observe(LABELS, repeats).measured(STRATA)
        assert len(observed) == 2 + len(candidates)
        among = list(draw_labellings(LABELS, STRATA, 7, np.random.default_rng(seed)))
        among.insert(seed, LABELS)
        np.testing.assert_array_equal(next(iter(procedure.statistics([LABELS], repeats=repeats)))[0], observed)
        np.testing.assert_allclose(next(iter(procedure.statistics(among, repeats=repeats)))[seed], observed, atol=1e-12)


def _early_or_genes(values, order, trials=2):
    genes = np.array(["Fos", "Egr1", "Arc", *(f"g{index}" for index in range(17))])
    search_data = SearchData(values, genes, np.arange(20), np.zeros(20, dtype=np.intp))
    candidates = {
        "early": Candidate(
            "early",
            GeneSets(markers=["immediate_early"], min_genes=1, min_coverage=0.1, units="log2"),
            NearestCentroid,
        ),
        "genes": Candidate("genes", Genes(units="log2"), NearestCentroid),
    }
    return Procedure(search_data, [candidates[name] for name in order], SearchPlan(4, 3, trials, 7), Workers(1))


def test_the_refit_is_the_mean_of_the_candidates_in_whatever_order_they_are_listed(rng):
    labels = np.tile([1, 0], 10).astype(np.int8)
    # Two other genes tell the classes apart; by their ranks immediate-early genes hardly do.
    values = rng.normal(size=(20, 20))
    values[:, 3:5] += 3.0 * labels[:, None]
    one, other = (_early_or_genes(values, order, 0).refit(labels) for order in (("early", "genes"), ("genes", "early")))
    assert one.name == "auto"
    assert one.params == {}
    assert one.description == "the mean of early+nearest_centroid and genes+nearest_centroid"
    assert [(member.name, member.weight) for member in one.members] == [
        ("early+nearest_centroid", 0.5),
        ("genes+nearest_centroid", 0.5),
    ]
    assert one.members == other.members
    np.testing.assert_array_equal(one.model.decision_function(values), other.model.decision_function(values))
    assert ((one.model.decision_function(values) > 0) == labels).all()


def test_the_refit_is_fitted_to_all_subjects(rng):
    labels = np.tile([1, 0], 10).astype(np.int8)
    values = rng.normal(size=(20, 20))
    values[:, 3:5] += 3.0 * labels[:, None]
    refit = _early_or_genes(values, ["genes"]).refit(labels)
    assert (refit.name, refit.description) == ("genes+nearest_centroid",) * 2
    assert isinstance(refit.model, PrefixModel)
    model = PrefixModel(Genes(units="log2"), NearestCentroid(), refit.params["n_features"])
    model.fit(values, labels, genes=np.array(["Fos", "Egr1", "Arc", *(f"g{index}" for index in range(17))]))
    np.testing.assert_allclose(refit.model.decision_function(values), model.decision_function(values))


def _two_candidates(rng, repeats=2):
    labels = np.tile([1, 0], 10).astype(np.int8)
    values = rng.normal(size=(20, 20))
    values[:, 3:5] += labels[:, None]
    observed = _early_or_genes(values, ["early", "genes"]).observe(labels, repeats)
    return labels, observed


def test_the_cut_off_of_a_held_out_subject_is_chosen_on_inner_decisions_of_its_training_set(rng):
    labels, observed = _two_candidates(rng)
    assert len(observed.models) == 2 * 2 * 4
    for model in observed.models:
        cuts = list(observed.candidates.values())[model.candidate].thresholds[model.repeat]
        held_out = observed.auto.folds[model.repeat] == model.fold
        trained = ~np.isnan(model.inner_decisions)
        np.testing.assert_array_equal(trained, ~held_out)
        expected = choose_threshold(model.inner_decisions[trained], labels[trained])
        np.testing.assert_array_equal(cuts[held_out], expected)
    assert len(np.unique(observed.auto.thresholds)) > 2


def test_auto_is_the_weighted_mean_of_the_candidates_with_a_cut_off_from_the_mean_of_inner_decisions(rng):
    labels, observed = _two_candidates(rng)
    decisions = np.stack([candidate.decisions for candidate in observed.candidates.values()])
    for repeat, result in enumerate(observed.results):
        for fold in range(4):
            members = result.members(fold)
            weights = result.weights[:, fold]
            assert sorted(model.candidate for model in members) == np.flatnonzero(weights).tolist()
            inner = np.sum([model.weight * model.inner_decisions for model in members], axis=0)
            held_out = observed.auto.folds[repeat] == fold
            np.testing.assert_allclose(
                observed.auto.decisions[repeat, held_out], weights @ decisions[:, repeat, held_out], atol=1e-12
            )
            trained = ~np.isnan(inner)
            np.testing.assert_array_equal(
                observed.auto.thresholds[repeat, observed.auto.folds[repeat] == fold],
                choose_threshold(inner[trained], labels[trained]),
            )


def test_the_order_of_candidates_changes_nothing_to_the_last_bit(rng):
    labels = np.tile([1, 0], 10).astype(np.int8)
    values = rng.normal(size=(20, 20))
    orders = [("early", "genes"), ("genes", "early")]
    one, other = (_early_or_genes(values, order).observe(labels, 2).auto for order in orders)
    np.testing.assert_array_equal(one.decisions, other.decisions)
    np.testing.assert_array_equal(one.thresholds, other.thresholds)


def test_where_nothing_is_tuned_autos_cut_off_is_even_odds(rng):
    labels, values = np.tile([1, 0], 10).astype(np.int8), rng.normal(size=(20, 20))
    tuned = _early_or_genes(values, ["early", "genes"])
    procedure = Procedure(tuned.search_data, tuned.candidates, SearchPlan(4, 3, 0, 7), Workers(1))
    assert np.all(procedure.observe(labels, 1).auto.thresholds == 0.0)


def test_of_one_candidate_auto_is_that_candidate(rng):
    labels, values = np.tile([1, 0], 10).astype(np.int8), rng.normal(size=(20, 20))
    observed = _early_or_genes(values, ["genes"]).observe(labels, 2)
    (only,) = observed.candidates.values()
    np.testing.assert_array_equal(observed.auto.decisions, only.decisions)
    np.testing.assert_array_equal(observed.auto.thresholds, only.thresholds)


def test_the_share_of_a_candidate_is_its_mean_weight(rng):
    _, observed = _two_candidates(rng)
    weights = np.array([[0.25, 0.5, 1.0, 0.0], [0.75, 0.5, 0.0, 1.0]])
    results = tuple(replace(result, weights=weights) for result in observed.results)
    assert replace(observed, results=results).chosen_share(1) == 0.5625


def test_in_a_complete_design_the_seed_changes_no_decision_and_no_statistic(rng):
    counts = rng.poisson(rng.gamma(2.0, 20.0, size=300), size=(13, 300)).astype(np.float64)
    search_data = SearchData(counts, np.arange(300).astype(str), np.arange(13), STRATA)
    builders = {
        "genes": Genes(units="counts", max_genes=60),
        "all_genes": AllGenes(units="counts"),
        "all_genes_ridge": AllGenesRidge(units="counts"),
    }
    candidates = [Candidate(name, builder, NearestCentroid) for name, builder in builders.items()]
    folds, rounds = complete_size(count_classes(LABELS, STRATA))
    one, other = (
        Procedure(search_data, candidates, SearchPlan(folds, 3, 0, seed, repeats=rounds, complete=True), Workers(1))
        for seed in (1, 2)
    )
    np.testing.assert_array_equal(one.observe(LABELS).auto.decisions, other.observe(LABELS).auto.decisions)
    labellings = list(draw_labellings(LABELS, STRATA, 3, np.random.default_rng(0)))
    np.testing.assert_array_equal(
        *(np.concatenate(list(procedure.statistics(labellings))) for procedure in (one, other))
    )


def test_in_a_complete_design_a_held_out_subject_changes_no_decision_on_those_held_out_with_it(rng):
    counts = rng.poisson(rng.gamma(2.0, 20.0, size=300), size=(13, 300)).astype(np.float64)
    edited = counts.copy()
    edited[4] = rng.permutation(edited[4]) * 3.0
    builders = {
        "genes": Genes(units="counts", max_genes=60),
        "all_genes": AllGenes(units="counts"),
        "all_genes_ridge": AllGenesRidge(units="counts"),
    }
    candidates = [Candidate(name, builder, NearestCentroid) for name, builder in builders.items()]
    folds, rounds = complete_size(count_classes(LABELS, STRATA))
    plan = SearchPlan(folds, 3, 0, 1, repeats=rounds, complete=True)
    before, after = (
        Procedure(
            SearchData(values, np.arange(300).astype(str), np.arange(13), STRATA), candidates, plan, Workers(1)
        ).observe(LABELS).auto
        for values in (counts, edited)
    )  # fmt: skip
    moved = False
    for repeat in range(rounds):
        beside = (before.folds[repeat] == before.folds[repeat][4]) & (np.arange(13) != 4)
        assert beside.any()
        np.testing.assert_allclose(before.decisions[repeat, beside], after.decisions[repeat, beside], atol=1e-9)
        others = before.folds[repeat] != before.folds[repeat][4]
        moved |= bool(np.abs(before.decisions[repeat, others] - after.decisions[repeat, others]).max() > 1e-3)
    assert moved


def test_with_a_ridge_on_all_genes_the_observed_statistic_equals_that_of_the_same_labels_among_relabelled_ones(rng):
    """A permutation test is exact where the statistic is one function of the labels, whatever was relabelled before."""
    counts = rng.poisson(rng.gamma(2.0, 20.0, size=300), size=(13, 300)).astype(np.float64)
    search_data = SearchData(counts, np.arange(300).astype(str), np.arange(13), STRATA)
    candidates = [Candidate("all_genes_ridge", AllGenesRidge(units="counts"), NearestCentroid)]
    folds, rounds = complete_size(count_classes(LABELS, STRATA))
    procedure = Procedure(
        search_data, candidates, SearchPlan(folds, 3, 0, 1, repeats=rounds, complete=True), Workers(1)
    )
    labellings = [*draw_labellings(LABELS, STRATA, 3, np.random.default_rng(0)), LABELS]
    among = np.concatenate(list(procedure.statistics(labellings)))
    np.testing.assert_array_equal(among[-1], procedure.observe(LABELS).measured(procedure.cells))
