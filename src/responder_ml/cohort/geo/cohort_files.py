"""A fetched series written as files that a job can read: expression, sample sheet, and their provenance."""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from responder_ml.cohort.geo.expression import SeriesExpression
from responder_ml.cohort.write import write_matrix

SHEET, PROVENANCE, GENES = "samples.tsv", "provenance.json", "gene_annotation.tsv.gz"


def expression_name(units: str) -> str:
    """Return the name of the expression file: ``counts.tsv.gz``, ``log2.tsv.gz`` or ``tpm.tsv.gz``."""
    return f"{units}.tsv.gz"


def series_contents(
    expression: SeriesExpression,
    sheet: pd.DataFrame,
    provenance: Mapping[str, Any],
    annotation: Path | None = None,
) -> dict[str, bytes]:
    """Return what each file of a fetched series holds, by its name.

    Parameters
    ----------
    expression, sheet
        The sheet is cut to samples with expression, in the expression's order.
    provenance
        Written as JSON.
    annotation
        Table of the genes to copy.
    """
    matrix = BytesIO()
    write_matrix(matrix, expression.genes, expression.samples, expression.values)
    rows = sheet.set_index("sample", drop=False).loc[list(expression.samples)]
    contents = {
        expression_name(expression.units): matrix.getvalue(),
        SHEET: rows.to_csv(sep="\t", index=False).encode(),
        PROVENANCE: (json.dumps(provenance, indent=1) + "\n").encode(),
    }
    return contents if annotation is None else {**contents, GENES: annotation.read_bytes()}
