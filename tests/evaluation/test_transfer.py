"""Training on one cohort, testing on another: nothing of the tested subjects is met in training."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.errors import EndpointError, ExpressionError, GeneNameError
from responder_ml.evaluation import transfer as module
from responder_ml.evaluation.permutation import NullPlan, NullResult
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.evaluation.transfer import TransferPlan, correct_rows, evaluate_within, transfer, transfer_matrix
from responder_ml.evaluation.two_cohorts import TwoCohorts
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.workers import Workers
from responder_ml.statistics.concordance import auroc

GENES = [f"g{index}" for index in range(150)]
CANDIDATES = (
    Candidate("genes", Genes(max_genes=20), CLASSIFIERS["nearest_centroid"]),
    Candidate("genes", Genes(max_genes=20), CLASSIFIERS["elastic_net"], {"l1_ratio": 0.0}),
)
PLAN = TransferPlan(CANDIDATES, SearchPlan(4, 3, 4, 5, repeats=2), NullPlan(19, 0.05, 5), Workers(1))
ENDPOINT = Endpoint("response", "yes", "no", strata=("drug",))


def _cohort(seed, subjects, effect=2.0, genes=GENES, per_subject=1, labels=None, endpoint=ENDPOINT):
    rng = np.random.default_rng(seed)
    subjects = [str(name) for name in subjects]
    labels = np.arange(len(subjects)) % 2 if labels is None else np.asarray(labels)
    rows = np.repeat(np.arange(len(subjects)), per_subject)
    values = rng.normal(8, 1, size=(len(rows), len(GENES))) + effect * labels[rows, None] * (np.arange(len(GENES)) < 10)
    sheet = pd.DataFrame(
        {
            "sample": [f"{seed}.{subjects[row]}.{index}" for index, row in enumerate(rows)],
            "subject": [subjects[row] for row in rows],
            "response": np.where(labels[rows] == 1, "yes", "no"),
            "drug": np.where(rows // 2 % 2, "ketamine", "imipramine"),
        }
    ).set_index("sample", drop=False)
    frame = pd.DataFrame(values, index=sheet.index, columns=GENES)[list(genes)]
    return label_cohort(AnnData(frame, obs=sheet, uns={"units": "log2", "subject_source": "column"}), endpoint)


def _names(prefix, count):
    return [f"{prefix}{index}" for index in range(count)]


def _edit(labelled, rows, by=1.5):
    """Add noise to some rows of a cohort."""
    cohort = labelled.cohort.copy()
    values = np.asarray(cohort.X).copy()
    values[rows] += np.random.default_rng(1).normal(0, by, size=values[rows].shape)
    cohort.X = values
    return replace(labelled, cohort=cohort)


# No subject in both


def test_disjoint_cohorts_give_the_auroc_of_the_one_model_fitted_to_the_first():
    train, test = _cohort(1, _names("a", 20)), _cohort(2, _names("b", 16), effect=0.7, per_subject=2)
    result = transfer(train, test, PLAN)
    two = TwoCohorts.of(train, test)
    model = Procedure(two.train, CANDIDATES, PLAN.search, Workers(1)).refit(train.labels).model
    decisions = model.decision_function(test.expression).reshape(16, 2).mean(axis=1)
    assert result.auroc == pytest.approx(auroc(test.labels, decisions))
    assert 0.5 < result.auroc_ci_low <= result.auroc <= result.auroc_ci_high
    assert (result.subjects_train, result.subjects_test, result.shared_subjects) == (20, 16, 0)
    assert result.p_value <= 0.05
    assert result.relabellings == 19
    assert 0.3 < result.null_mean < 0.7
    assert "fitted once" in result.note


def test_the_null_of_disjoint_cohorts_is_exact_where_labellings_are_few():
    train = _cohort(1, _names("a", 20))
    test = _cohort(2, _names("b", 6), endpoint=replace(ENDPOINT, strata=()))
    result = transfer(train, test, replace(PLAN, null=replace(PLAN.null, permutations=50)))
    assert result.relabellings == 20
    assert result.min_attainable_p == pytest.approx(1 / 20)
    assert result.null_mean == pytest.approx(0.5, abs=1e-6)
    assert result.p_value == pytest.approx(1 / 20)


def test_labels_of_the_tested_cohort_are_exchanged_within_its_strata(monkeypatch):
    tested = {}

    def record(statistic, labels, strata, value, plan, name, on_progress=None):
        tested.update(labels=labels, strata=strata)
        return NullResult(value[1], np.zeros(2), 0.5, (0.5, 0.5), False, True, False, 9, 0.1, aurocs=np.zeros(2))

    monkeypatch.setattr(module, "run_null", record)
    train, test = _cohort(1, _names("a", 20)), _cohort(2, _names("b", 16))
    transfer(train, test, PLAN)
    np.testing.assert_array_equal(tested["labels"], test.labels)
    np.testing.assert_array_equal(tested["strata"], test.strata)
    assert len(set(test.strata)) == 2


def test_a_p_that_is_not_settled_is_noted_with_where_it_may_lie(monkeypatch):
    unsettled = NullResult(0.6, np.zeros(2), 0.06, (0.02, 0.13), False, False, False, 9, 0.1, aurocs=np.zeros(2))
    monkeypatch.setattr(module, "run_null", lambda *_: unsettled)
    row = transfer(_cohort(1, _names("a", 20)), _cohort(2, _names("b", 16)), PLAN)
    assert "p is not settled: it may lie anywhere from 0.02 to 0.13" in row.note


def test_folds_fit_the_smaller_class_of_the_tested_cohort():
    shared = _names("s", 6)
    train, test = _cohort(3, [*_names("a", 14), *shared]), _cohort(4, shared)
    row = transfer(train, test, replace(PLAN, null=replace(PLAN.null, permutations=0)))
    assert "cross-fitted over 3 folds" in row.note


def test_editing_rows_of_the_tested_cohort_never_changes_the_model():
    train, test = _cohort(1, _names("a", 20)), _cohort(2, _names("b", 16))
    edited = _edit(test, slice(0, 8))
    one, other = (
        Procedure(TwoCohorts.of(train, tested).train, CANDIDATES, PLAN.search, Workers(1)).refit(train.labels).model
        for tested in (test, edited)
    )
    np.testing.assert_array_equal(one.decision_function(train.expression), other.decision_function(train.expression))


def test_other_samples_of_tested_subjects_are_no_reference_for_training():
    train, test = _cohort(1, _names("a", 20)), _cohort(2, _names("b", 16))
    outside = _cohort(5, ["control", "b3"], labels=[0, 1]).cohort
    context = TwoCohorts.of(replace(train, outside=outside), test).train.context
    assert context.outside_sheet["subject"].tolist() == ["control"]
    np.testing.assert_array_equal(context.outside, outside[outside.obs["subject"] == "control"].X)


# Subjects in both


def _decisions(train, test, repeats=2):
    two = TwoCohorts.of(train, test)
    procedure = Procedure(two.joined(), CANDIDATES, PLAN.search, Workers(1), two.split)
    labels = two.labels_of_individuals()[two.individual_of]
    return procedure.observe(labels, repeats).auto


@pytest.fixture(scope="module")
def overlapping():
    """20 subjects of A and 18 of B, 12 of them in both, in another order."""
    a, b = _names("a", 8), _names("b", 6)
    shared = _names("s", 12)
    return _cohort(3, [*a, *shared]), _cohort(4, [*b, *shared[::-1]], labels=[0, 1] * 3 + [1, 0] * 6)


def test_no_fold_trains_on_a_subject_it_decides(overlapping, rng):
    train, test = overlapping
    two = TwoCohorts.of(train, test)
    assert two.n_shared == 12
    split, person = two.split, two.individual_of
    labels, strata = two.labels_of_individuals()[person], two.joined().strata
    assigned = split.assign(labels, strata, SearchPlan(4, 3, 4, 5), 0, rng)
    for fold in range(4):
        trained = set(person[split.trains & (assigned != fold)])
        decided = set(person[split.decided & (assigned == fold)])
        assert not trained & decided
        assert set(range(8)) <= trained
        assert len(decided) >= 4
    assert sorted(np.concatenate([person[split.decided & (assigned == fold)] for fold in range(4)])) == sorted(
        person[20:]
    )
    names = [*train.subjects, *(name for name in test.subjects if name not in train.subjects)]
    assert [names[row] for row in person[20:]] == list(test.subjects)


def test_editing_a_subjects_rows_in_the_first_cohort_leaves_its_own_decision(overlapping):
    train, test = overlapping
    before = _decisions(train, test)
    subject = train.subjects.index("s4")
    index = test.subjects.index("s4")
    after = _decisions(_edit(train, train.subject_of == subject), test)
    np.testing.assert_array_equal(before.folds, after.folds)
    np.testing.assert_allclose(after.decisions[:, index], before.decisions[:, index], rtol=1e-9)
    # Those of other folds did train on it, and the test must be able to see that.
    others = before.folds[0] != before.folds[0, index]
    assert not np.allclose(after.decisions[0, others], before.decisions[0, others], rtol=1e-6)


def test_editing_rows_of_the_second_cohort_changes_their_own_decisions_only(overlapping):
    train, test = overlapping
    before = _decisions(train, test)
    index = test.subjects.index("s4")
    after = _decisions(train, _edit(test, test.subject_of == index))
    others = np.arange(len(test.subjects)) != index
    np.testing.assert_allclose(after.decisions[:, others], before.decisions[:, others], rtol=1e-9)
    assert not np.allclose(after.decisions[:, index], before.decisions[:, index])


def test_relabelling_moves_a_subjects_label_in_both_cohorts_and_keeps_class_sizes(overlapping, rng):
    train, test = overlapping
    two = TwoCohorts.of(train, test)
    person = two.individual_of
    for labels in draw_labellings(two.labels_of_individuals(), two.strata_of_individuals(), 20, rng):
        first, second = labels[person][:20], labels[person][20:]
        assert (first.sum(), second.sum()) == (train.labels.sum(), test.labels.sum())
        np.testing.assert_array_equal(first[two.partner >= 0], second[two.partner[two.partner >= 0]])
    np.testing.assert_array_equal(two.labels_of_individuals()[person], np.concatenate([train.labels, test.labels]))


def test_shared_subjects_are_cross_fitted_and_tested_by_the_whole_procedure(overlapping):
    result = transfer(*overlapping, PLAN)
    assert result.shared_subjects == 12
    assert result.auroc > 0.9
    assert result.p_value <= 0.05
    assert "cross-fitted over 4 folds" in result.note


def test_observed_and_relabelled_statistics_average_all_repeats(overlapping, monkeypatch):
    observed = []

    def record(statistic, labels, strata, value, plan, name, on_progress=None):
        (relabelled,) = (row for block in statistic([labels]) for row in block)
        observed.append((value, relabelled))
        return NullResult(value[1], np.zeros(2), 0.5, (0.5, 0.5), False, True, False, 9, 0.1, aurocs=np.zeros(2))

    monkeypatch.setattr(module, "run_null", record)
    plan = replace(PLAN, search=replace(PLAN.search, repeats=3))
    weak = _cohort(9, _names("c", 12), effect=0.3)
    evaluate_within(weak, plan, "C")
    transfer(*overlapping, plan)
    for value, relabelled in observed:
        np.testing.assert_allclose(value[:2], relabelled[:2], atol=1e-12)


def test_a_difference_between_animals_that_is_not_the_class_does_not_transfer_within_them():
    """Every animal has its own fingerprint in both regions; a model that met the animal would know its label."""
    rng = np.random.default_rng(0)
    subjects = _names("s", 24)
    labels = np.repeat([0, 1], 12)[rng.permutation(24)]
    fingerprint = rng.normal(0, 3, size=(24, len(GENES)))
    regions = []
    for seed in (6, 7):
        labelled = _cohort(seed, subjects, effect=0.0, labels=labels)
        cohort = labelled.cohort.copy()
        cohort.X = np.asarray(cohort.X) + fingerprint
        regions.append(replace(labelled, cohort=cohort))
    honest = transfer(*regions, replace(PLAN, null=replace(PLAN.null, permutations=0)))
    renamed = replace(regions[1], subjects=tuple(f"x{name}" for name in subjects))
    leaking = transfer(regions[0], renamed, replace(PLAN, null=replace(PLAN.null, permutations=0)))
    assert honest.auroc < 0.75
    assert leaking.auroc > 0.9
    assert np.isnan(honest.p_value)


# A matrix


def test_a_matrix_has_the_out_of_fold_result_on_its_diagonal_and_holm_off_it(overlapping):
    cohorts = {"A": overlapping[0], "B": overlapping[1], "C": _cohort(9, _names("c", 12), effect=0.0)}
    seen = []
    plan = replace(PLAN, search=replace(PLAN.search, repeats=1), null=replace(PLAN.null, permutations=9))
    rows = transfer_matrix(cohorts, plan, lambda *told: seen.append(told[:2]))
    assert [(row.train, row.test) for row in rows] == [(a, b) for a in "ABC" for b in "ABC"]
    assert seen == [(number, 9) for number in range(1, 10)]
    own = evaluate_within(cohorts["A"], plan, "A")
    assert rows[0] == replace(own, p_holm=rows[0].p_holm)
    assert np.isnan([rows[index].p_holm for index in (0, 4, 8)]).all()
    off = [row for row in rows if row.train != row.test]
    assert min(row.p_holm for row in off) == pytest.approx(min(1.0, 6 * min(row.p_value for row in off)))
    assert all(row.p_holm >= row.p_value for row in off)
    assert rows[1].shared_subjects == 12
    assert rows[2].shared_subjects == 0


def test_without_a_null_nothing_is_corrected():
    row = transfer(
        _cohort(1, _names("a", 12)), _cohort(2, _names("b", 12)), replace(PLAN, null=replace(PLAN.null, permutations=0))
    )
    assert np.isnan([row.p_value, correct_rows([row])[0].p_holm]).all()
    assert row.relabellings == 0


# Genes, units, and what is refused


def test_genes_are_matched_by_name_and_coverage_is_that_of_the_first_cohort():
    train = _cohort(1, _names("a", 20))
    shuffled = [*GENES[:120][::-1]]
    test = _cohort(2, _names("b", 16), genes=shuffled)
    result = transfer(train, test, PLAN)
    assert result.coverage == pytest.approx(0.8)
    assert result.auroc > 0.9


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda one: _with(one, units="counts"), ExpressionError, "counts"),
        (lambda one: _renamed(one), GeneNameError, "no gene name"),
        (lambda one: replace(one, subjects=("a1", *one.subjects[1:])), EndpointError, "different labels"),
        (lambda one: _cohort(2, _names("b", 4)), EndpointError, "to test on"),
    ],
)
def test_cohorts_that_do_not_go_together_are_refused(change, error, words):
    train, test = _cohort(1, _names("a", 20)), _cohort(2, _names("b", 16))
    with pytest.raises(error, match=words):
        transfer(train, change(test), PLAN)


def _with(labelled, **uns):
    cohort = labelled.cohort.copy()
    cohort.uns.update(uns)
    return replace(labelled, cohort=cohort)


def _renamed(labelled):
    cohort = labelled.cohort.copy()
    cohort.var_names = [f"x{name}" for name in cohort.var_names]
    return replace(labelled, cohort=cohort)
