"""Raw intensities of microarrays, which no job reads: a copy of the table on a log2 scale.

Background-subtracted intensities reach below zero and have no logarithm there. All values under a floor are set to it first: below
it an array tells nothing but noise. The floor is fixed and learnt from no sample.

References
----------
Dudoit S, Fridlyand J, Speed TP (2002) Comparison of discrimination methods for the classification of tumors using gene expression
data. JASA 97:77-87. doi:10.1198/016214502753479248 (floor and ceiling before the logarithm)
"""

from pathlib import Path

import numpy as np
import pandas as pd

from responder_ml.cohort.grid import Grid
from responder_ml.errors import ProposalError

FLOOR = 20.0
"""Intensities under this are set to it."""


def write_log2_copy(grid: Grid, genes_in_rows: bool, path: Path) -> None:
    """Write a copy of a table with the log2 of its intensities, as it is oriented.

    Parameters
    ----------
    grid
        The table.
    genes_in_rows
        Whether samples are its columns.
    path
        File to write, ``.tsv.gz``.

    Raises
    ------
    ProposalError
        The file is there already.
    """
    if path.exists():
        raise ProposalError(
            f"{path} is there already and is not overwritten. Remove it, or name another job with --out."
        )
    values = grid.numbers(np.arange(len(grid.rows)), np.arange(len(grid.columns)), genes_in_rows)
    # A missing value stays missing: the comparison with it is false.
    log2 = np.log2(np.where(values < FLOOR, FLOOR, values))
    table = pd.DataFrame(
        log2, index=pd.Index(grid.rows, name="gene" if genes_in_rows else "sample"), columns=list(grid.columns)
    )
    table.to_csv(path, sep="\t", float_format="%.6g")
