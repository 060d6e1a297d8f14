"""Several classes, two by two: each pair is the ordinary procedure of its own subjects, and knows nothing of the others."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.errors import EndpointError
from responder_ml.evaluation.class_pairs import ClassPairs, labels_of_pair, pairs_of
from responder_ml.evaluation.metrics import OutOfFold, auroc
from responder_ml.evaluation.permutation import NullPlan, run_null
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.evaluation.separation import AUTO_AUROC, measure
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.splits import NEITHER, FoldsOfClasses, count_classes
from responder_ml.search.workers import Workers
from responder_ml.statistics.pairwise_coupling import couple
from responder_ml.statistics.seeds import generator

CLASSES = np.repeat([0, 1, 2], [4, 5, 3]).astype(np.int8)
CANDIDATES = [Candidate("genes", Genes(units="log2", max_genes=20), CLASSIFIERS["nearest_centroid"])]
PLAN = SearchPlan(5, 3, 0, 7, repeats=2, complete=True)


def _data(rng, classes=CLASSES, strata=None, shift=0.0):
    values = rng.normal(8.0, 1.0, size=(len(classes), 60))
    values[:, :8] += shift * classes[:, None]
    strata = np.zeros(len(classes), dtype=np.intp) if strata is None else strata
    return SearchData(values, np.arange(60).astype(str), np.arange(len(classes)), strata)


def _of(data, rows):
    return SearchData(data.expression[rows], data.genes, np.arange(int(rows.sum())), data.strata[rows])


def test_pairs_and_their_labels():
    assert pairs_of(3) == [(0, 1), (0, 2), (1, 2)]
    assert labels_of_pair(CLASSES, (0, 2)).tolist() == [1] * 4 + [NEITHER] * 5 + [0] * 3


@pytest.mark.parametrize(
    "plan", [PLAN, replace(PLAN, complete=False), SearchPlan(3, 2, 2, 7)], ids=["complete", "drawn", "tuned"]
)
@pytest.mark.parametrize("stratified", [False, True])
def test_each_pair_is_the_procedure_of_its_own_subjects(rng, plan, stratified):
    classes = CLASSES if plan.trials == 0 else np.repeat([0, 1, 2], [13, 12, 12]).astype(np.int8)
    strata = np.arange(len(classes)) % 2 if stratified else np.zeros(len(classes), dtype=np.intp)
    data = _data(rng, classes, strata, shift=0.5)
    pairs = ClassPairs(data, classes, CANDIDATES, plan, Workers(1))
    measured = pairs.measure(classes)
    for (positive, negative), row in measured.items():
        members = (classes == positive) | (classes == negative)
        own_plan = pairs.procedures[positive, negative].plan
        alone = Procedure(_of(data, members), CANDIDATES, own_plan, Workers(1))
        labels = (classes[members] == positive).astype(np.int8)
        if own_plan.complete:
            # Random folds are drawn for all subjects of the cohort, so there only the complete design is the same.
            observed = alone.observe(labels)
            np.testing.assert_allclose(row, observed.measured(data.strata[members]), atol=1e-12)
            assert row[0] == auroc(observed.auto)
    macro = next(iter(pairs.statistics([classes])))[0]
    np.testing.assert_allclose(macro, np.mean(list(measured.values()), axis=0))


def test_a_pair_does_not_see_the_subjects_of_other_classes(rng):
    data = _data(rng, shift=0.4)
    before = ClassPairs(data, CLASSES, CANDIDATES, PLAN, Workers(1)).measure(CLASSES)
    changed = data.expression.copy()
    changed[CLASSES == 1] = 100 * rng.normal(size=changed[CLASSES == 1].shape)
    after = ClassPairs(replace(data, expression=changed), CLASSES, CANDIDATES, PLAN, Workers(1)).measure(CLASSES)
    np.testing.assert_array_equal(before[0, 2], after[0, 2])
    assert np.any(before[0, 1] != after[0, 1])


def test_relabelled_subjects_go_through_the_same_procedure(rng):
    data = _data(rng, strata=np.arange(12) % 2)
    pairs = ClassPairs(data, CLASSES, CANDIDATES, PLAN, Workers(1))
    labellings = list(draw_labellings(CLASSES, data.strata, 5, rng))
    rows = np.concatenate(list(pairs.statistics([*labellings, CLASSES])))
    np.testing.assert_allclose(rows[-1], next(iter(pairs.statistics([CLASSES])))[0], atol=1e-12)
    # The order of subjects within a class and stratum does not matter: only who has which class does.
    other = ClassPairs(data, labellings[0], CANDIDATES, PLAN, Workers(1))
    np.testing.assert_allclose(rows[0], next(iter(other.statistics([labellings[0]])))[0], atol=1e-12)


def test_classes_that_differ_are_told_from_chance_and_equal_ones_are_not(rng):
    classes = np.repeat([0, 1, 2], 4).astype(np.int8)
    strata, plan = np.zeros(12, dtype=np.intp), NullPlan(199, 0.05, 7)
    p_values = []
    for shift in (3.0, 0.0):
        pairs = ClassPairs(_data(rng, classes, shift=shift), classes, CANDIDATES, PLAN, Workers(1))
        observed = next(iter(pairs.statistics([classes])))[0]
        p_values.append(run_null(pairs.statistics, classes, strata, observed, plan, "classes").p_value)
    assert p_values[0] <= 0.01
    assert p_values[1] > 0.05


def test_a_class_of_two_subjects_is_refused(rng):
    classes = np.repeat([0, 1, 2], [4, 6, 2]).astype(np.int8)
    with pytest.raises(EndpointError, match="at least 3 of each"):
        ClassPairs(_data(rng, classes), classes, CANDIDATES, PLAN, Workers(1))


def test_strata_without_a_class_of_the_pair_hold_nothing_back(rng):
    strata = np.array([0, 0, 1, 1, 0, 0, 1, 1, 1, 2, 2, 2])
    data = _data(rng, strata=strata)
    pairs = ClassPairs(data, CLASSES, CANDIDATES, PLAN, Workers(1))
    assert count_classes(labels_of_pair(CLASSES, (0, 1)), strata)[-1] == (0, 0)
    assert np.isfinite(pairs.measure(CLASSES)[0, 1]).all()


class _Decided:
    """In place of a pair's procedure: decisions that are there already, of subjects in one fold."""

    def __init__(self, decisions):
        self._decisions = decisions

    def statistics(self, labellings):
        for labels in labellings:
            of_pair = labels != NEITHER
            decisions = self._decisions[of_pair][None]
            folds, cells = np.zeros(decisions.shape, dtype=np.intp), np.zeros(of_pair.sum(), dtype=np.intp)
            yield measure(OutOfFold(labels[of_pair], decisions, folds, np.zeros_like(decisions)), cells)[None]


