"""The observed labels and relabelled ones go through the same procedure, to the last bit."""

import numpy as np
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.evaluation.calibration import choose_threshold
from responder_ml.evaluation.metrics import statistic_of
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import SearchData
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
            for name, params in ((kind, fixed), ("nearest_centroid", {}))
        ]
        procedure = Procedure(search_data, candidates, SearchPlan(5, 3, 2, seed), Workers(1))
        observed = statistic_of(procedure.observe(LABELS, repeats).auto)
        among = list(draw_labellings(LABELS, STRATA, 7, np.random.default_rng(seed)))
        among.insert(seed, LABELS)
        assert next(iter(procedure.statistics([LABELS], repeats)))[0] == observed
        assert next(iter(procedure.statistics(among, repeats)))[seed] == pytest.approx(observed, abs=1e-13)


def _early_or_genes(values, order):
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
    return Procedure(search_data, [candidates[name] for name in order], SearchPlan(4, 3, 2, 7), Workers(1))


@pytest.mark.parametrize("order", [("early", "genes"), ("genes", "early")])
def test_the_refit_takes_the_candidate_that_did_best_on_the_inner_folds(rng, order):
    labels = np.tile([1, 0], 10).astype(np.int8)
    # Two other genes tell the classes apart; by their ranks immediate-early genes hardly do.
    values = rng.normal(size=(20, 20))
    values[:, 3:5] += 3.0 * labels[:, None]
    refit = _early_or_genes(values, order).refit(labels)
    assert refit.name == "genes+nearest_centroid"
    assert refit.candidate == order.index("genes")
    assert ((refit.model.decision_function(values) > 0) == labels).all()


def test_the_refit_is_fitted_to_all_subjects(rng):
    labels = np.tile([1, 0], 10).astype(np.int8)
    values = rng.normal(size=(20, 20))
    values[:, 3:5] += 3.0 * labels[:, None]
    refit = _early_or_genes(values, ["genes"]).refit(labels)
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


def test_auto_takes_decisions_and_cut_off_of_the_candidate_chosen_in_the_fold(rng):
    _, observed = _two_candidates(rng)
    candidates = list(observed.candidates.values())
    for repeat, result in enumerate(observed.results):
        for subject, fold in enumerate(observed.auto.folds[repeat]):
            chosen = candidates[result.chosen[fold]]
            assert observed.auto.decisions[repeat, subject] == chosen.decisions[repeat, subject]
            assert observed.auto.thresholds[repeat, subject] == chosen.thresholds[repeat, subject]


def test_the_share_of_folds_in_which_a_candidate_was_chosen(rng):
    _, observed = _two_candidates(rng)
    chosen = np.concatenate([result.chosen for result in observed.results])
    assert observed.chosen_share(1) == np.mean(chosen == 1) > 0.5
    assert observed.chosen_share(0) + observed.chosen_share(1) == 1.0
