"""A fetched series as files a job can read: expression, sample sheet, and where they come from."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from responder_ml.cohort.geo.expression import SeriesExpression
from responder_ml.cohort.write import write_matrix
from responder_ml.errors import FetchError

SHEET, PROVENANCE, GENES = "samples.tsv", "provenance.json", "gene_annotation.tsv.gz"


def expression_name(units: str) -> str:
    """Return the name of the expression file: ``counts.tsv.gz``, ``log2.tsv.gz`` or ``tpm.tsv.gz``."""
    return f"{units}.tsv.gz"


def write_series(
    folder: Path,
    expression: SeriesExpression,
    sheet: pd.DataFrame,
    provenance: Mapping[str, Any],
    annotation: Path | None = None,
) -> None:
    """Write all files or none; what an earlier fetch wrote there is replaced, anything else is not touched.

    Parameters
    ----------
    folder
        To make.
    expression, sheet
        The sheet is cut to samples with expression, in the expression's order.
    provenance
        Written as JSON.
    annotation
        Table of the genes to put beside them.

    Raises
    ------
    FetchError
        The folder holds other files, or cannot be written.
    """
    if folder.exists() and not _may_be_replaced(folder):
        raise FetchError(f"{folder} is there already and was not written by `fetch`. Choose another --out.")
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        beside.mkdir(parents=True)
        write_matrix(
            beside / expression_name(expression.units), expression.genes, expression.samples, expression.values
        )
        rows = sheet.set_index("sample", drop=False).loc[list(expression.samples)]
        rows.to_csv(beside / SHEET, sep="\t", index=False)
        if annotation is not None:
            shutil.copyfile(annotation, beside / GENES)
        (beside / PROVENANCE).write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
    except OSError as problem:
        raise FetchError(f"{folder} could not be written: {problem}. Choose another --out.") from problem
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _may_be_replaced(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    ours = {SHEET, PROVENANCE, GENES, *(expression_name(units) for units in ("counts", "log2", "tpm"))}
    there = {path.name for path in folder.iterdir()}
    return not there or (PROVENANCE in there and there <= ours)
