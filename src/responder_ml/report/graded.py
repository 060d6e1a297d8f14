"""The page of a training on a graded outcome: the answer, predicted against observed, the null, genes and nuisances."""

from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.errors import RunError, door
from responder_ml.records.files import replace_listed_file
from responder_ml.records.graded import GRADED_FOLDER, GradedRecord, GradedRun
from responder_ml.report.figures.forest import Row, forest
from responder_ml.report.figures.gene_bars import gene_bars
from responder_ml.report.figures.null_distribution import null_distribution
from responder_ml.report.figures.outcome_scatter import outcome_scatter
from responder_ml.report.references import Bibliography
from responder_ml.report.template import render
from responder_ml.report.words import spoken
from responder_ml.search.candidate import AUTO

_ANSWERS = {
    "evidence": "Yes: expression predicts the order of {column}, better than after shuffling it.",
    "no_evidence": "No: shuffled values are predicted as well.",
    "undecided": "It is not decided yet: more relabellings are needed.",
    "confounded": "Not by expression alone: a nuisance may explain it.",
    "not_separable": "It cannot be told: in this design {column} and a nuisance go together.",
    "underpowered": "It cannot be told: there are too few subjects for any result to count.",
    "not_tested": "It was not asked: nothing was tested.",
}
_BARS, _TABLE = 20, 40


def render_graded(run: GradedRun) -> str:
    """Return the page as HTML; it needs no other file."""
    result, works = run.result, Bibliography()
    for work in ("harrell", "ojala", "lai", "shap", *(["berrett"] if result.links else [])):
        works.cite(work)
    genes = run.tables["genes"]
    genes = genes[genes["contribution"] > 0]
    predictions = run.tables["predictions"].pivot(index="repeat", columns="subject", values="prediction")
    outcome = run.tables["predictions"].drop_duplicates("subject").set_index("subject")["outcome"]
    column = spoken(result.outcome.column)
    return render("graded.html", {
        "name": result.name,
        "simulated": result.simulated,
        "answer": _ANSWERS.get(result.verdict.level, "").format(column=column),
        "column": column,
        "result": result,
        "scatter": outcome_scatter(
            column, outcome[predictions.columns].to_numpy(np.float64), predictions.to_numpy(np.float64)
        ),
        "candidates": [
            {"name": AUTO, **result.headline.model_dump(), "chosen_share": None},
            *(candidate.model_dump() for candidate in result.candidates),
        ],
        "forest": _forest(result),
        "null_figure": None if result.null is None else _null_figure(result, run.tables["null"]),
        "nuisances": run.tables["nuisances"].to_dict("records"),
        "bars": _gene_bars(genes.head(_BARS), column) if len(genes) else None,
        "genes": genes.head(_TABLE).to_dict("records"),
        "genes_total": len(genes),
        "timing": describe_timing(result.taken),
        "works": works,
    })  # fmt: skip


def write_graded_page(run: GradedRun, path: Path) -> None:
    """Write the page to a file, that of the folder itself or another.

    Raises
    ------
    RunError
        The run lacks what the page shows, or the file cannot be written.
    """
    # A run without checksums may be read and still lack what a figure needs.
    with door(
        RunError, f"{run.result.name} cannot be shown, it is damaged", "Use an intact copy, or train the job again."
    ):
        page = render_graded(run)
    replace_listed_file(path, page, GRADED_FOLDER.kind)


def _gene_bars(genes: pd.DataFrame, column: str) -> Markup:
    return gene_bars(genes.assign(called_out=0), f"high {column}", f"low {column}", unit=column)


def _forest(result: GradedRecord) -> Markup:
    rows = [
        Row(spoken(name), float(part.concordance), *part.concordance_ci, name == AUTO)
        for name, part in ((AUTO, result.headline), *((one.name, one) for one in result.candidates))
        if part.concordance is not None
    ]
    alt = (
        "Concordance of the whole procedure and of each candidate with 95 % interval: "
        + "; ".join(map(str, rows))
        + "."
    )
    words = ("concordance, 95 % interval over subjects", "whole procedure (auto)", "candidate by itself")
    return forest("candidates", rows, words, alt)


def _null_figure(result: GradedRecord, null: pd.DataFrame) -> Markup:
    values = null.loc[null["kind"] == "unconditional", "concordance"].dropna().to_numpy(dtype=np.float64)
    observed = float("nan") if result.headline.concordance is None else float(result.headline.concordance)
    reaching = int(np.count_nonzero(values >= observed - 1e-9))
    mean = float(values.mean()) if len(values) else float("nan")
    return null_distribution(
        "null-outcome", values, reaching, observed, mean, words="concordance of the whole procedure"
    )