@pytest.mark.parametrize("n_classes", [3, 5])
def test_the_mean_over_pairs_is_the_macro_one_vs_one_auroc_of_scikit_learn(rng, n_classes):
    """Of a table of probabilities, with ties: either class of a pair has a column, and scikit-learn takes the mean of both."""
    classes = rng.permutation(np.repeat(np.arange(n_classes), 7)).astype(np.int8)
    table = np.round(rng.dirichlet(np.ones(n_classes), len(classes)), 1) + 0.05
    table /= table.sum(axis=1, keepdims=True)
    pairs = ClassPairs(_data(rng, classes), classes, CANDIDATES, PLAN, Workers(1))
    by_column = []
    for sign, column in ((1.0, 0), (-1.0, 1)):
        pairs.procedures = {pair: _Decided(sign * table[:, pair[column]]) for pair in pairs_of(n_classes)}
        by_column.append(next(iter(pairs.statistics([classes])))[0, AUTO_AUROC])
    expected = roc_auc_score(classes, table, multi_class="ovo", average="macro")
    assert np.mean(by_column) == pytest.approx(expected, abs=1e-12)


def test_probabilities_of_held_out_subjects(rng):
    classes = np.repeat([0, 1, 2], [6, 5, 4]).astype(np.int8)
    found = {}
    for shift in (0.0, 3.0):
        pairs = ClassPairs(_data(rng, classes, shift=shift), classes, CANDIDATES, PLAN, Workers(1))
        found[shift] = pairs.probabilities(classes)
        assert found[shift].shape == (15, 3)
        np.testing.assert_allclose(found[shift].sum(axis=1), 1.0, atol=1e-12)
    assert (found[3.0].argmax(axis=1) == classes).all()
    assert (found[0.0].argmax(axis=1) == classes).sum() < 13


