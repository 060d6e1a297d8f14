"""The page of scores: what they are worth, where they lie, each sample with its reasons, and what must be true to believe them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.records.files import write_text
from responder_ml.report.figures.score_distribution import score_distribution
from responder_ml.report.template import render
from responder_ml.report.verdict import NAMES

MOST_ROWS = 2000
"""Samples shown; the table that `score` writes has all of them."""
_MOST_GENES = 50


def render_scores(table: pd.DataFrame, source: str, classes: tuple[str, str], held_out: Sequence[Floats]) -> str:
    """Return the page as HTML; it needs no other file.

    Parameters
    ----------
    table
        Of `responder_ml.score.score`, with its summary.
    source
        Name of the expression file.
    classes
        Names of the positive and of the negative class.
    held_out
        Held-out probabilities of the training subjects of either class; empty where the bundle has none.
    """
    summary = table.attrs["summary"]
    level = summary["verdict_level"]
    return render("score.html", {
        "source": source,
        "summary": summary,
        "level": level,
        "level_name": NAMES.get(level, "Verdict unknown"),
        "positive": classes[0],
        "negative": classes[1],
        "conditions": conditions(summary),
        "figure": score_distribution(table["probability"].to_numpy(), held_out, *classes),
        "held_out": bool(held_out),
        "rows": table.head(MOST_ROWS).to_dict("records"),
        "hidden": max(len(table) - MOST_ROWS, 0),
        "has_interval": "probability_low" in table,
        "has_nearest": bool(table["nearest_agreement"].notna().any()),
        "flags": count_flags(table),
        "missing_genes": summary["missing_genes"][:_MOST_GENES],
        "more_missing": max(len(summary["missing_genes"]) - _MOST_GENES, 0),
        "simulated": summary["simulated"],
    })  # fmt: skip


def write_scores_page(
    table: pd.DataFrame, path: Path, source: str, classes: tuple[str, str], held_out: Sequence[Floats]
) -> None:
    """Write the page; parameters as for `render_scores`.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    write_text(path, render_scores(table, source, classes, held_out))


def conditions(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what would have to be true to believe the scores, and whether it is: ``yes``, ``no`` or ``unknown``."""
    samples, training = summary["samples"], len(summary["training"])
    flagged = summary["abstained"] - training
    coverage, expected, labels = summary["coverage"], summary["expected_auroc"], summary.get("labels")
    level = summary["verdict_level"]
    evident = _answer(level == "evidence", level != "unknown")
    rows = [
        ("Training gave evidence that the classes can be told apart", evident, summary["worth"]),
        (
            "The samples are like those of training",
            _answer(flagged <= 0, known=True),
            f"{samples - max(flagged, 0)} of {samples} cross no limit of similarity, features, depth or markers.",
        ),
        (
            "No sample was in training",
            _answer(training == 0, summary["training_unknown"] is None),
            summary["training_unknown"] or f"{training} of {samples} have the expression of a training sample.",
        ),
        (
            "The file has the genes of the model",
            _answer(coverage["weight"] == 1.0, known=True),
            f"{coverage['weight']:.0%} of the weight of its features, {coverage['genes']:.0%} of the training genes.",
        ),
        (
            "The probabilities are calibrated",
            _answer(summary["calibrated"], known=True),
            f"They are of the {summary['scale']}",
        ),
        (
            "The share of positives is as assumed",
            _answer(holds=False, known=False),
            f"Assumed are {summary['assumed_share']:.0%}; another share is set with --prior.",
        ),
        (
            "Labels of these samples agree with the scores",
            *_agreement(summary.get("evaluation"), labels),
        ),
    ]  # fmt: skip
    if isinstance(expected, Mapping):
        words = f"AUROC {expected['at_this_coverage']:.2f} with the genes of this file, {expected['all_genes']:.2f} with all."
        enough = expected["at_this_coverage"] >= expected["all_genes"] - _LOSS
        rows.insert(
            4, ("Held-out training subjects are told apart with these genes, too", _answer(enough, known=True), words)
        )
    return [{"condition": condition, "answer": answer, "why": why} for condition, answer, why in rows]


# Of the AUROC, which missing genes may cost before it is remarked on.
_LOSS = 0.05


def _answer(holds: bool, known: bool) -> str:
    return ("yes" if holds else "no") if known else "unknown"


def _agreement(evaluation: Mapping[str, Any] | None, labels: Mapping[str, Any] | None) -> tuple[str, str]:
    if labels is None:
        return "unknown", "No sample sheet was given."
    if evaluation is None:
        return "unknown", labels["why_not"]
    low, high = evaluation["auroc_ci"]
    words = (
        f"AUROC {evaluation['auroc']:.2f} (95 % interval {low:.2f} to {high:.2f}) over {evaluation['subjects']} subjects, "
        f"{evaluation['positive']} positive and {evaluation['negative']} negative."
    )
    return _answer(low > _CHANCE, known=low > _CHANCE or high < _CHANCE), words


_CHANCE = 0.5


def count_flags(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Return each flag with the number of samples that have it, the most frequent first."""
    flags = table["flags"].str.split("|").explode()
    names, counts = np.unique(flags[flags != ""].to_numpy(dtype=str), return_counts=True)
    return sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda entry: -entry[1])
