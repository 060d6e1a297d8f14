"""What the number of subjects allows: where folds shrink, where tuning stops, where training is refused."""

from dataclasses import replace

import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.errors import EndpointError
from responder_ml.evaluation.small_n import fit_plan_to_n
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan

PLAN = SearchPlan(folds=5, inner_folds=3, trials=20, seed=1)
CENTROID = Candidate("genes", Genes(), CLASSIFIERS["nearest_centroid"])
SVM = Candidate("genes", Genes(), CLASSIFIERS["linear_svm"])


@pytest.mark.parametrize(("n_positive", "n_negative"), [(12, 12), (12, 20), (19, 12)])
def test_twelve_subjects_in_the_smaller_class_are_enough_for_tuning(n_positive, n_negative):
    feasible = fit_plan_to_n(PLAN, [SVM, CENTROID], n_positive, n_negative)
    assert feasible.plan.trials == 20
    assert feasible.candidates == (SVM, CENTROID)
    assert not any("nothing is tuned" in note for note in feasible.notes)


@pytest.mark.parametrize(("n_positive", "n_negative"), [(5, 5), (5, 20), (9, 5), (3, 3)])
def test_with_five_subjects_or_fewer_in_a_class_nothing_is_tuned_and_only_fixed_forms_remain(n_positive, n_negative):
    feasible = fit_plan_to_n(PLAN, [SVM, CENTROID], n_positive, n_negative)
    assert feasible.plan.trials == 0
    assert feasible.candidates == (CENTROID,)
    assert any("nothing is tuned" in note for note in feasible.notes)


@pytest.mark.parametrize(("n_positive", "n_negative"), [(6, 6), (6, 20), (19, 11)])
def test_from_six_to_eleven_subjects_every_candidate_is_used_in_its_fixed_form(n_positive, n_negative):
    feasible = fit_plan_to_n(PLAN, [SVM, CENTROID], n_positive, n_negative)
    assert feasible.plan.trials == 0
    assert feasible.candidates == (SVM, CENTROID)
    assert any("nothing is tuned" in note for note in feasible.notes)
    tuned = fit_plan_to_n(PLAN, [SVM, CENTROID], n_positive, n_negative, least_tuned=6)
    assert tuned.plan.trials == 20


def test_with_few_subjects_and_no_folds_named_the_folds_are_a_complete_design():
    plan = replace(PLAN, complete=True, repeats=10)
    few = fit_plan_to_n(plan, [CENTROID], 7, 6)
    assert (few.plan.folds, few.plan.repeats, few.plan.complete) == (6, 6, True)
    assert any("every pair of a positive and a negative subject together" in note for note in few.notes)
    strata = fit_plan_to_n(plan, [CENTROID], 7, 6, strata_counts=[(3, 3), (4, 3)])
    assert (strata.plan.folds, strata.plan.repeats, strata.plan.complete) == (6, 3, True)
    assert any("subject of the same stratum together" in note for note in strata.notes)
    many = fit_plan_to_n(plan, [CENTROID], 12, 30)
    assert (many.plan.folds, many.plan.repeats, many.plan.complete) == (5, 10, False)
    named = fit_plan_to_n(replace(plan, complete=False), [CENTROID], 7, 6)
    assert (named.plan.folds, named.plan.repeats, named.plan.complete) == (5, 10, False)


def test_without_a_fixed_form_few_subjects_are_refused():
    with pytest.raises(EndpointError, match="linear_svm"):
        fit_plan_to_n(PLAN, [SVM], 5, 5)


def test_two_subjects_in_a_class_are_refused_and_three_are_not():
    with pytest.raises(EndpointError, match="at least 3 of each"):
        fit_plan_to_n(PLAN, [CENTROID], 2, 20)
    assert fit_plan_to_n(PLAN, [CENTROID], 3, 20).plan.folds == 3


def test_outer_folds_are_at_most_the_smaller_class_and_the_note_says_so():
    for folds in (8, 10):
        feasible = fit_plan_to_n(SearchPlan(folds, 3, 0, 1), [CENTROID], 7, 30)
        assert feasible.plan.folds == 7
        assert f"{folds} outer folds do not fit 7 subjects" in feasible.notes[0]
    assert fit_plan_to_n(SearchPlan(7, 3, 0, 1), [CENTROID], 7, 30).notes == ()


def test_inner_folds_fit_the_smallest_training_set():
    # Of 12 subjects in 5 folds one fold holds 3: a training set has 9.
    feasible = fit_plan_to_n(SearchPlan(5, 10, 20, 1), [CENTROID], 12, 30)
    assert feasible.plan.inner_folds == 9
    assert "10 inner folds do not fit the 9 subjects" in feasible.notes[0]
    assert fit_plan_to_n(SearchPlan(5, 9, 20, 1), [CENTROID], 12, 30).notes == ()


@pytest.mark.parametrize(("n_pairs", "folds", "repeats"), [(4, 4, 1), (6, 3, 5), (7, 4, 7), (11, 6, 11)])
def test_few_pairs_are_held_out_two_by_two_or_one_by_one(n_pairs, folds, repeats):
    plan = replace(PLAN, complete=True, paired=True, trials=0)
    feasible = fit_plan_to_n(plan, [CENTROID], n_pairs, n_pairs)
    assert (feasible.plan.folds, feasible.plan.repeats) == (folds, repeats)
    assert any("The unit is the pair" in note for note in feasible.notes)


def test_many_pairs_have_random_folds():
    feasible = fit_plan_to_n(replace(PLAN, complete=True, paired=True), [CENTROID], 20, 20)
    assert (feasible.plan.folds, feasible.plan.paired, feasible.plan.complete) == (5, True, False)
