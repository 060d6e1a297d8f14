"""Several classes, two by two: each pair is the ordinary procedure of its own subjects, and knows nothing of the others."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.errors import EndpointError
from responder_ml.evaluation.class_pairs import ClassPairs, labels_of_pair, pairs_of
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.permutation import NullPlan, run_null
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.splits import NEITHER, count_classes
from responder_ml.search.workers import Workers

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
