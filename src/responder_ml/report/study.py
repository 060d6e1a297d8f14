"""The page of a study: its conclusion, a map of the jobs, and what transfers to other regions and subsets."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.records.study import Study
from responder_ml.report.figures.forest import Row, forest
from responder_ml.report.figures.palette import shade_auroc
from responder_ml.report.numbers import is_missing
from responder_ml.report.references import Bibliography
from responder_ml.report.template import render


def render_study(study: Study) -> str:
    """Return the overview as HTML; it needs no other file.

    Parameters
    ----------
    study
        The study.
    """
    works = Bibliography()
    works.cite("westfall")
    works.cite("nadeau")
    jobs = study.tables["jobs"]
    return render("study.html", {
        "name": study.name,
        "simulated": study.result.simulated,
        "answer": _answer(int((jobs["verdict"] == "evidence").sum()), len(jobs)),
        "sentence": study.result.sentence,
        "timing": describe_timing(study.result.taken),
        "correction": study.result.correction,
        "labellings": _format_labellings(int(study.result.correction.labellings)),
        "any_evidence": bool((jobs["verdict"] == "evidence").any()),
        "map": job_map(jobs),
        "jobs": jobs.to_dict("records"),
        "figure": _forest(jobs),
        "transfers": transfer_maps(study.tables["transfer"]),
        "fusion": study.tables["fusion"].to_dict("records"),
        "fused": study.result.fused,
        "seed": study.result.seed,
        "works": works,
    })  # fmt: skip


def _answer(with_evidence: int, jobs: int) -> str:
    """Return what the study found in one plain sentence."""
    if with_evidence:
        return f"Yes, in {with_evidence} of {jobs} jobs: there expression does better than shuffled labels, all jobs considered."
    return f"No: in none of {jobs} jobs does expression do better than shuffled labels, all jobs considered."


def job_map(jobs: pd.DataFrame) -> dict[str, Any]:
    """Return the map of jobs: a row per endpoint and subset, a column per region, a coloured cell per job."""
    titles = jobs["endpoint"].where(jobs["subset"] == "all", jobs["endpoint"] + ", " + jobs["subset"])
    regions = jobs["region"].drop_duplicates().tolist()
    rows = []
    for title in titles.drop_duplicates():
        of_region = {row["region"]: _coloured(row) for row in jobs[titles == title].to_dict("records")}
        rows.append({"title": title, "cells": [of_region.get(region) for region in regions]})
    return {"columns": regions, "rows": rows}


def transfer_maps(transfer: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one map for each endpoint and what both sides share: trained on (rows) by tested on (columns)."""
    maps = []
    for (axis, endpoint, within), part in transfer.groupby(["axis", "endpoint", "within"], sort=False):
        names = pd.unique(part[["train", "test"]].to_numpy().ravel()).tolist()
        cells = {(row["train"], row["test"]): _coloured(row) for row in part.to_dict("records")}
        rows = [{"title": train, "cells": [cells.get((train, test)) for test in names]} for train in names]
        shared = f", {within}" if within != "all" else ""
        maps.append({"title": f"{endpoint}{shared}: from one {axis} to another", "columns": names, "rows": rows})
    return maps


def _format_labellings(count: int) -> str:
    """Return a number of relabellings; of more than a trillion the order of magnitude."""
    return f"{count:,}" if count < 10**12 else f"about 10 to the {len(str(count)) - 1}"


def _coloured(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {**row, "swatch": None if is_missing(row["auroc"]) else shade_auroc(row["auroc"])}


def _forest(jobs: pd.DataFrame) -> Markup:
    rows = [
        Row(
            row["job"],
            row["auroc"],
            row["auroc_low"],
            row["auroc_high"],
            row["verdict"] == "evidence",
        )
        for row in jobs.dropna(subset=["auroc"]).to_dict("records")
    ]
    alt = "AUROC with 95 % intervals: " + "; ".join(f"{row.name} {row.value:.2f}" for row in rows) + "."
    words = ("AUROC, 95 % interval over subjects", "evidence after correction", "no evidence, or underpowered")
    return forest("jobs", rows, words, alt)
