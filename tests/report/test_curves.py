import numpy as np
import pytest

from responder_ml.evaluation.metrics import OutOfFold, auroc
from responder_ml.report.curves import average_precision_recall, average_roc
from responder_ml.report.subject_decisions import SubjectDecisions, subject_decisions


def decisions(labels, log_odds, folds):
    labels = np.asarray(labels, dtype=np.int8)
    subjects = np.array([f"s{i}" for i in range(len(labels))])
    return SubjectDecisions(
        subjects, labels, np.atleast_2d(np.asarray(log_odds, dtype=float)), np.atleast_2d(np.asarray(folds))
    )


def test_roc_of_one_fold_by_hand():
    # Ranking, best first: + - + -. One of two positives is found before any negative, both after the first.
    curve = average_roc(decisions([1, 0, 1, 0], [4, 3, 2, 1], [0, 0, 0, 0]))
    assert curve.y[curve.x < 0.5] == pytest.approx(0.5)
    assert curve.y[curve.x > 0.5] == pytest.approx(1.0)
    assert curve.area == pytest.approx(0.75)


def test_folds_count_by_their_pairs():
    # Fold 0 has 1 x 1 pairs, all wrong; fold 1 has 2 x 1, all right.
    curve = average_roc(decisions([1, 0, 1, 1, 0], [0, 1, 5, 4, 3], [0, 0, 1, 1, 1]))
    assert curve.area == pytest.approx(2 / 3)


def test_ties_count_half():
    assert average_roc(decisions([1, 0], [1, 1], [0, 0])).area == pytest.approx(0.5)


def test_a_fold_of_one_class_is_left_out():
    curve = average_roc(decisions([1, 1, 1, 0], [9, 9, 2, 1], [0, 0, 1, 1]))
    assert curve.area == pytest.approx(1.0)
    assert average_roc(decisions([1, 0], [1, 0], [0, 1])) is None
    assert average_precision_recall(decisions([1, 0], [1, 0], [0, 1])) is None


def test_a_constant_shift_of_a_folds_model_changes_nothing(rng):
    labels = np.array([1, 0, 1, 0, 1, 0, 0, 1])
    folds = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    log_odds = rng.normal(size=8)
    first, second = (
        average_roc(decisions(labels, log_odds, folds)),
        average_roc(decisions(labels, log_odds + 7 * folds, folds)),
    )
    np.testing.assert_allclose(first.y, second.y)


@pytest.mark.parametrize("name", ["typical_run", "one_candidate_run", "awkward_run"])
def test_the_area_is_the_headline(request, name):
    run = request.getfixturevalue(name)
    assert average_roc(subject_decisions(run)).area == pytest.approx(run.result.headline.auroc, abs=1e-9)


def test_the_area_is_the_auroc_within_folds_to_a_cell_for_any_fold_sizes(rng):
    labels = rng.permutation(np.repeat([1, 0], [23, 40])).astype(np.int8)
    folds = np.array([rng.integers(0, 4, 63) for _ in range(3)])
    log_odds = rng.normal(size=(3, 63)) + labels
    expected = auroc(OutOfFold(labels, log_odds, folds, np.zeros_like(log_odds)))
    assert average_roc(decisions(labels, log_odds, folds)).area == pytest.approx(expected, abs=1 / 240)


def test_precision_and_recall_by_hand():
    # + - + -: up to recall 1/2 no negative is called; from there on one of three calls is wrong at recall 1.
    curve = average_precision_recall(decisions([1, 0, 1, 0], [4, 3, 2, 1], [0, 0, 0, 0]))
    assert curve.y[curve.x < 0.49] == pytest.approx(1.0, abs=0.01)
    assert curve.y[-1] == pytest.approx(2 / 3, abs=0.01)


def test_guessing_has_the_precision_of_the_share_of_positives():
    curve = average_precision_recall(decisions([1, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]))
    assert curve.y == pytest.approx(0.25, abs=0.01)


def test_the_band_holds_the_middle_of_the_repeats():
    labels, folds = [1, 0], [[0, 0]] * 3
    curve = average_roc(decisions(labels, [[2, 1], [1, 2], [2, 1]], folds))
    assert curve.area == pytest.approx(2 / 3)
    assert curve.low == pytest.approx(np.quantile([1, 0, 1], 0.025))
    assert curve.high == pytest.approx(1.0)
