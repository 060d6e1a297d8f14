"""The expression of a series: the columns of a file matched to the series' samples."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from responder_ml.arrays import Flags, Floats
from responder_ml.cohort.expression_files import describe_files, list_files
from responder_ml.cohort.gene_ids import damaged_by_excel
from responder_ml.cohort.geo.series_matrix import Sample, SeriesMatrix
from responder_ml.cohort.grid import Axes, letters_and_digits, name_by_sample, select_names
from responder_ml.cohort.grid_files import open_grid
from responder_ml.cohort.not_genes import find_genes, find_totals
from responder_ml.cohort.units import check_units, round_estimated
from responder_ml.errors import CohortError, FetchError, list_names

_ACCESSION = re.compile(r"GSM\d+")
_MIN_MATCHED = 0.5


@dataclass(frozen=True)
class SeriesExpression:
    """Genes x samples under the samples' accessions.

    Attributes
    ----------
    genes, samples
        Names along the axes.
    values
        Finite, in ``units``.
    units
        ``counts``, ``log2`` or ``tpm``.
    notes
        What was left out, and what may be wrong.
    """

    genes: tuple[str, ...]
    samples: tuple[str, ...]
    values: Floats = field(repr=False)
    units: str
    notes: tuple[str, ...]


def read_expression_file(
    expression: Path | Sequence[Path], samples: Sequence[Sample], units: str | None
) -> SeriesExpression:
    """Read a table whose columns (or rows) are samples under their accessions, titles, or another property that identifies them.

    Parameters
    ----------
    expression
        A file of any kind `open_grid` reads, or one for each sample.
    samples
        Samples of the series.
    units
        Declared units; if None, the values must be whole numbers, which are taken as counts.

    Raises
    ------
    FetchError
        Fewer than half of the samples are found, or the values contradict the declared units.
    """
    files = list_files(expression)
    source = describe_files(files)
    try:
        grid = open_grid(files, units=units or "counts")
        named = name_by_sample(grid)
        in_columns, in_rows = _match_samples(grid.columns, samples), _match_samples(grid.rows, samples)
        genes_in_rows = len(in_columns) >= len(in_rows)
        position_of = in_columns if genes_in_rows else in_rows
        if len(position_of) < _MIN_MATCHED * len(samples):
            raise FetchError(_explain_no_match(source, grid, samples, len(position_of)))
        genes = np.arange(len(grid.rows if genes_in_rows else grid.columns), dtype=np.intp)
        positions = np.array(list(position_of.values()), dtype=np.intp)
        rows, columns = (genes, positions) if genes_in_rows else (positions, genes)
        cells = grid.numbers(rows, columns, genes_in_rows=genes_in_rows)
    except CohortError as problem:
        raise FetchError(f"{source} cannot be used as this series' expression: {problem}") from problem
    names = grid.rows if genes_in_rows else grid.columns
    values = cells if genes_in_rows else cells.T
    notes = [note.message for note in (*grid.notes, *named)]
    return _checked(source, list(names), list(position_of), values, units, samples, notes, estimated=grid.estimated)


def read_matrix_values(matrices: Sequence[SeriesMatrix], source: str, units: str | None) -> SeriesExpression:
    """Return the values of the series matrix files themselves, as for microarrays: the rows that every platform has.

    Raises
    ------
    FetchError
        There are no values, their units are not declared, or the values contradict them.
    """
    if not all(matrix.rows for matrix in matrices):
        raise FetchError(
            f"{source} holds no expression, as is usual for RNA-seq. Take the counts from `--source ncbi` or "
            "`--source supplementary`."
        )
    if units is None:
        raise FetchError(
            f"{source} does not say what its values are. Declare it in a recipe: `expression: {{source: matrix, units: log2}}`."
        )
    rows = [name for name in matrices[0].rows if all(name in set(other.rows) for other in matrices[1:])]
    parts = []
    for matrix in matrices:
        row_of = {name: row for row, name in enumerate(matrix.rows)}
        parts.append(matrix.values[[row_of[name] for name in rows]])
    samples = [sample for matrix in matrices for sample in matrix.samples]
    return _checked(source, rows, [sample.accession for sample in samples], np.hstack(parts), units, samples)


def _checked(
    source: str,
    genes: list[str],
    accessions: list[str],
    values: Floats,
    units: str | None,
    samples: Sequence[Sample],
    notes: Sequence[str] = (),
    *,
    estimated: bool = False,
) -> SeriesExpression:
    """Return the expression without rows that are no genes or hold nothing, its units checked."""
    notes = list(notes)
    absent = [sample.accession for sample in samples if sample.accession not in set(accessions)]
    if absent:
        notes.append(f"{len(absent)} sample(s) have no values in {source} and were left out: {list_names(absent)}.")
    try:
        named = find_genes(genes, source)
        is_gene, total_notes = find_totals(values.T, genes, named.is_gene)
    except CohortError as problem:
        raise FetchError(str(problem)) from problem
    notes += [note.message for note in (*named.notes, *total_notes)]
    is_empty = ~np.isfinite(values).any(axis=1) & is_gene
    if is_empty.any():
        notes.append(f"{int(is_empty.sum())} row(s) without any value were left out.")
    is_usable = is_gene & ~is_empty
    genes, values = select_names(genes, is_usable), values[is_usable]
    gaps: Flags = np.asarray(~np.isfinite(values).all(axis=1), dtype=np.bool_)
    if gaps.any():
        notes.append(f"{int(gaps.sum())} gene(s) have missing values in some sample and were left out.")
        genes, values = select_names(genes, ~gaps), values[~gaps]
    units = units or "counts"
    if units == "counts" and values.size:
        rounded, round_notes = round_estimated(values.T, estimated=estimated, source=source)
        values, notes = rounded.T, [*notes, *(note.message for note in round_notes)]
    try:
        check_units(values.T, units, samples=accessions, genes=genes)
    except CohortError as problem:
        raise FetchError(
            f"{source}: {problem} Units are declared in a recipe: `expression: {{units: ...}}`."
        ) from problem
    damaged = damaged_by_excel(genes)
    if damaged:
        notes.append(
            f"{len(damaged)} gene name(s) were turned into dates or numbers by a spreadsheet before they were deposited: "
            f"{list_names(damaged)}. See `cohort.genes.repair`."
        )
    repeated = len(genes) - len(set(genes))
    if repeated:
        notes.append(f"{repeated} gene name(s) are repeated. See `cohort.genes.many_to_one`.")
    return SeriesExpression(tuple(genes), tuple(accessions), values, units, tuple(notes))


def _match_samples(names: Sequence[str], samples: Sequence[Sample]) -> dict[str, int]:
    """Return accession: position along an axis, by the property that identifies the most samples there."""
    best: dict[str, int] = {}
    for key in _keys(samples):
        by_key: dict[str, int] = {}
        for position, name in enumerate(names):
            accession = key.get(_bare(name))
            if accession is not None:
                by_key.setdefault(accession, position)
        best = by_key if len(by_key) > len(best) else best
    by_accession: dict[str, int] = {}
    known = {sample.accession for sample in samples}
    for position, name in enumerate(names):
        for accession in _ACCESSION.findall(name):
            if accession in known:
                by_accession.setdefault(accession, position)
    best = by_accession if len(by_accession) > len(best) else best
    return {sample.accession: best[sample.accession] for sample in samples if sample.accession in best}


def _keys(samples: Sequence[Sample]) -> list[dict[str, str]]:
    """Return, for each property that differs between all samples, its bare text: accession."""
    fields = ["title", "description"]
    fields += sorted(
        {name for sample in samples for name in (*sample.properties, *sample.characteristics)} - set(fields)
    )
    keys = []
    for name in fields:
        key = {_bare(sample.field(name)): sample.accession for sample in samples if sample.field(name)}
        if len(key) == len(samples):
            keys.append(key)
    return keys


def _bare(text: str) -> str:
    """Return letters and digits only, without the X that R puts before a digit."""
    plain = letters_and_digits(text)
    return plain[1:] if len(plain) > 1 and plain[0] == "x" and plain[1].isdigit() else plain


def _explain_no_match(source: str, grid: Axes, samples: Sequence[Sample], n_matched: int) -> str:
    return (
        f"{source}: {n_matched} of {len(samples)} samples are in it under an accession, title or other property. Its columns "
        f"start with {list_names(grid.columns)}; titles with {list_names([sample.title for sample in samples])}. Name another "
        "file in a recipe, or rename the columns and use `source: table`."
    )
