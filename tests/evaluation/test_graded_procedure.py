"""The procedure on a graded outcome: what is learnt, and what is not, from held-out rows."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import linregress

from responder_ml.evaluation.graded_procedure import GradedProcedure
from responder_ml.evaluation.permutation import NullPlan, run_null
from responder_ml.evaluation.reorder import OUTCOMES, draw_orders
from responder_ml.features.builders.all_genes import AllGenes
from responder_ml.features.builders.genes import Genes
from responder_ml.regressors import REGRESSORS
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.nested import search_draws
from responder_ml.search.search_data import SearchData
from responder_ml.search.shared_gaps import share_with_gaps
from responder_ml.search.workers import Workers

N, GENES = 24, 120
PLAN = SearchPlan(folds=4, inner_folds=2, trials=4, seed=5, repeats=2)


def _candidates(*kinds):
    builders = {"genes": Genes(units="log2", max_genes=30), "all_genes": AllGenes(units="log2")}
    return [Candidate(name, builder, REGRESSORS[kind]) for name, builder in builders.items() for kind in kinds]


@pytest.fixture
def cohort(rng):
    """Return expression of which five genes follow the outcome, and the outcome; one subject has two samples."""
    outcome = rng.gamma(2.0, 0.5, N)
    values = rng.normal(size=(N, GENES))
    values[:, :5] += 1.2 * ((outcome - outcome.mean()) / outcome.std())[:, None]
    return values, outcome


def _data(values, subject_of=None):
    subject_of = np.arange(N) if subject_of is None else subject_of
    return SearchData(values, np.arange(GENES).astype(str), subject_of, (np.arange(N) % 2).astype(np.intp))


def _procedure(values, *kinds, plan=PLAN, subject_of=None):
    return GradedProcedure(_data(values, subject_of), _candidates(*kinds), plan, Workers(1), 0.9)


def test_planted_genes_are_found_and_predict_the_order(cohort):
    values, outcome = cohort
    observed = _procedure(values, "ridge", "elastic_net").observe(outcome)
    from responder_ml.evaluation.agreement import fold_concordance, spearman

    assert fold_concordance(observed.auto) > 0.75
    assert spearman(observed.auto) > 0.6
    assert sum(observed.chosen_share(index) for index in range(4)) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["ridge", "xgboost"])
@pytest.mark.parametrize("edited", ["expression", "outcome"])
def test_held_out_rows_change_nothing_that_is_learnt(cohort, rng, kind, edited):
    """Edit what is held out in fold 0 of the observed split: rank, tuning, fit and predictions of other rows stay the same."""
    values, outcome = cohort
    plan = SearchPlan(folds=4, inner_folds=2, trials=3, seed=5)
    candidates = _candidates(kind)
    labels = (outcome >= 0.9).astype(np.int8)

    def search(values, outcome):
        data = _data(values)
        shared = {one.builder_name: share_with_gaps(one.builder, data) for one in candidates}
        return search_draws(data, shared, candidates, plan, [Draw(labels, 0, outcome)], keep_models=True)[0]

    before = search(values, outcome)
    held_out = before.fold == 0
    if edited == "expression":
        values = np.where(held_out[:, None], 50.0 * rng.normal(size=values.shape), values)
    else:
        outcome = np.where(held_out, rng.normal(size=N) * 1e3, outcome)
    after = search(values, outcome)
    np.testing.assert_array_equal(after.fold, before.fold)
    for old, new in zip(before.models, after.models, strict=True):
        if old.fold == 0:
            assert (old.tuned.params, old.tuned.values) == (new.tuned.params, new.tuned.values)
            np.testing.assert_array_equal(old.columns, new.columns)
            if edited == "outcome":
                np.testing.assert_array_equal(
                    old.classifier.decision_function(old.test_features),
                    new.classifier.decision_function(new.test_features),
                )
            else:
                probe = rng.normal(size=(3, old.test_features.shape[1]))
                np.testing.assert_array_equal(
                    old.classifier.decision_function(probe), new.classifier.decision_function(probe)
                )
    # The test can fail: other folds train on what was edited.
    assert any(
        old.columns.tolist() != new.columns.tolist() or old.tuned.values != new.tuned.values
        for old, new in zip(before.models, after.models, strict=True)
        if old.fold != 0
    )


def test_genes_are_ranked_by_the_slope_of_the_outcome_and_alike_in_fit_and_search(cohort):
    values, outcome = cohort
    builder = Genes(units="log2", max_genes=30, moderated=False)
    fitted = builder.fit_outcome(values, outcome)
    t = [abs(linregress(column, outcome).slope / linregress(column, outcome).stderr) for column in values.T]
    np.testing.assert_array_equal(fitted.position_, np.argsort(-np.array(t), kind="stable")[:30])
    from responder_ml.statistics.training_sets import TrainingSets

    (ranked,) = builder.share(values, np.arange(GENES).astype(str)).rank(
        TrainingSets(np.ones((1, N), dtype=bool), outcome[None])
    )
    np.testing.assert_array_equal(ranked.position, fitted.position_)


def test_all_genes_weights_are_covariances_with_the_outcome(cohort):
    values, outcome = cohort
    fitted = AllGenes(units="log2").fit_outcome(values, outcome)
    z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    covariance = (outcome - outcome.mean()) @ z
    np.testing.assert_allclose(fitted.weights_, covariance / np.linalg.norm(covariance), atol=1e-12)
    from responder_ml.statistics.training_sets import TrainingSets

    (ranked,) = (
        AllGenes(units="log2")
        .share(values, np.arange(GENES).astype(str))
        .rank(TrainingSets(np.ones((1, N), dtype=bool), outcome[None]))
    )
    np.testing.assert_allclose(ranked.values(), fitted.transform(values), atol=1e-9)


def test_relabelled_outcomes_are_measured_as_the_observed_one_is(cohort):
    values, outcome = cohort
    procedure = _procedure(values, "ridge", plan=SearchPlan(4, 2, 0, 5, repeats=2))
    observed = procedure.observe(outcome)
    strata = procedure.search_data.strata
    others = list(draw_orders(outcome, strata, 9, np.random.default_rng(0)))
    rows = np.concatenate(list(procedure.statistics([*others, outcome])))
    assert rows.shape == (10, 4)
    np.testing.assert_allclose(rows[-1], observed.measured(strata), atol=1e-9)


def test_the_null_finds_what_was_planted_and_nothing_in_noise(cohort, rng):
    values, outcome = cohort
    for expression, is_low in ((values, True), (rng.normal(size=values.shape), False)):
        procedure = _procedure(expression, "ridge", plan=SearchPlan(4, 2, 0, 5))
        strata = procedure.search_data.strata
        observed = procedure.observe(outcome).measured(strata)
        null = run_null(
            procedure.statistics, outcome, strata, observed, NullPlan(99, 0.05, 7), "o", relabelling=OUTCOMES
        )
        assert (null.p_value <= 0.05) is is_low
        assert abs(null.mean - 0.5) < 0.05


def test_the_refitted_model_predicts_in_units_of_the_outcome(cohort):
    values, outcome = cohort
    for factor, shift in ((1.0, 0.0), (1e3, -5e4)):
        refit = _procedure(values, "ridge", plan=SearchPlan(4, 2, 0, 5)).refit(factor * outcome + shift)
        predicted = (refit.model.predict(values) - shift) / factor
        assert np.corrcoef(predicted, outcome)[0, 1] > 0.8
        assert abs(predicted.mean() - outcome.mean()) < 1e-6
    assert [member.weight for member in refit.members] == [0.5, 0.5]


def test_samples_of_a_subject_are_averaged(cohort):
    values, outcome = cohort
    doubled = np.concatenate([values, values[:3]])
    subject_of = np.concatenate([np.arange(N), np.arange(3)])
    procedure = GradedProcedure(
        _data(doubled, subject_of), _candidates("ridge"), SearchPlan(4, 2, 0, 5), Workers(1), 0.9
    )
    assert procedure.observe(outcome).auto.predictions.shape == (1, N)


def _in_cages(values, trials, block_of):
    cages = (np.arange(N) // 3).astype(np.intp)
    data = SearchData(values, np.arange(GENES).astype(str), np.arange(N), cages, block_of=cages if block_of else None)
    plan = replace(PLAN, trials=trials, folds=4, inner_folds=2)
    return cages, GradedProcedure(data, _candidates("ridge"), plan, Workers(1), 0.9)


@pytest.mark.parametrize("trials", [0, 3])
def test_a_held_out_cage_tells_nothing_of_itself(cohort, rng, trials):
    """Exchange outcomes within one cage, and change its genes: models of the fold that holds it out are as before."""
    values, outcome = cohort
    cages, procedure = _in_cages(values, trials, block_of=True)
    before = procedure.observe(outcome).auto
    for fold in before.folds:
        assert all(len(np.unique(fold[cages == cage])) == 1 for cage in np.unique(cages))
    mates = np.flatnonzero(cages == 2)
    exchanged = outcome.copy()
    exchanged[mates] = outcome[np.roll(mates, 1)]
    after = procedure.observe(exchanged).auto
    # Outcomes go round within cages, so folds stay.
    np.testing.assert_array_equal(after.folds, before.folds)
    held_out = before.folds == before.folds[:, mates[:1]]
    np.testing.assert_allclose(after.predictions[held_out], before.predictions[held_out], rtol=1e-9)
    assert not np.allclose(after.predictions[~held_out], before.predictions[~held_out])
    edited = values.copy()
    edited[mates] += rng.normal(size=(len(mates), GENES))
    of_edited = _in_cages(edited, trials, block_of=True)[1].observe(outcome).auto
    others = held_out & (cages != 2)
    np.testing.assert_allclose(of_edited.predictions[others], before.predictions[others], rtol=1e-9)


def test_cages_that_are_parted_do_tell_of_themselves(cohort):
    """The same without blocks, so that the test above can fail: cage mates are in training."""
    values, outcome = cohort
    cages, procedure = _in_cages(values, 0, block_of=False)
    before = procedure.observe(outcome).auto
    mates = np.flatnonzero(cages == 2)
    assert len(np.unique(before.folds[0, mates])) > 1
    exchanged = outcome.copy()
    exchanged[mates] = outcome[np.roll(mates, 1)]
    after = procedure.observe(exchanged).auto
    assert not np.allclose(after.predictions[:, mates], before.predictions[:, mates])


def test_all_orders_within_cages_have_the_folds_of_the_observed_one(cohort, rng):
    values, outcome = cohort
    cages, procedure = _in_cages(values, 0, block_of=True)
    folds = procedure.observe(outcome).auto.folds
    for order in draw_orders(outcome, cages, 5, rng):
        np.testing.assert_array_equal(procedure.observe(order).auto.folds, folds)
