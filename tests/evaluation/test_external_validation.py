"""Scores of new samples compared with their labels: the subject is the unit, and a sheet that cannot be used is refused."""

import numpy as np
import pandas as pd
import pytest

from responder_ml.cohort.behaviour_rule import BehaviourRule
from responder_ml.errors import SampleSheetError
from responder_ml.evaluation.external_validation import Classes, evaluate_scores, read_sheet_of_samples

CLASSES = ("responder", "non_responder")
RESPONSE = Classes("response", *CLASSES)


@pytest.fixture
def table(rng):
    """Log-odds of 24 samples of 12 subjects."""
    names = [f"s{index}" for index in range(24)]
    return pd.DataFrame(
        {"sample": names, "log_odds": rng.normal(size=24), "abstain": [True] * 3 + [False] * 21, "flags": ""}
    )


@pytest.fixture
def sheet(table):
    """Two samples of each subject, six subjects of each class."""
    subjects = [f"m{index // 2}" for index in range(24)]
    return table[["sample"]].assign(subject=subjects, response=[CLASSES[index // 2 % 2] for index in range(24)])


def _compare(table, sheet, tmp_path, classes=RESPONSE, threshold=0.0, known=None, columns=None):
    sheet.to_csv(tmp_path / "sheet.csv", index=False)
    read = read_sheet_of_samples(tmp_path / "sheet.csv", known or {}, columns or {})
    return evaluate_scores(table, read, "sheet.csv", classes, threshold)


def _evaluate(table, sheet, tmp_path, threshold=0.0):
    return _compare(table, sheet, tmp_path, threshold=threshold)[0]


def test_the_subject_is_the_unit(table, sheet, tmp_path):
    evaluation = _evaluate(table, sheet, tmp_path, threshold=0.2)
    means = sheet.assign(log_odds=table["log_odds"]).groupby("subject").agg({"log_odds": "mean", "response": "first"})
    high = means["log_odds"][means["response"] == "responder"].to_numpy()
    low = means["log_odds"][means["response"] != "responder"].to_numpy()
    assert (evaluation["samples"], evaluation["subjects"], evaluation["abstained"]) == (24, 12, 3)
    assert (evaluation["positive"], evaluation["negative"]) == (6, 6)
    assert evaluation["auroc"] == pytest.approx(np.mean(high[:, None] > low[None, :]))
    assert evaluation["auroc_ci"][0] <= evaluation["auroc"] <= evaluation["auroc_ci"][1]
    assert evaluation["accuracy"] == pytest.approx(np.mean(np.concatenate([high > 0.2, low <= 0.2])))
    assert evaluation["balanced_accuracy"] == pytest.approx((np.mean(high > 0.2) + np.mean(low <= 0.2)) / 2)
    probability = 1 / (1 + np.exp(-means["log_odds"]))
    assert evaluation["brier"] == pytest.approx(np.mean((probability - (means["response"] == "responder")) ** 2))


def test_samples_of_other_classes_and_samples_not_scored_take_no_part(table, sheet, tmp_path):
    expected = _evaluate(table, sheet, tmp_path)
    others = sheet.iloc[:2].assign(sample=["x0", "x1"])
    unlabelled = table.iloc[:1].assign(sample="s99", log_odds=9.0)
    healthy = sheet.iloc[:1].assign(sample="s99", subject="m99", response="healthy")
    wider = pd.concat([sheet, others, healthy])
    assert _evaluate(pd.concat([table, unlabelled]), wider, tmp_path) == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda sheet: sheet.assign(sample="x" + sheet["sample"]), "None of the 24"),
        (lambda sheet: sheet.assign(subject="m1"), "both classes"),
        (lambda sheet: sheet.drop(columns="sample"), "sample"),
        (lambda sheet: sheet.assign(sample="s1"), "more than once"),
    ],
)
def test_a_sheet_that_cannot_be_used_is_refused(change, words, table, sheet, tmp_path):
    with pytest.raises(SampleSheetError, match=words):
        _evaluate(table, change(sheet), tmp_path)


def test_a_share_of_few_subjects_has_a_wide_interval(table, sheet, tmp_path):
    evaluation = _evaluate(
        table.assign(log_odds=np.where(sheet["response"] == "responder", 1.0, -1.0)), sheet, tmp_path
    )
    assert evaluation["accuracy"] == evaluation["balanced_accuracy"] == 1.0
    # Wilson by hand for 12 of 12, z = 1.96: 12 / (12 + z^2).
    assert evaluation["accuracy_ci"] == pytest.approx([12 / (12 + 1.959964**2), 1.0], abs=1e-6)
    low = 6 / (6 + 1.959964**2)
    assert evaluation["balanced_accuracy_ci"] == pytest.approx([1 - np.sqrt(2) * (1 - low) / 2, 1.0], abs=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda sheet: sheet.drop(columns="response"), "no column 'response' with the classes; it has subject"),
        (lambda sheet: sheet.assign(response="responder"), "24 of 'responder' and 0 of 'non_responder'"),
        (lambda sheet: sheet.assign(response="?"), "0 of 'responder' and 0 of 'non_responder'"),
    ],
)
def test_a_sheet_that_allows_no_comparison_says_why(change, words, table, sheet, tmp_path):
    evaluation, match = _compare(table, change(sheet), tmp_path)
    assert evaluation is None
    assert words in match.why_not


