"""The page of scores: what it says of the verdict, of each sample, and of what would have to be true."""

import re

import pandas as pd
import pytest

from responder_ml.report.score import MOST_ROWS, conditions, render_scores

CLASSES = ("responder", "non_responder")
HELD_OUT = (pd.Series([0.7, 0.9]).to_numpy(), pd.Series([0.1, 0.4]).to_numpy())


def _table(samples=3, **changes):
    rows = pd.DataFrame(
        {
            "sample": [f"s{index}" for index in range(samples)],
            "probability": 0.5,
            "probability_low": 0.2,
            "probability_high": 0.9,
            "predicted": "responder",
            "abstain": [index == 0 for index in range(samples)],
            "reason": ["library of 9 counts, below 10", *[""] * (samples - 1)],
            "flags": ["depth", *[""] * (samples - 1)],
            "nearest_training": "t1",
            "nearest_agreement": 0.57,
        }
    )
    summary = {
        "bundle": "pfc",
        "simulated": False,
        "verdict": "The verdict.",
        "verdict_level": "evidence",
        "worth": "What it is worth.",
        "limits": ["Mouse only."],
        "units": "counts",
        "samples": samples,
        "abstained": 1,
        "coverage": {"weight": 1.0, "genes": 0.9, "features": {}},
        "missing_genes": [],
        "missing": "impute",
        "by_order": None,
        "aligned_batches": None,
        "gene_map": None,
        "reading": [],
        "expected_auroc": {"all_genes": 0.9, "at_this_coverage": 0.88},
        "calibrated": True,
        "scale": "mean of all.",
        "assumed_share": 0.4,
        "training": [],
        "training_unknown": None,
        **changes,
    }
    rows.attrs["summary"] = summary
    return rows


def _answers(**changes):
    return {row["condition"]: row["answer"] for row in conditions(_table(**changes).attrs["summary"])}


def test_it_needs_nothing_else_and_says_the_verdict_first():
    html = render_scores(_table(), "new.csv", CLASSES, HELD_OUT)
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", html)
    assert html.index("What it is worth.") < html.index("The verdict.") < html.index("What would have to be true")
    assert "Mouse only." in html
    assert "<b>depth</b>: library of 9 counts" in html


@pytest.mark.parametrize(
    ("changes", "condition", "answer"),
    [
        ({}, "Training gave evidence", "yes"),
        ({"verdict_level": "no_evidence"}, "Training gave evidence", "no"),
        ({"verdict_level": "unknown"}, "Training gave evidence", "unknown"),
        ({}, "The samples are like", "no"),
        ({"abstained": 0}, "The samples are like", "yes"),
        ({"training": ["s0"]}, "The samples are like", "yes"),
        ({"training": ["s0"]}, "No sample was in training", "no"),
        ({"training_unknown": "Too few genes."}, "No sample was in training", "unknown"),
        ({"coverage": {"weight": 0.9, "genes": 0.9}}, "The file has the genes", "no"),
        ({}, "Held-out training subjects", "yes"),
        ({"expected_auroc": {"all_genes": 0.9, "at_this_coverage": 0.7}}, "Held-out training subjects", "no"),
        ({"calibrated": False}, "The probabilities are calibrated", "no"),
        ({}, "Labels of these samples", "unknown"),
        ({"labels": {"why_not": "No column."}}, "Labels of these samples", "unknown"),
    ],
)
def test_each_condition_is_answered_by_the_summary(changes, condition, answer):
    assert next(value for name, value in _answers(**changes).items() if name.startswith(condition)) == answer


@pytest.mark.parametrize(("interval", "answer"), [((0.6, 0.9), "yes"), ((0.4, 0.9), "unknown"), ((0.1, 0.4), "no")])
def test_labels_agree_only_where_the_interval_leaves_chance_out(interval, answer):
    evaluation = {"auroc": 0.7, "auroc_ci": interval, "subjects": 9, "positive": 4, "negative": 5}
    answers = _answers(labels={"why_not": ""}, evaluation=evaluation)
    assert answers["Labels of these samples agree with the scores"] == answer


def test_names_from_files_are_escaped():
    table = _table()
    table.loc[1, "sample"] = "<script>alert(1)</script>"
    assert "<script>alert" not in render_scores(table, "<b>.csv", CLASSES, HELD_OUT)


def test_of_very_many_samples_the_first_are_shown_and_the_others_counted():
    html = render_scores(_table(MOST_ROWS + 7), "new.csv", CLASSES, ())
    assert html.count("<tr") < MOST_ROWS + 60
    assert "7</data> more" in html
