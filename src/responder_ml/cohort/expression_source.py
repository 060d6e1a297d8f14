"""An expression file of new samples: names are read at once, numbers a few samples at a time."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.gene_ids import check_gene_names
from responder_ml.cohort.gene_translation import GeneTranslation, TranslatedGenes
from responder_ml.cohort.grid import Grid, Numbers, genes_are_in_rows, name_by_sample, read_samples, select_names
from responder_ml.cohort.grid_files import open_grid
from responder_ml.cohort.not_genes import NamedGenes, find_genes
from responder_ml.cohort.reading_note import ReadingNote
from responder_ml.cohort.units import round_estimated
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
    named
        Which names of the axis of the genes are genes; all, if not given.
    counts
        Whether the values are counts, and whether a program estimated them: these are rounded where they are read.
    notes
        What was changed or left out so far.

    Attributes
    ----------
    samples, genes
        Names in the file's order.
    gene_map
        Report of the translation, if there is one.
    """

    def __init__(
        self,
        grid: Numbers,
        genes_in_rows: bool,
        plan: TranslatedGenes | None = None,
        *,
        named: NamedGenes | None = None,
        counts: Literal["exact", "estimated", "none"] = "none",
        notes: Sequence[ReadingNote] = (),
    ) -> None:
        names = grid.rows if genes_in_rows else grid.columns
        is_gene = np.ones(len(names), dtype=np.bool_) if named is None else named.is_gene
        self._grid = grid
        self._genes_in_rows = genes_in_rows
        self._counts = counts
        self._plan = plan
        # Positions in the file of the names that are genes.
        self._positions = np.flatnonzero(is_gene)
        self._rounded: ReadingNote | None = None
        self._notes = (*notes, *(named.notes if named else ()))
        self.genes: Sequence[str] = plan.genes if plan else select_names(names, is_gene)
        self.gene_map: dict[str, Any] | None = plan.report if plan else None
        self.samples: Sequence[str] = grid.columns if genes_in_rows else grid.rows

    @property
    def notes(self) -> tuple[ReadingNote, ...]:
        """What was changed or left out."""
        return (*self._notes, *([self._rounded] if self._rounded else []))

    def block(self, samples: Indices, genes: Indices) -> Floats:
        """Return some samples x some genes by position, rows contiguous, missing cells as not-a-number.

        Raises
        ------
        ExpressionError
            A cell holds text.
        """
        rows = genes if self._plan is None else self._plan.rows_of(genes)
        values = read_samples(self._grid, samples, self._positions[rows], self._genes_in_rows)
        if self._counts != "none" and values.size:
            values, notes = round_estimated(values, estimated=self._counts == "estimated", source=self._grid.source)
            self._rounded = notes[0] if notes else self._rounded
        return values if self._plan is None else self._plan.merged(values, genes)


def open_expression(
    expression: Path | Sequence[Path],
    known_genes: Collection[str],
    *,
    translation: GeneTranslation | None = None,
    units: str = "counts",
    sheet: str | None = None,
    layer: str | None = None,
) -> ExpressionSource:
    """Open an expression file; the genes of a model tell its orientation.

    Parameters
    ----------
    expression
        Text table (plain or ``.gz``), Parquet, workbook or ``.h5ad``; or several files, a folder or a pattern.
    known_genes
        The model's genes; some must be on one axis.
    translation
        Translates the file's gene names into the model's.
    units
        Units of the file; log2 values of one gene in several rows cannot be added.
    sheet, layer
        Of a workbook, and of an ``.h5ad`` file.

    Raises
    ------
    CohortError
        The file is missing or broken, no axis holds a known gene, or names are blank, damaged or repeated.
    """
    grid = open_grid(expression, units=units, sheet=sheet, layer=layer)
    notes = (*grid.notes, *name_by_sample(grid))
    axes = grid if translation is None else _Axes(grid, translation)
    if translation is not None and set(known_genes).isdisjoint([*axes.rows, *axes.columns]):
        # Explains why, where no name can be translated at all.
        translation.plan(max(grid.rows, grid.columns, key=len), units, grid.source)
    genes_in_rows = genes_are_in_rows(axes, known_genes, known_are="genes", enough=_MIN_SHARE)
    names = grid.rows if genes_in_rows else grid.columns
    named = find_genes(names, grid.source)
    genes = select_names(names, named.is_gene)
    if translation is None:
        check_gene_names(genes, grid.source)
    plan = None if translation is None else translation.plan(genes, units, grid.source)
    counts: Literal["exact", "estimated", "none"] = "none"
    if units == "counts":
        counts = "estimated" if grid.estimated else "exact"
    source = ExpressionSource(grid, genes_in_rows, plan, named=named, counts=counts, notes=notes)
    if not source.samples:
        raise ExpressionError(f"{grid.source} has no samples. Give at least one.")
    blank = sum(1 for name in source.samples if not name.strip())
    repeated = [name for name, count in Counter(source.samples).items() if count > 1 and name.strip()]
    if blank:
        raise SampleSheetError(f"{grid.source}: {blank} sample(s) have no name. Name or remove them.")
    if repeated:
        raise SampleSheetError(
            f"{grid.source}: {len(repeated)} sample name(s) occur more than once: {list_names(repeated)}. "
            "Give every sample its own name."
        )
    return source


class _Axes:
    """A grid's names, translated where they stand for one gene."""

    def __init__(self, grid: Grid, translation: GeneTranslation) -> None:
        self.source = grid.source
        self.rows: Sequence[str] = translation.translate_certain(grid.rows)
        self.columns: Sequence[str] = translation.translate_certain(grid.columns)
