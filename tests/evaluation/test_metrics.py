"""Performance of out-of-fold decisions, against numbers by hand."""

import numpy as np
import pytest

from responder_ml.evaluation.metrics import (
    Concordance,
    OutOfFold,
    auroc,
    balanced_accuracy,
    brier,
    by_subject,
    concordance,
    confusion,
    fold_aurocs,
    matthews,
)

# Four positives, three of them called; six negatives, four of them not called.
LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], dtype=np.int8)
DECISIONS = np.array([[2.0, 1.0, 3.0, -1.0, 1.5, 0.5, -1.0, -2.0, -3.0, -4.0]])


def _called(decisions, labels=LABELS, thresholds=0.0, folds=0):
    decisions = np.atleast_2d(decisions)
    return OutOfFold(labels, decisions, np.full(decisions.shape, folds), np.full(decisions.shape, thresholds))


def test_confusion_by_hand():
    cells = confusion(_called(DECISIONS))
    counts = (cells.true_positive, cells.false_negative, cells.true_negative, cells.false_positive)
    assert [count.tolist() for count in counts] == [[3], [1], [4], [2]]


def test_balanced_accuracy_is_the_mean_of_sensitivity_and_specificity():
    # Sensitivity 3 / 4, specificity 4 / 6.
    assert balanced_accuracy(_called(DECISIONS)) == pytest.approx((3 / 4 + 4 / 6) / 2)
    assert balanced_accuracy(_called(np.ones(10))) == 0.5
    assert balanced_accuracy(_called(-np.ones(10))) == 0.5


def test_matthews_correlation_by_hand():
    # (3 x 4 - 2 x 1) / sqrt((3 + 2) (3 + 1) (4 + 2) (4 + 1)).
    assert matthews(_called(DECISIONS)) == pytest.approx(10 / np.sqrt(600))
    assert matthews(_called(np.ones(10))) == 0.0


def test_matthews_correlation_of_right_and_wrong_calls_is_one_and_minus_one():
    assert matthews(_called(LABELS - 0.5)) == pytest.approx(1.0)
    assert matthews(_called(0.5 - LABELS)) == pytest.approx(-1.0)


def test_classes_are_called_above_each_subjects_own_cut_off_and_repeats_are_averaged():
    decisions = np.stack([DECISIONS[0], DECISIONS[0]])
    cuts = np.stack([np.zeros(10), np.full(10, 10.0)])
    both = OutOfFold(LABELS, decisions, np.zeros((2, 10), dtype=int), cuts)
    assert balanced_accuracy(both) == pytest.approx(((3 / 4 + 4 / 6) / 2 + 0.5) / 2)
    assert matthews(both) == pytest.approx(10 / np.sqrt(600) / 2)
    # A decision at the cut-off is not above it.
    assert confusion(_called(np.zeros(10))).true_positive.tolist() == [0]


def test_brier_by_hand():
    # Probabilities 1/2 and 3/4, labels 0 and 1: (1/4 + 1/16) / 2.
    labels = np.array([0, 1], dtype=np.int8)
    assert brier(_called([0.0, np.log(3)], labels)) == pytest.approx(5 / 32)


def test_auroc_compares_subjects_of_one_fold_only_and_ties_count_half():
    labels = np.array([1, 0, 1, 0, 0], dtype=np.int8)
    decisions = np.array([[1.0, 2.0, 5.0, 5.0, 3.0]])
    apart = OutOfFold(labels, decisions, np.array([[0, 0, 1, 1, 1]]), np.zeros((1, 5)))
    # Fold 0: wrong; fold 1: a tie and a right pair.
    assert auroc(apart) == pytest.approx(1.5 / 3)
    np.testing.assert_allclose(fold_aurocs(apart), [[0.0, 0.75]])
    # In one fold: 1 against 2, 5, 3 and 5 against 2, 5, 3.
    assert auroc(OutOfFold(labels, decisions, np.zeros((1, 5), dtype=int), np.zeros((1, 5)))) == pytest.approx(2.5 / 6)


def test_a_fold_with_one_class_has_no_auroc():
    labels = np.array([1, 0, 1, 1], dtype=np.int8)
    one = OutOfFold(labels, np.array([[2.0, 1.0, 0.0, 1.0]]), np.array([[0, 0, 1, 1]]), np.zeros((1, 4)))
    np.testing.assert_array_equal(fold_aurocs(one), [[1.0, np.nan]])
    assert auroc(one) == 1.0


def test_weights_count_subjects_as_often_as_they_are_drawn():
    table = Concordance(np.array([[1.0, 0.0], [1.0, 1.0]]), np.ones((2, 2)))
    assert table.auroc() == pytest.approx(3 / 4)
    assert table.auroc(np.array([2.0, 0.0]), np.array([1.0, 1.0])) == pytest.approx(2 / 4)
    assert np.isnan(table.auroc(np.zeros(2), np.ones(2)))


def test_samples_of_a_subject_are_averaged():
    np.testing.assert_allclose(by_subject(np.array([[1.0, 3.0, 5.0]]), np.array([1, 1, 0]), 2), [[5.0, 2.0]])


@pytest.mark.parametrize("folds", [2, 7, 150])
@pytest.mark.parametrize("positives", [3, 75, 150])
def test_auroc_of_many_subjects_is_the_share_of_pairs_within_folds(rng, folds, positives):
    labels = rng.permutation(np.arange(150) < positives).astype(np.int8)
    decisions = np.round(rng.normal(size=(3, 150)), 1)
    out_of_fold = OutOfFold(labels, decisions, rng.integers(0, folds, size=(3, 150)), np.zeros((3, 150)))
    np.testing.assert_equal(auroc(out_of_fold), float(concordance(out_of_fold).auroc()))
