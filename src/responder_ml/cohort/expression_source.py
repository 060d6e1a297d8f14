"""An expression file of samples nobody has met: its axes at once, its numbers a few samples at a time."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from responder_ml.cohort.gene_ids import check_gene_names
from responder_ml.cohort.grid import Grid, genes_are_in_rows, open_grid
from responder_ml.cohort.some_of import some_of
from responder_ml.exceptions import ExpressionError, SampleSheetError

Floats = NDArray[np.float64]
# Where names of genes stand on both axes, the axis with most of the model's genes is the genes'.
_MOST = 0.5


class ExpressionSource:
    """Samples x genes, read in blocks.

    Parameters
    ----------
    grid
        The file's cells.
    genes_in_rows
        Its orientation.

    Attributes
    ----------
    samples, genes
        Names in the file's order.
    """

    def __init__(self, grid: Grid, genes_in_rows: bool) -> None:
        self._grid = grid
        self._genes_in_rows = genes_in_rows
        self.genes: Sequence[str] = grid.rows if genes_in_rows else grid.columns
        self.samples: Sequence[str] = grid.columns if genes_in_rows else grid.rows

    def block(self, samples: NDArray[np.intp], genes: NDArray[np.intp]) -> Floats:
        """Return some samples x some genes by position, rows contiguous, missing cells as not-a-number.

        Raises
        ------
        ExpressionError
            A cell holds text.
        """
        if self._genes_in_rows:
            return np.ascontiguousarray(self._grid.numbers(genes, samples, genes_in_rows=True).T)
        return np.ascontiguousarray(self._grid.numbers(samples, genes, genes_in_rows=False))


def open_expression(path: Path, known_genes: Collection[str]) -> ExpressionSource:
    """Open an expression file whose orientation the genes of a model tell.

    Parameters
    ----------
    path
        CSV, TSV (plain or ``.gz``), Parquet, Excel or ``.h5ad``.
    known_genes
        The model's genes; some must stand on one axis.

    Raises
    ------
    CohortError
        The file is missing or broken, no axis holds a known gene, or names are blank, damaged or repeated.
    """
    grid = open_grid(path)
    source = ExpressionSource(grid, genes_are_in_rows(grid, known_genes, known_are="genes", enough=_MOST))
    check_gene_names(source.genes, path.name)
    if not source.samples:
        raise ExpressionError(f"{path.name} has no samples. Give at least one.")
    blank = sum(1 for name in source.samples if not name.strip())
    repeated = [name for name, count in Counter(source.samples).items() if count > 1 and name.strip()]
    if blank:
        raise SampleSheetError(f"{path.name}: {blank} sample(s) have no name. Name or remove them.")
    if repeated:
        raise SampleSheetError(
            f"{path.name}: {len(repeated)} sample name(s) occur more than once: {some_of(repeated)}. "
            "Give every sample its own name."
        )
    return source
