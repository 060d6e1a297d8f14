"""Predicted classes, counted and compared with the labels of new samples."""

import numpy as np
import pandas as pd
import pytest

from responder_ml.evaluation.class_predictions import (
    count_predictions,
    evaluate_classes,
    prediction_columns,
    probability_names,
)

NAMES = ("a", "b", "c")


def _table(probabilities, flags=None):
    names = [f"s{row}" for row in range(len(probabilities))]
    columns = prediction_columns(NAMES, np.asarray(probabilities))
    return pd.DataFrame({"sample": names, "flags": flags or [""] * len(names), **columns})


def _sheet(labels, **columns):
    return pd.DataFrame({"sample": [f"s{row}" for row in range(len(labels))], "class": labels, **columns})


CERTAIN = np.eye(3)[[0, 1, 2, 0, 1, 2]] * 0.9 + 1 / 30


def test_columns_and_ties_go_to_the_first_class():
    columns = prediction_columns(NAMES, np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]]))
    assert list(columns) == [*probability_names(NAMES), "predicted"]
    assert columns["predicted"].tolist() == ["b", "a"]


def test_counts_by_hand():
    counted = count_predictions(list("aabbbc"), list("abbbac"), NAMES)
    assert counted["confusion"] == [[1, 1, 0], [1, 2, 0], [0, 0, 1]]
    assert counted["balanced_accuracy"] == pytest.approx((1 / 2 + 2 / 3 + 1) / 3)


def test_subjects_are_the_unit():
    # Two samples of one animal: their mean decides, and it counts once.
    probabilities = [[0.6, 0.4, 0.0], [0.1, 0.9, 0.0], [0.0, 0.8, 0.2], [0.0, 0.0, 1.0]]
    sheet = _sheet(list("aabc"), subject=["m1", "m1", "m2", "m3"])
    evaluation, labels = evaluate_classes(_table(probabilities), sheet, "sheet", "class", NAMES)
    assert evaluation["subjects"] == 3
    assert evaluation["confusion"] == [[0, 1, 0], [0, 1, 0], [0, 0, 1]]
    low, high = evaluation["balanced_accuracy_ci"]
    assert low < evaluation["balanced_accuracy"] < high
    assert labels == {"notes": [], "why_not": ""}


def test_training_samples_their_subjects_and_other_labels_take_no_part():
    sheet = _sheet([*"abcabx"], subject=["m1", "m2", "m3", "m1", "m4", "m5"])
    table = _table(CERTAIN, ["training|distance", "", "", "", "", ""])
    evaluation, labels = evaluate_classes(table, sheet, "sheet", "class", NAMES)
    assert evaluation is None
    assert "none is of 'a'" in labels["why_not"]
    assert labels["notes"] == [
        "2 sample(s) are in training, or of a subject that was, and are left out.",
        "1 sample(s) are of no class in 'class', and are left out.",
    ]


def test_without_labels_nothing_is_compared():
    evaluation, labels = evaluate_classes(_table(CERTAIN), _sheet(list("abcabc")), "sheet", "phenotype", NAMES)
    assert evaluation is None
    assert "no column 'phenotype'" in labels["why_not"]


def test_classes_that_look_like_numbers():
    names = ("1", "2", "3")
    table = pd.DataFrame({
        "sample": ["s0", "s1", "s2"], "flags": "", **prediction_columns(names, np.eye(3))
    })  # fmt: skip
    evaluation, _ = evaluate_classes(table, _sheet(["1", "2", "3"]), "sheet", "class", names)
    assert evaluation["balanced_accuracy"] == 1.0