def test_labels_and_rows_that_take_no_part_are_counted_and_named(table, sheet, tmp_path):
    odd = sheet.assign(response=[*sheet["response"][:20], "Non-Responder", "control", "N\u043en responder", ""])
    odd = pd.concat([odd.iloc[1:], odd.iloc[:1].assign(sample="x1")])
    evaluation, match = _compare(table, odd, tmp_path)
    assert evaluation["samples"] == 19
    assert match.matched == 23
    assert match.other_labels == {"Non-Responder": 1, "control": 1, "N\u043en responder": 1, "(empty)": 1}
    assert match.misspelt == ["Non-Responder", "N\u043en responder"]
    assert match.not_in_sheet == (1, ["s0"])
    assert match.not_scored == (1, ["x1"])
    said = " ".join(match.sentences())
    for words in ("'s0'", "'x1'", "'control' (1)", "differ from a class only by case"):
        assert words in said


def test_training_samples_take_no_part_and_are_named(table, sheet, tmp_path):
    # One sample of the first subject and one of the second were in training: their other samples are of the same animals.
    flagged = table.assign(flags=["training", "", "", "distance|training", *[""] * 20])
    evaluation, match = _compare(flagged, sheet, tmp_path)
    assert match.training == ["s0", "s1", "s2", "s3"]
    assert evaluation == _evaluate(table.iloc[4:], sheet, tmp_path)
    assert "were in training" in " ".join(match.sentences())


def test_subjects_that_have_the_name_of_a_training_subject_are_told_of(table, sheet, tmp_path):
    sheet.to_csv(tmp_path / "sheet.csv", index=False)
    read = read_sheet_of_samples(tmp_path / "sheet.csv", {}, {})
    _, match = evaluate_scores(table, read, "sheet.csv", RESPONSE, 0.0, ["m3", "m99"])
    assert match.same_names == ["m3"]
    assert "'m3'. If they are the same animals" in " ".join(match.sentences())


def test_the_names_of_the_job_are_known_and_the_users_come_first(table, sheet, tmp_path):
    expected = _evaluate(table, sheet, tmp_path)
    known = {"sample": "library", "subject": "mouse", "response": "outcome"}
    renamed = sheet.rename(columns=known)
    evaluation, match = _compare(table, renamed, tmp_path, known=known)
    assert evaluation == expected
    assert match.own_subjects is False
    partly = _compare(table, sheet.rename(columns={"subject": "mouse"}), tmp_path, known=known)
    assert partly[0] == expected
    again = _compare(table, renamed, tmp_path, columns=known)
    assert again[0] == expected
    wrong = sheet.assign(mouse=[f"w{index // 4}" for index in range(24)])
    assert _compare(table, wrong, tmp_path, columns={"subject": "subject"}, known=known)[0] == expected
    with pytest.raises(SampleSheetError, match="no column 'animal'"):
        _compare(table, sheet, tmp_path, columns={"subject": "animal"})


def test_without_subjects_each_sample_is_one_and_that_is_said(table, sheet, tmp_path):
    evaluation, match = _compare(table, sheet.drop(columns="subject"), tmp_path)
    assert evaluation["subjects"] == 24
    assert "subject of its own" in " ".join(match.sentences())


def test_a_class_of_several_values_is_one(table, sheet, tmp_path):
    expected = _evaluate(table, sheet, tmp_path)
    words = sheet.assign(
        response=[
            {"responder": "CR" if index % 3 else "PR"}.get(value, value)
            for index, value in enumerate(sheet["response"])
        ]
    )
    endpoint = {"column": "response", "positive": "responder", "negative": CLASSES[1], "positive_values": ["CR", "PR"]}
    assert _compare(table, words, tmp_path, Classes.of_endpoint(endpoint))[0] == expected
    rule = {"column": "ratio", "cut": 1.0, "margin": 0.0, "above": "positive"}
    assert Classes.of_endpoint({**endpoint, "rule": rule}).rule == BehaviourRule(1.0)


def test_classes_cut_from_a_measured_behaviour_are_cut_again(table, sheet, tmp_path):
    expected = _evaluate(table, sheet, tmp_path)
    ratio = np.where(sheet["response"] == "responder", 1.4, 0.3)
    measured = sheet.drop(columns="response").assign(ratio=ratio)
    classes = Classes("ratio_class", *CLASSES, "ratio", BehaviourRule(1.0))
    assert _compare(table, measured, tmp_path, classes)[0] == expected
