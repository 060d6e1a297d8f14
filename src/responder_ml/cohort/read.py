"""Files to a cohort: expression and sample sheet matched by sample id, checked, or refused in one message."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort import sample_sheet
from responder_ml.cohort.gene_ids import check_gene_names
from responder_ml.cohort.gene_translation import GeneTranslation
from responder_ml.cohort.grid import Grid, MatrixGrid, genes_are_in_rows, open_h5ad
from responder_ml.cohort.open_grid import open_grid
from responder_ml.cohort.sample_sheet import Where
from responder_ml.cohort.units import check_units
from responder_ml.errors import ExpressionError, SampleSheetError, list_names


@dataclass(frozen=True)
class _Matrix:
    """Samples x genes, checked but for units."""

    values: Floats = field(repr=False)
    samples: list[str]
    genes: list[str]
    gene_map: dict[str, Any] | None = None


def read_table(
    expression: Path,
    samples: Path,
    *,
    units: str,
    columns: Mapping[str, str] | None = None,
    where: Where | None = None,
    genes: GeneTranslation | None = None,
) -> AnnData:
    """Read an expression matrix and a sample sheet into a cohort.

    Parameters
    ----------
    expression
        CSV, TSV (plain or ``.gz``), Parquet, Excel (first sheet) or ``.h5ad``; genes in rows or in columns, found by
        matching sample ids against both axes.
    samples
        Sample sheet in one of the same formats, one row per sample.
    units
        ``counts``, ``log2`` or ``tpm``; held against the values.
    columns
        Canonical name: the sheet's name, such as ``{"sample": "sample_id", "subject": "animal_id"}``. ``sample`` is a
        column called sample or sample_id if not given; without ``subject`` each sample is a subject of its own.
    where
        Keep rows whose (canonical) column has this value, or one of a list.
    genes
        Translates the matrix' gene names; what it did is ``uns["gene_map"]``.

    Returns
    -------
    AnnData
        Samples x genes in the sheet's order; ``uns`` has ``units``, ``source``, ``simulated`` (true where the sheet has
        a column of that name that says so), ``subject_source`` (``column`` or ``sample``) and ``unused_samples``, the
        samples of the matrix that the sheet does not list.

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
    sheet = sample_sheet.read_sheet(samples)
    source = f"{expression.name} with {samples.name}"
    return _assemble(open_grid(expression), sheet, samples.name, source, units, columns or {}, where or {}, genes)


def read_h5ad(
    expression: Path,
    *,
    units: str,
    columns: Mapping[str, str] | None = None,
    where: Where | None = None,
    samples: Path | None = None,
    genes: GeneTranslation | None = None,
) -> AnnData:
    """Read a cohort from an ``.h5ad`` file: its ``X``, and its ``obs`` or a sample sheet beside it.

    Parameters
    ----------
    expression
        The file.
    units, columns, where, genes
        As for `read_table`. Without ``columns["sample"]`` the sample ids are the names of ``obs``.
    samples
        Sample sheet to use in place of ``obs``.

    Raises
    ------
    CohortError
        As for `read_table`.
    """
    data = open_h5ad(expression)
    grid = MatrixGrid(expression.name, data)
    columns = dict(columns or {})
    if samples is not None:
        sheet, sheet_name = sample_sheet.read_sheet(samples), samples.name
    else:
        sheet, sheet_name = _sheet_of(data, grid, columns), f"{expression.name} (obs)"
        named = columns.get("sample")
        grid.rows = sheet[named].tolist() if named in sheet.columns else grid.rows
    cohort = _assemble(grid, sheet, sheet_name, expression.name, units, columns, where or {}, genes)
    cohort.uns["simulated"] = cohort.uns["simulated"] or bool(data.uns.get("simulated", False))
    return cohort


def read_expression(
    path: Path, sample_ids: Sequence[str] | None = None, *, genes: Collection[str] | None = None
) -> pd.DataFrame:
    """Read an expression matrix alone, as for samples that a model is to score.

    Parameters
    ----------
    path
        As for `read_table`.
    sample_ids
        Samples to read, in this order; they also tell the orientation.
    genes
        Without ``sample_ids``: gene names of which some must stand on one axis; they tell the orientation, and every
        sample is read.

    Returns
    -------
    pandas.DataFrame
        Samples x genes, every gene of the file; names, gaps and infinities are checked, units are not.

    Raises
    ------
    CohortError
        As for `read_table`.
    """
    matrix = _read_matrix(open_grid(path), sample_ids, genes)
    return pd.DataFrame(matrix.values, index=matrix.samples, columns=matrix.genes)


def keep_rows(cohort: AnnData, where: Where) -> AnnData:
    """Return the samples whose columns have the wanted values.

    Raises
    ------
    SampleSheetError
        A column or value that does not occur, or no sample left.
    """
    return cohort[sample_sheet.rows_where(cohort.obs, where)].copy() if where else cohort


