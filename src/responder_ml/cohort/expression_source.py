"""An expression file of new samples: names are read at once, numbers a few samples at a time."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.gene_ids import check_gene_names
from responder_ml.cohort.gene_translation import GeneTranslation, TranslatedGenes
from responder_ml.cohort.grid import Grid, genes_are_in_rows, read_samples
from responder_ml.cohort.grid_files import open_grid
from responder_ml.errors import ExpressionError, SampleSheetError, list_names

# Where both axes hold names of genes, the axis with this share of the model's genes is the genes'.
_MIN_SHARE = 0.5


class ExpressionSource:
    """Samples x genes, read in blocks.

    Parameters
    ----------
    grid
        The file's cells.
    genes_in_rows
        Its orientation.
    plan
        Translation of the file's genes, if there is one.

    Attributes
    ----------
    samples, genes
        Names in the file's order.
    gene_map
        Report of the translation, if there is one.
    """

    def __init__(self, grid: Grid, genes_in_rows: bool, plan: TranslatedGenes | None = None) -> None:
        self._grid = grid
        self._genes_in_rows = genes_in_rows
        self._plan = plan
        self.genes: Sequence[str] = plan.genes if plan else grid.rows if genes_in_rows else grid.columns
        self.gene_map: dict[str, Any] | None = plan.report if plan else None
        self.samples: Sequence[str] = grid.columns if genes_in_rows else grid.rows

    def block(self, samples: Indices, genes: Indices) -> Floats:
        """Return some samples x some genes by position, rows contiguous, missing cells as not-a-number.

        Raises
        ------
        ExpressionError
            A cell holds text.
        """
        if self._plan is None:
            return read_samples(self._grid, samples, genes, self._genes_in_rows)
        values = read_samples(self._grid, samples, self._plan.rows_of(genes), self._genes_in_rows)
        return self._plan.merged(values, genes)


def open_expression(
    path: Path, known_genes: Collection[str], *, translation: GeneTranslation | None = None, units: str = "counts"
) -> ExpressionSource:
    """Open an expression file; the genes of a model tell its orientation.

    Parameters
    ----------
    path
        CSV, TSV (plain or ``.gz``), Parquet, Excel or ``.h5ad``.
    known_genes
        The model's genes; some must be on one axis.
    translation
        Translates the file's gene names into the model's.
    units
        Units of the file; log2 values of one gene in several rows cannot be added.

    Raises
    ------
    CohortError
        The file is missing or broken, no axis holds a known gene, or names are blank, damaged or repeated.
    """
    grid = open_grid(path)
    axes = grid if translation is None else _Axes(grid, translation)
    if translation is not None and set(known_genes).isdisjoint([*axes.rows, *axes.columns]):
        # Explains why, where no name can be translated at all.
        translation.plan(max(grid.rows, grid.columns, key=len), units, path.name)
    genes_in_rows = genes_are_in_rows(axes, known_genes, known_are="genes", enough=_MIN_SHARE)
    names = grid.rows if genes_in_rows else grid.columns
    if translation is None:
        check_gene_names(names, path.name)
    plan = None if translation is None else translation.plan(names, units, path.name)
    source = ExpressionSource(grid, genes_in_rows, plan)
    if not source.samples:
        raise ExpressionError(f"{path.name} has no samples. Give at least one.")
    blank = sum(1 for name in source.samples if not name.strip())
    repeated = [name for name, count in Counter(source.samples).items() if count > 1 and name.strip()]
    if blank:
        raise SampleSheetError(f"{path.name}: {blank} sample(s) have no name. Name or remove them.")
    if repeated:
        raise SampleSheetError(
            f"{path.name}: {len(repeated)} sample name(s) occur more than once: {list_names(repeated)}. "
            "Give every sample its own name."
        )
    return source


class _Axes:
    """A grid's names, translated where they stand for one gene."""

    def __init__(self, grid: Grid, translation: GeneTranslation) -> None:
        self.source = grid.source
        self.rows: Sequence[str] = translation.translate_certain(grid.rows)
        self.columns: Sequence[str] = translation.translate_certain(grid.columns)
