"""Scores of new samples compared with their labels: the subject is the unit, and a sheet that cannot be used is refused."""

import numpy as np
import pandas as pd
import pytest

from responder_ml.errors import SampleSheetError
from responder_ml.evaluation.external_validation import evaluate_scores

CLASSES = ("responder", "non_responder")


@pytest.fixture
def table(rng):
    """Log-odds of 24 samples of 12 subjects."""
    names = [f"s{index}" for index in range(24)]
    return pd.DataFrame({"sample": names, "log_odds": rng.normal(size=24), "abstain": [True] * 3 + [False] * 21})


@pytest.fixture
def sheet(table):
    """Two samples of each subject, six subjects of each class."""
    subjects = [f"m{index // 2}" for index in range(24)]
    return table[["sample"]].assign(subject=subjects, response=[CLASSES[index // 2 % 2] for index in range(24)])


def _evaluate(table, sheet, tmp_path, threshold=0.0):
    sheet.to_csv(tmp_path / "sheet.csv", index=False)
    return evaluate_scores(table, tmp_path / "sheet.csv", "response", CLASSES, threshold)


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


@pytest.mark.parametrize(
    "change", [lambda sheet: sheet.drop(columns="response"), lambda sheet: sheet.assign(response="responder")]
)
def test_a_sheet_without_both_classes_evaluates_nothing(change, table, sheet, tmp_path):
    assert _evaluate(table, change(sheet), tmp_path) is None
