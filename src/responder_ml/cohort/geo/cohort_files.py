"""A fetched series written as files that a job can read: expression, sample sheet, and their provenance."""

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
    """Write all files or none; what an earlier fetch wrote there is replaced, other files are never touched.

    Parameters
    ----------
    folder
        Folder to create.
    expression, sheet
        The sheet is cut to samples with expression, in the expression's order.
    provenance
        Written as JSON.
    annotation
        Table of the genes to copy into the folder.

    Raises
    ------
    FetchError
        The folder holds other files, or cannot be written.
    """
    if folder.exists() and not _may_be_replaced(folder):
        raise FetchError(f"{folder} already exists and was not written by `fetch`. Choose another --out.")
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        write_matrix(
            partial / expression_name(expression.units), expression.genes, expression.samples, expression.values
        )
        rows = sheet.set_index("sample", drop=False).loc[list(expression.samples)]
        rows.to_csv(partial / SHEET, sep="\t", index=False)
        if annotation is not None:
            shutil.copyfile(annotation, partial / GENES)
        (partial / PROVENANCE).write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as problem:
        raise FetchError(f"{folder} could not be written: {problem}. Choose another --out.") from problem
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _may_be_replaced(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    ours = {SHEET, PROVENANCE, GENES, *(expression_name(units) for units in ("counts", "log2", "tpm"))}
    names = {path.name for path in folder.iterdir()}
    return not names or (PROVENANCE in names and names <= ours)
