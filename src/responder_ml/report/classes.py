"""The page of a training of several classes: one answer, a row for every two classes, and the null of all of them."""

from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.errors import RunError, door
from responder_ml.records.classes import CLASSES_FOLDER, ClassesResult, ClassesRun
from responder_ml.records.files import replace_listed_file
from responder_ml.report.figures.forest import Row, forest
from responder_ml.report.figures.null_distribution import null_distribution
from responder_ml.report.references import Bibliography
from responder_ml.report.template import render
from responder_ml.report.words import spoken

_ANSWERS = {
    "evidence": "Yes: expression is related to the classes, more than shuffled labels are.",
    "no_evidence": "No: shuffled labels do as well.",
    "undecided": "It is not decided yet: more relabellings are needed.",
    "confounded": "Not by expression alone: a nuisance explains the difference.",
    "not_separable": "It cannot be told: classes and a nuisance are nearly the same in this design.",
    "underpowered": "It cannot be told: there are too few subjects for any result to count.",
    "not_tested": "It was not asked: nothing was tested.",
}


def render_classes(run: ClassesRun) -> str:
    """Return the page as HTML; it needs no other file."""
    result, works = run.result, Bibliography()
    for work in ("hand", "marcus", *(("wu",) if result.prediction else ())):
        works.cite(work)
    return render("classes.html", {
        "name": result.name,
        "simulated": result.simulated,
        "answer": _ANSWERS[result.level],
        "result": result,
        "pairs": [row.model_dump() for row in result.pairs],
        "forest": _forest(result),
        "null_figure": None if result.null is None else _null_figure(result, run.tables["null"]),
        "timing": describe_timing(result.taken),
        "works": works,
    })  # fmt: skip


def write_classes_page(run: ClassesRun, path: Path) -> None:
    """Write the page to a file, that of the folder itself or another.

    Raises
    ------
    RunError
        The training lacks what the page shows, or the file cannot be written.
    """
    # A folder without checksums may be read and still lack what the page needs.
    with door(
        RunError,
        f"The training {run.result.name} cannot be shown, it is damaged",
        "Use an intact copy, or train the job again.",
    ):
        page = render_classes(run)
    replace_listed_file(path, page, CLASSES_FOLDER.kind)


def _forest(result: ClassesResult) -> Markup:
    rows = [
        Row(
            f"{spoken(row.positive)} against {spoken(row.negative)}",
            float(row.auroc),
            row.auroc_low,
            row.auroc_high,
            row.verdict == "evidence",
        )
        for row in result.pairs
        if row.auroc is not None
    ]
    alt = "AUROC of each pair with 95 % interval: " + "; ".join(map(str, rows)) + "."
    words = ("AUROC, 95 % interval over subjects", "evidence after correction", "no evidence after correction")
    return forest("pairs", rows, words, alt)


def _null_figure(result: ClassesResult, null: pd.DataFrame) -> Markup:
    values = null["auroc"].to_numpy(dtype=np.float64)
    reaching = int(np.count_nonzero(values >= result.macro_auroc - 1e-9))
    mean = float(values.mean()) if len(values) else float("nan")
    return null_distribution(
        "null-classes", values, reaching, result.macro_auroc, mean, words="mean AUROC of the pairs"
    )
