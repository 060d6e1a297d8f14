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
from responder_ml.cohort.gene_ids import check_gene_names
from responder_ml.cohort.gene_translation import GeneTranslation
from responder_ml.cohort.grid import Grid, genes_are_in_rows, read_samples
from responder_ml.cohort.grid_files import MatrixGrid, open_grid, open_h5ad
from responder_ml.cohort.sample_sheet import Where
from responder_ml.cohort.units import check_units
from responder_ml.errors import ExpressionError, SampleSheetError, list_names


@dataclass(frozen=True)
class _Matrix:
    """Samples x genes, checked except for their units."""

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
        ``counts``, ``log2`` or ``tpm``; checked against the values.
    columns
        Canonical name: the sheet's name, such as ``{"sample": "sample_id", "subject": "animal_id"}``. ``sample`` is a
        column called sample or sample_id if not given; without ``subject`` each sample is a subject of its own.
    where
        Select rows whose (canonical) column has this value, or one of a list.
    genes
        Translates the matrix' gene names; its report is ``uns["gene_map"]``.

    Returns
    -------
    AnnData
        Samples x genes in the sheet's order; ``uns`` has ``units``, ``source``, ``simulated`` (true where the sheet has
        a column of that name with ``yes``, ``true`` or ``1``), ``subject_source`` (``column`` or ``sample``) and
        ``unused_samples``, the samples of the matrix that the sheet does not list.

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
    return _build_cohort(open_grid(expression), sheet, samples.name, source, units, columns or {}, where or {}, genes)


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
    units, columns, where
        As for `read_table`. Without ``columns["sample"]`` the sample ids are the names of ``obs``.
    samples
        Sample sheet to use in place of ``obs``.
    genes
        As for `read_table`.

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
        sample_column = columns.get("sample")
        grid.rows = sheet[sample_column].tolist() if sample_column in sheet.columns else grid.rows
    cohort = _build_cohort(grid, sheet, sheet_name, expression.name, units, columns, where or {}, genes)
    cohort.uns["simulated"] = cohort.uns["simulated"] or bool(data.uns.get("simulated", False))
    return cohort


def keep_rows(cohort: AnnData, where: Where) -> AnnData:
    """Return the samples that `where` selects.

    Raises
    ------
    SampleSheetError
        A column or value does not occur, or no sample is selected.
    """
    return cohort[sample_sheet.rows_where(cohort.obs, where)].copy() if where else cohort


def _build_cohort(
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
    selected = sheet[sample_sheet.rows_where(sheet, where)].reset_index(drop=True)
    selected, subject_source = sample_sheet.with_subjects(selected, sheet_name)
    matrix = _read_matrix(grid, selected["sample"].tolist(), genes_in_rows, genes, units)
    check_units(matrix.values, units, samples=matrix.samples, genes=matrix.genes)
    on_axis = grid.columns if genes_in_rows else grid.rows
    obs = sample_sheet.typed(selected).set_axis(matrix.samples, axis=0)
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


def _read_matrix(
    grid: Grid, samples: Sequence[str], genes_in_rows: bool, translation: GeneTranslation | None, units: str
) -> _Matrix:
    """Return these samples, in this order, with every gene."""
    gene_names, on_axis = (grid.rows, grid.columns) if genes_in_rows else (grid.columns, grid.rows)
    positions = _positions(on_axis, samples, grid.source)
    if translation is None:
        check_gene_names(gene_names, grid.source)
    values = read_samples(grid, positions, np.arange(len(gene_names)), genes_in_rows)
    _check_finite(values, samples, gene_names, grid.source)
    if translation is None:
        return _Matrix(values, list(samples), list(gene_names))
    plan = translation.plan(gene_names, units, grid.source)
    all_genes = np.arange(len(plan.genes))
    return _Matrix(plan.merged(values[:, plan.rows_of(all_genes)], all_genes), list(samples), plan.genes, plan.report)


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
    missing = [name for name in samples if name not in position]
    if missing:
        raise SampleSheetError(
            f"{len(missing)} of {len(samples)} samples of the sheet are not in {source}: {list_names(missing)}. "
            "Correct their names, or take their rows out of the sheet or with `where`."
        )
    return np.array([position[name] for name in samples], dtype=np.intp)


def _check_finite(values: Floats, samples: Sequence[str], genes: Sequence[str], source: str) -> None:
    if np.isfinite(values).all():
        return
    for kind, is_kind in (("missing", np.isnan(values)), ("infinite", np.isinf(values))):
        if not is_kind.any():
            continue
        row, column = np.argwhere(is_kind)[0]
        advice = (
            "Write 0 if nothing was counted there, otherwise remove the gene or the sample."
            if kind == "missing"
            else "Infinity comes from the logarithm of 0 or a division by 0; add an offset before the logarithm."
        )
        raise ExpressionError(
            f"{source}: {int(is_kind.sum())} value(s) are {kind}, in {int(is_kind.any(axis=0).sum())} gene(s) and "
            f"{int(is_kind.any(axis=1).sum())} sample(s) (first: gene '{genes[column]}', sample '{samples[row]}'). "
            f"{advice}"
        )


def _sheet_of(data: AnnData, grid: Grid, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return ``obs`` as text, with its names as the sample column unless another one is mapped."""
    obs = data.obs.reset_index(drop=True)
    text = {str(name): ["" if pd.isna(cell) else str(cell).strip() for cell in obs[name]] for name in obs.columns}
    if "sample" not in columns:
        text["sample"] = list(grid.rows)
    return pd.DataFrame(text, dtype=object)
