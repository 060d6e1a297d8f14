"""A cohort from files: expression and sample sheet matched by sample id and checked, or refused in one message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort import sample_sheet
from responder_ml.cohort.exclusion import Exclusion, note_exclusions
from responder_ml.cohort.expression_files import describe_files, list_files
from responder_ml.cohort.gene_ids import check_gene_names
from responder_ml.cohort.gene_translation import GeneTranslation
from responder_ml.cohort.grid import Grid, genes_are_in_rows, name_by_sample, read_samples, select_names
from responder_ml.cohort.grid_files import open_grid
from responder_ml.cohort.h5ad import MatrixGrid, obs_as_text, open_h5ad, with_layer
from responder_ml.cohort.missing_values import GAPS, leave_out_missing, with_stand_ins
from responder_ml.cohort.not_genes import (
    find_genes,
    find_totals,
    refuse_hidden_labels,
    refuse_same_file,
    refuse_sheet_columns,
)
from responder_ml.cohort.reading_note import ReadingNote
from responder_ml.cohort.sample_sheet import Where
from responder_ml.cohort.spelling import looks_like
from responder_ml.cohort.units import check_library_sizes, check_units, round_estimated
from responder_ml.errors import ExpressionError, SampleSheetError, list_names

# Of the sheet's samples more than this share must be in the matrix; fewer look like another cohort's sheet.
_LEAST_COMMON = 0.5


@dataclass(frozen=True)
class _Matrix:
    """Samples x genes, checked except for their units."""

    values: Floats = field(repr=False)
    samples: list[str]
    genes: list[str]
    notes: tuple[ReadingNote, ...] = ()
    gene_map: dict[str, Any] | None = None


@dataclass(frozen=True)
class _Plan:
    """How a matrix is read, whatever its samples."""

    units: str
    spike_ins: str
    translation: GeneTranslation | None


def read_table(
    expression: Path | Sequence[Path],
    samples: Path,
    *,
    units: str,
    columns: Mapping[str, str] | None = None,
    where: Where | None = None,
    genes: GeneTranslation | None = None,
    spike_ins: str = "keep",
    sheet: str | None = None,
    samples_sheet: str | None = None,
    layer: str | None = None,
) -> AnnData:
    """Read an expression matrix and a sample sheet into a cohort.

    Parameters
    ----------
    expression
        Text table (plain or ``.gz``), Parquet, workbook or ``.h5ad``; genes in rows or in columns, found by matching sample ids
        against both axes. Or several files, a folder or a pattern: their samples are put together on the genes that all have.
    samples
        Sample sheet in one of the same formats, one row per sample.
    units
        ``counts``, ``log2`` or ``tpm``; checked against the values.
    columns
        Canonical name: the sheet's name, such as ``{"sample": "sample_id", "subject": "animal_id"}``. ``sample`` is a
        column called sample or sample_id if not given; without ``subject`` each sample is a subject of its own.
    where
        Select rows whose (canonical) column has this value, or one of a list.
    genes
        Translates the matrix' gene names; its report is ``uns["gene_map"]``.
    spike_ins
        ``drop`` or ``keep`` spike-ins (ERCC and others) among the genes.
    sheet, samples_sheet
        Sheets of the expression's and of the samples' workbook; the first ones if not given.
    layer
        Layer of an ``.h5ad`` file, or ``raw``.

    Returns
    -------
    AnnData
        Samples x genes in the sheet's order; ``uns`` has ``units``, ``source``, ``simulated`` (true where the sheet has
        a column of that name with ``yes``, ``true`` or ``1``), ``subject_source`` (``column`` or ``sample``),
        ``unused_samples``, the samples of the matrix that the sheet does not list, and ``reading``, what was changed or left
        out on the way as pairs of severity and sentence, if anything was. Where values are missing and are to be filled in,
        the layer ``is_missing`` tells which; their genes' means stand in for them.

    Raises
    ------
    CohortError
        A file is missing or broken; the sheet, the names or the values cannot be used as declared.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from responder_ml.cohort.simulate import simulate_cohort
    >>> from responder_ml.cohort.write import write_cohort
    >>> with TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     write_cohort(simulate_cohort(seed=7, n_genes=300, regions=["PFC"]), folder)
    ...     cohort = read_table(
    ...         folder / "counts.tsv.gz", folder / "samples.tsv", units="counts", where={"drug": "ketamine"}
    ...     )
    >>> cohort.shape
    (6, 300)
    """
    files = list_files(expression)
    table = sample_sheet.read_sheet(samples, samples_sheet)
    if any(path.resolve() == samples.resolve() for path in files) and sheet == samples_sheet:
        refuse_same_file(samples.name, list(table.columns))
    source = f"{describe_files(files)} with {samples.name}"
    plan = _Plan(units, spike_ins, genes)
    # The cells are needed no longer than their numbers are read, so nothing here holds them.
    return _build_cohort(
        open_grid(files, units=units, sheet=sheet, layer=layer),
        table,
        samples.name,
        source,
        plan,
        columns or {},
        where or {},
    )


def read_h5ad(
    expression: Path,
    *,
    units: str,
    columns: Mapping[str, str] | None = None,
    where: Where | None = None,
    samples: Path | None = None,
    genes: GeneTranslation | None = None,
    spike_ins: str = "keep",
    samples_sheet: str | None = None,
    layer: str | None = None,
) -> AnnData:
    """Read a cohort from an ``.h5ad`` file: its ``X`` or a layer, and its ``obs`` or a sample sheet beside it.

    Parameters
    ----------
    expression
        The file.
    units, columns, where
        As for `read_table`. Without ``columns["sample"]`` the sample ids are the names of ``obs``.
    samples
        Sample sheet to use in place of ``obs``.
    genes, spike_ins, samples_sheet, layer
        As for `read_table`.

    Raises
    ------
    CohortError
        As for `read_table`.
    """
    data = with_layer(open_h5ad(expression), layer, units, expression.name)
    grid = MatrixGrid(expression.name, data)
    columns = dict(columns or {})
    if samples is not None:
        sheet, sheet_name = sample_sheet.read_sheet(samples, samples_sheet), samples.name
    else:
        sheet, sheet_name = _sheet_of(data, grid, columns), f"{expression.name} (obs)"
        sample_column = columns.get("sample")
        grid.rows = sheet[sample_column].tolist() if sample_column in sheet.columns else grid.rows
    plan = _Plan(units, spike_ins, genes)
    cohort = _build_cohort(grid, sheet, sheet_name, expression.name, plan, columns, where or {})
    cohort.uns["simulated"] = cohort.uns["simulated"] or bool(data.uns.get("simulated", False))
    return cohort


def keep_rows(cohort: AnnData, where: Where) -> AnnData:
    """Return the samples that `where` selects.

    Raises
    ------
    SampleSheetError
        A column or value does not occur, or no sample is selected.
    """
    if not where:
        return cohort
    rows = cohort[sample_sheet.rows_where(cohort.obs, where)].copy()
    note_exclusions(rows, sample_sheet.exclude_rows(cohort.obs, where, cohort.obs_names.astype(str).tolist(), "where"))
    return rows


def _build_cohort(
    grid: Grid,
    sheet: pd.DataFrame,
    sheet_name: str,
    source: str,
    plan: _Plan,
    columns: Mapping[str, str],
    where: Where,
) -> AnnData:
    sheet = sample_sheet.with_canonical_names(sheet, columns, sheet_name)
    listed = sheet["sample"].tolist()
    notes = name_by_sample(grid, listed)
    genes_in_rows = genes_are_in_rows(grid, listed, known_are="samples", enough=1.0)
    selected = sheet[sample_sheet.rows_where(sheet, where)].reset_index(drop=True)
    excluded = sample_sheet.exclude_rows(sheet, where, listed, "cohort.where")
    on_axis = grid.columns if genes_in_rows else grid.rows
    selected, unmatched = _with_library(selected, on_axis, grid.source)
    excluded += unmatched
    selected, subject_source = sample_sheet.with_subjects(selected, sheet_name)
    matrix = _read_matrix(grid, selected["sample"].tolist(), genes_in_rows, plan)
    notes = (*grid.notes, *notes, *matrix.notes)
    on_axis = grid.columns if genes_in_rows else grid.rows
    del grid
    sheet_columns = _sheet_columns(selected, columns)
    notes += refuse_sheet_columns(matrix.genes, sheet_columns, matrix.values, source)
    notes += refuse_hidden_labels(matrix.genes, sheet_columns, matrix.values, source)
    values, gaps = with_stand_ins(matrix.values, plan.units)
    check_units(values, plan.units, samples=matrix.samples, genes=matrix.genes)
    notes += tuple(check_library_sizes(values, plan.units))
    obs = sample_sheet.typed(selected).set_axis(matrix.samples, axis=0)
    is_simulated = "simulated" in obs and obs["simulated"].astype(str).str.lower().isin(["yes", "true", "1"]).any()
    cohort = AnnData(
        X=values,
        obs=obs,
        var=pd.DataFrame(index=matrix.genes),
        layers={} if gaps is None else {GAPS: gaps},
        uns={
            "units": plan.units,
            "source": source,
            "simulated": bool(is_simulated),
            "subject_source": subject_source,
            "unused_samples": sorted(set(on_axis).difference(listed)),
            **({"reading": [list(note) for note in notes]} if notes else {}),
            **({"gene_map": matrix.gene_map} if matrix.gene_map else {}),
        },
    )
    if excluded:
        note_exclusions(cohort, excluded)
    return cohort


def _with_library(selected: pd.DataFrame, on_axis: Sequence[str], source: str) -> tuple[pd.DataFrame, list[Exclusion]]:
    """Return the rows of the sheet whose samples are in the matrix, and the others as exclusions.

    Raises
    ------
    SampleSheetError
        No more than half of the sheet's samples are in the matrix.
    """
    libraries = set(on_axis)
    has_library = selected["sample"].isin(libraries).to_numpy()
    missing = selected["sample"][~has_library].tolist()
    common = int(has_library.sum())
    if missing and common <= _LEAST_COMMON * len(selected):
        raise SampleSheetError(
            f"{len(missing)} of {len(selected)} samples of the sheet are not in {source}: {list_names(missing)}. More "
            "than half must be: correct their names, or take their rows out of the sheet or with `where`."
        )
    unlisted = sorted(libraries.difference(selected["sample"]))
    like = {name: looks_like(name, unlisted) for name in missing}
    reason = "no library in the matrix for a row of the sheet"
    excluded = [Exclusion(reason, name, (name,), library) for name, library in like.items() if library]
    others = tuple(name for name, library in like.items() if not library)
    excluded += [Exclusion(reason, "", others)] if others else []
    return selected[has_library].reset_index(drop=True), excluded


def _sheet_columns(selected: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """Return the sheet's columns other than the samples' names, under their canonical and their own names."""
    by_name: dict[str, Sequence[str]] = {}
    for name in selected.columns:
        if not selected[name].equals(selected["sample"]):
            cells = selected[name].tolist()
            by_name |= {name: cells, columns.get(name, name): cells}
    return by_name


def _read_matrix(grid: Grid, samples: Sequence[str], genes_in_rows: bool, plan: _Plan) -> _Matrix:
    """Return these samples, in this order, with every gene that is one and was measured."""
    names, on_axis = (grid.rows, grid.columns) if genes_in_rows else (grid.columns, grid.rows)
    positions = _positions(on_axis, samples, grid.source)
    named = find_genes(names, grid.source, spike_ins=plan.spike_ins)
    everything = read_samples(grid, positions, np.arange(len(names)), genes_in_rows)
    is_gene, notes = find_totals(everything, names, named.is_gene)
    notes = (*named.notes, *notes)
    measured = leave_out_missing(everything, is_gene, samples, names, grid.source)
    genes = select_names(names, measured.is_usable)
    if plan.translation is None:
        check_gene_names(genes, grid.source)
    values = everything if measured.is_usable.all() else np.ascontiguousarray(everything[:, measured.is_usable])
    notes += measured.notes
    if plan.units == "counts":
        values, rounded = round_estimated(values, estimated=grid.estimated, source=grid.source)
        notes += rounded
    if plan.translation is None:
        return _Matrix(values, list(samples), genes, notes)
    translated = plan.translation.plan(genes, plan.units, grid.source)
    all_genes = np.arange(len(translated.genes))
    merged = translated.merged(values[:, translated.rows_of(all_genes)], all_genes)
    return _Matrix(merged, list(samples), translated.genes, notes, translated.report)


def _positions(on_axis: Sequence[str], samples: Sequence[str], source: str) -> Indices:
    listed = set(samples)
    position: dict[str, int] = {}
    repeated = []
    for index, name in enumerate(on_axis):
        if name in listed and name in position:
            repeated.append(name)
        position.setdefault(name, index)
    if repeated:
        raise ExpressionError(
            f"{source}: {len(repeated)} sample(s) occur more than once: {list_names(sorted(set(repeated)))}. Sum the counts "
            "of runs of one library, or give each sample its own name."
        )
    return np.array([position[name] for name in samples], dtype=np.intp)


def _sheet_of(data: AnnData, grid: Grid, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return ``obs`` as text, with its names as the sample column unless another one is mapped."""
    sheet = obs_as_text(data)
    return sheet if "sample" in columns else sheet.assign(sample=list(grid.rows))