def test_probabilities_are_coupled_within_each_repeat_from_models_that_did_not_see_the_subject(rng):
    classes = np.repeat([0, 1, 2], 5).astype(np.int8)
    data, plan = _data(rng, classes, shift=1.0), replace(PLAN, complete=False, repeats=1, folds=5)
    pairs = ClassPairs(data, classes, CANDIDATES, plan, Workers(1))
    split = FoldsOfClasses(classes)
    decisions = {}
    for pair in pairs_of(3):
        observed = Procedure(data, CANDIDATES, plan, Workers(1), split).observe(labels_of_pair(classes, pair))
        decisions[pair] = observed.auto.decisions[0]
        for model in observed.models:
            assert model.test_rows.tolist() == np.flatnonzero(observed.auto.folds[0] == model.fold).tolist()
    np.testing.assert_allclose(pairs.probabilities(classes), couple(decisions, 3), atol=1e-12)


@pytest.mark.parametrize("trials", [0, 2], ids=["fixed", "tuned"])
def test_nothing_fitted_in_any_pair_depends_on_held_out_subjects_of_any_class(rng, trials):
    """Expression of one fold is edited: its models and what they say of others in it stay; other folds' models change."""
    size = 13 if trials else 5
    classes = np.repeat([0, 1, 2], size).astype(np.int8)
    data, plan = _data(rng, classes, shift=0.5), SearchPlan(3, 2, trials, 7)
    split = FoldsOfClasses(classes)
    folds = split.assign(classes, data.strata, plan, 0, generator(plan.seed, "outer", 0))
    # One subject of each class, and a fourth, in fold 0.
    edited = np.isin(
        np.arange(len(classes)), [np.flatnonzero((folds == 0) & (classes == code))[0] for code in range(3)]
    )
    changed = data.expression.copy()
    changed[edited] = 100.0 * rng.normal(size=(edited.sum(), changed.shape[1]))
    for pair in pairs_of(3):
        labels = labels_of_pair(classes, pair)
        before, after = (
            Procedure(of, CANDIDATES, plan, Workers(1), split).observe(labels)
            for of in (data, replace(data, expression=changed))
        )
        np.testing.assert_array_equal(before.auto.folds[0], folds)
        one, other = (next(m for m in of.models if m.fold == 0) for of in (before, after))
        np.testing.assert_array_equal(one.columns, other.columns)
        np.testing.assert_array_equal(one.inner_decisions, other.inner_decisions)
        np.testing.assert_array_equal(vars(one.classifier)["coef_"], vars(other.classifier)["coef_"])
        others = (folds == 0) & ~edited
        np.testing.assert_array_equal(before.auto.decisions[0, others], after.auto.decisions[0, others])
        elsewhere = folds != 0
        assert np.any(before.auto.decisions[0, elsewhere] != after.auto.decisions[0, elsewhere])
    probabilities = [
        ClassPairs(of, classes, CANDIDATES, replace(plan, repeats=1), Workers(1)).probabilities(classes)
        for of in (data, replace(data, expression=changed))
    ]
    np.testing.assert_array_equal(probabilities[0][others], probabilities[1][others])
    assert np.any(probabilities[0][elsewhere] != probabilities[1][elsewhere])


def test_a_pair_s_models_are_the_same_whatever_subjects_of_other_classes_are_like(rng):
    classes = np.repeat([0, 1, 2], 5).astype(np.int8)
    data, split, plan = _data(rng, classes, shift=0.5), FoldsOfClasses(classes), SearchPlan(3, 2, 0, 7)
    changed = data.expression.copy()
    changed[classes == 2] = 100.0 * rng.normal(size=(5, changed.shape[1]))
    before, after = (
        Procedure(of, CANDIDATES, plan, Workers(1), split).observe(labels_of_pair(classes, (0, 1))).auto.decisions
        for of in (data, replace(data, expression=changed))
    )
    np.testing.assert_array_equal(before[:, classes != 2], after[:, classes != 2])
