"""The page of scores of several classes: what they are worth, each sample's probabilities, and how they agree with labels."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from responder_ml.evaluation.class_predictions import probability_names
from responder_ml.records.files import write_text
from responder_ml.report.score import MOST_ROWS, count_flags
from responder_ml.report.template import render
from responder_ml.report.verdict import NAMES


def render_class_scores(table: pd.DataFrame, source: str, classes: Sequence[str]) -> str:
    """Return the page as HTML; it needs no other file.

    Parameters
    ----------
    table
        Of `responder_ml.score_classes.score_classes`, with its summary.
    source
        Name of the expression file.
    classes
        Names of the classes.
    """
    summary = table.attrs["summary"]
    return render("class_scores.html", {
        "source": source,
        "summary": summary,
        "simulated": summary["simulated"],
        "level_name": NAMES.get(summary["verdict_level"], "Verdict unknown"),
        "classes": classes,
        "probabilities": probability_names(classes),
        "rows": table.head(MOST_ROWS).to_dict("records"),
        "hidden": max(len(table) - MOST_ROWS, 0),
        "flags": count_flags(table),
    })  # fmt: skip


def write_class_scores_page(table: pd.DataFrame, path: Path, source: str, classes: Sequence[str]) -> None:
    """Write the page; parameters as for `render_class_scores`.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    write_text(path, render_class_scores(table, source, classes))