def _assemble(
    grid: Grid,
    sheet: pd.DataFrame,
    sheet_name: str,
    source: str,
    units: str,
    columns: Mapping[str, str],
    where: Where,
    genes: GeneTranslation | None,
) -> AnnData:
    sheet = sample_sheet.with_canonical_names(sheet, columns, sheet_name)
    listed = sheet["sample"].tolist()
    genes_in_rows = genes_are_in_rows(grid, listed, known_are="samples", enough=1.0)
    chosen = sheet[sample_sheet.rows_where(sheet, where)].reset_index(drop=True)
    chosen, subject_source = sample_sheet.with_subjects(chosen, sheet_name)
    matrix = _take(grid, chosen["sample"].tolist(), genes_in_rows, genes, units)
    check_units(matrix.values, units, samples=matrix.samples, genes=matrix.genes)
    on_axis = grid.columns if genes_in_rows else grid.rows
    obs = sample_sheet.typed(chosen).set_axis(matrix.samples, axis=0)
    is_simulated = "simulated" in obs and obs["simulated"].astype(str).str.lower().isin(["yes", "true", "1"]).any()
    return AnnData(
        X=matrix.values,
        obs=obs,
        var=pd.DataFrame(index=matrix.genes),
        uns={
            "units": units,
            "source": source,
            "simulated": bool(is_simulated),
            "subject_source": subject_source,
            "unused_samples": sorted(set(on_axis).difference(listed)),
            **({"gene_map": matrix.gene_map} if matrix.gene_map else {}),
        },
    )


def _read_matrix(grid: Grid, sample_ids: Sequence[str] | None, genes: Collection[str] | None) -> _Matrix:
    if sample_ids is not None:
        genes_in_rows = genes_are_in_rows(grid, sample_ids, known_are="samples", enough=1.0)
        return _take(grid, sample_ids, genes_in_rows)
    if genes is None:
        raise ValueError("Either sample_ids or genes must be given: one of them tells the orientation.")
    genes_in_rows = genes_are_in_rows(grid, genes, known_are="genes", enough=0.5)
    return _take(grid, list(grid.columns if genes_in_rows else grid.rows), genes_in_rows)


def _take(
    grid: Grid,
    samples: Sequence[str],
    genes_in_rows: bool,
    translation: GeneTranslation | None = None,
    units: str = "counts",
) -> _Matrix:
    """Return the wanted samples with every gene, in the order wanted."""
    gene_names, on_axis = (grid.rows, grid.columns) if genes_in_rows else (grid.columns, grid.rows)
    positions = _positions(on_axis, samples, grid.source)
    if translation is None:
        check_gene_names(gene_names, grid.source)
    every_gene = np.arange(len(gene_names))
    if genes_in_rows:
        values = np.ascontiguousarray(grid.numbers(every_gene, positions, genes_in_rows=True).T)
    else:
        values = np.ascontiguousarray(grid.numbers(positions, every_gene, genes_in_rows=False))
    _check_finite(values, samples, gene_names, grid.source)
    if translation is None:
        return _Matrix(values, list(samples), list(gene_names))
    plan = translation.plan(gene_names, units, grid.source)
    all_genes = np.arange(len(plan.genes))
    return _Matrix(plan.merged(values[:, plan.rows_of(all_genes)], all_genes), list(samples), plan.genes, plan.report)


def _positions(on_axis: Sequence[str], samples: Sequence[str], source: str) -> Indices:
    wanted = set(samples)
    place: dict[str, int] = {}
    repeated = []
    for position, name in enumerate(on_axis):
        if name in wanted and name in place:
            repeated.append(name)
        place.setdefault(name, position)
    if repeated:
        raise ExpressionError(
            f"{source}: {len(repeated)} sample(s) occur more than once: {list_names(sorted(set(repeated)))}. Sum the counts "
            "of runs of one library, or give each sample its own name."
        )
    missing = [name for name in samples if name not in place]
    if missing:
        raise SampleSheetError(
            f"{len(missing)} of {len(samples)} samples of the sheet are not in {source}: {list_names(missing)}. "
            "Correct their names, or take their rows out of the sheet or with `where`."
        )
    return np.array([place[name] for name in samples], dtype=np.intp)


def _check_finite(values: Floats, samples: Sequence[str], genes: Sequence[str], source: str) -> None:
    if np.isfinite(values).all():
        return
    for kind, found in (("missing", np.isnan(values)), ("infinite", np.isinf(values))):
        if not found.any():
            continue
        row, column = np.argwhere(found)[0]
        advice = (
            "Write 0 if nothing was counted there, otherwise remove the gene or the sample."
            if kind == "missing"
            else "Infinity comes from the logarithm of 0 or a division by 0; add an offset before the logarithm."
        )
        raise ExpressionError(
            f"{source}: {int(found.sum())} value(s) are {kind}, in {int(found.any(axis=0).sum())} gene(s) and "
            f"{int(found.any(axis=1).sum())} sample(s) (first: gene '{genes[column]}', sample '{samples[row]}'). "
            f"{advice}"
        )


def _sheet_of(data: AnnData, grid: Grid, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return ``obs`` as text, with its names as the sample column unless another one is mapped."""
    obs = data.obs.reset_index(drop=True)
    text = {str(name): ["" if pd.isna(cell) else str(cell).strip() for cell in obs[name]] for name in obs.columns}
    if "sample" not in columns:
        text["sample"] = list(grid.rows)
    return pd.DataFrame(text, dtype=object)
