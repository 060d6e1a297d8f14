"""The page of a transfer: the matrix as a map with numbers, and every pair with its null."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from responder_ml.cohort.tissue_taken import TissueTaken, describe_timing
from responder_ml.evaluation.transfer import TransferRow
from responder_ml.report.figures.palette import shade_auroc
from responder_ml.report.references import Bibliography
from responder_ml.report.template import render

_LEVEL = 0.05


def render_transfer(
    name: str,
    question: str,
    between: str,
    rows: Sequence[TransferRow],
    notes: Sequence[str],
    simulated: bool,
    taken: TissueTaken = "unknown",
) -> str:
    """Return the page as HTML; it needs no other file.

    Parameters
    ----------
    name
        Of the job.
    question
        The two classes in words.
    between
        What distinguishes the cohorts: a column, or ``job``.
    rows
        One per pair of cohorts.
    notes
        What was left out, and why.
    simulated
        Whether any cohort is simulated.
    taken
        Whether tissue was taken before or after the outcome was known.
    """
    names = list(dict.fromkeys(row.train for row in rows))
    cells = {(row.train, row.test): _cell(row) for row in rows}
    works = Bibliography()
    works.cite("lai")
    return render("transfer.html", {
        "name": name,
        "question": question,
        "between": between,
        "columns": names,
        "map": [{"title": train, "cells": [cells[train, test] for test in names]} for train in names],
        "rows": [asdict(row) for row in rows],
        "notes": notes,
        "level": _LEVEL,
        "works": works,
        "simulated": simulated,
        "timing": describe_timing(taken),
    })  # fmt: skip


def _cell(row: TransferRow) -> Mapping[str, Any]:
    own = row.train == row.test
    decisive = row.p_value if own else row.p_holm
    return {
        **asdict(row),
        "own": own,
        "swatch": shade_auroc(row.auroc),
        "called": decisive < _LEVEL,
    }
