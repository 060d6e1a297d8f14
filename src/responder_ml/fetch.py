"""Download a GEO series by its accession and write files that a job can read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from responder_ml.cohort.gene_ids import kind_of
from responder_ml.cohort.geo.archive import archive_of
from responder_ml.cohort.geo.cohort_files import GENES, PROVENANCE, SHEET, expression_name, series_contents
from responder_ml.cohort.geo.download import Downloader, Fetched, Patience
from responder_ml.cohort.geo.expression import SeriesExpression, read_expression_file, read_matrix_values
from responder_ml.cohort.geo.raw_archive import unpack_tables
from responder_ml.cohort.geo.recipe import Recipe, find_recipe, load_recipe, recipe_digest
from responder_ml.cohort.geo.sample_columns import sample_sheet
from responder_ml.cohort.geo.series_files import SeriesFiles
from responder_ml.cohort.geo.series_matrix import SeriesMatrix, read_series_matrix
from responder_ml.errors import FetchError, NotInArchiveError
from responder_ml.progress import Progress
from responder_ml.records.files import write_folder
from responder_ml.records.ownership import FolderKind, by_answer

SOURCES = ("auto", "ncbi", "supplementary", "matrix")
"""Where expression may come from; ``auto`` takes the first of the others that the series has."""

SERIES_FOLDER = FolderKind(
    "fetched series",
    by_answer(
        PROVENANCE,
        ("series", "source", "recipe_sha256", "files"),
        (SHEET, PROVENANCE, GENES, *(expression_name(units) for units in ("counts", "log2", "tpm"))),
    ),
    error=FetchError,
)
"""How a folder of a fetched series is recognised before it is written."""


@dataclass(frozen=True)
class FetchedSeries:
    """What was written.

    Attributes
    ----------
    folder
        The folder.
    provenance
        Content of ``provenance.json`` in it.
    """

    folder: Path
    provenance: dict[str, Any]


@dataclass(frozen=True)
class _Source:
    """Expression, and the files it was read from."""

    expression: SeriesExpression
    name: str
    files: tuple[Fetched, ...]
    annotation: Fetched | None = None


def fetch(
    series: str,
    out: Path | None = None,
    *,
    recipe: Path | None = None,
    source: str | None = None,
    cache: Path | None = None,
    archive: str | None = None,
    sha256: str | None = None,
    progress: Progress | None = None,
    patience: Patience | None = None,
) -> FetchedSeries:
    """Download a series and write its cohort files.

    Parameters
    ----------
    series
        Accession, such as ``GSE81672``.
    out
        Folder to write; ``data/SERIES`` if not given.
    recipe
        File that says how to read it; without one, the program's own recipe, or characteristics as they are.
    source
        One of `SOURCES`; the recipe's if not given.
    cache
        Folder for downloads; the platform's cache folder if not given.
    archive
        Address of a server to use in place of GEO.
    sha256
        Digest the expression file must have; the recipe's if not given.
    progress
        Shows the progress of every file.
    patience
        When to give up.

    Raises
    ------
    FetchError
        The files cannot be fetched, are damaged, or contradict the recipe; nothing is written partly.
    """
    addresses = archive_of(series, archive)
    rules = _rules(addresses.series, recipe, source, sha256)
    destination = out or Path("data") / addresses.series
    SERIES_FOLDER.check(destination)
    folder = (cache or user_cache_path("responder_ml") / "geo") / addresses.series
    files = SeriesFiles(addresses, Downloader(folder, progress, patience))
    matrix_files = files.matrices()
    matrices = [read_series_matrix(file.path) for file in matrix_files]
    sheet = sample_sheet([sample for matrix in matrices for sample in matrix.samples], rules)
    source_files = _read_expression(files, matrix_files, matrices, rules)
    provenance = _provenance(rules, source_files, matrix_files, len(sheet))
    annotation = source_files.annotation.path if source_files.annotation else None
    write_folder(destination, series_contents(source_files.expression, sheet, provenance, annotation), SERIES_FOLDER)
    return FetchedSeries(destination, provenance)


def _rules(series: str, recipe: Path | None, source: str | None, sha256: str | None) -> Recipe:
    rules = load_recipe(recipe) if recipe else find_recipe(series)
    if rules.series != series:
        raise FetchError(f"The recipe {recipe} is for {rules.series}, not for {series}. Give the right one.")
    if source is not None and source not in SOURCES:
        raise FetchError(f"There is no source '{source}'. Known: {', '.join(SOURCES)}.")
    changed = {key: value for key, value in (("source", source), ("sha256", sha256)) if value is not None}
    return rules.model_copy(update={"expression": rules.expression.model_copy(update=changed)})


def _read_expression(
    files: SeriesFiles, matrix_files: Sequence[Fetched], matrices: Sequence[SeriesMatrix], rules: Recipe
) -> _Source:
    """Return the expression from the requested source, or from the first that has it."""
    part = rules.expression
    samples = [sample for matrix in matrices for sample in matrix.samples]
    reasons = []
    if part.source in ("auto", "ncbi") and part.file is None:
        try:
            counts, annotation = files.ncbi_counts(part.sha256)
            return _Source(read_expression_file(counts.path, samples, "counts"), "ncbi", (counts,), annotation)
        except NotInArchiveError as problem:
            reasons.append(str(problem))
    if part.source in ("auto", "supplementary"):
        try:
            table = files.supplementary(part)
            paths = [table.path]
            if table.path.suffix == ".tar":
                paths = unpack_tables(table.path, table.path.with_suffix(""))
            return _Source(read_expression_file(paths, samples, part.units), "supplementary", (table,))
        except NotInArchiveError as problem:
            reasons.append(str(problem))
    if part.source == "matrix" or (part.source == "auto" and any(matrix.rows for matrix in matrices)):
        source = ", ".join(file.path.name for file in matrix_files)
        return _Source(read_matrix_values(matrices, source, part.units), "matrix", ())
    raise FetchError(f"No expression of {rules.series} was found. " + " ".join(reasons))


def _provenance(rules: Recipe, source: _Source, matrix_files: Sequence[Fetched], n_samples: int) -> dict[str, Any]:
    expression = source.expression
    notes = [*rules.notes, *expression.notes]
    if rules.samples is not None and rules.samples != n_samples:
        notes.append(f"The recipe expects {rules.samples} samples, the series has {n_samples}.")
    annotation = [source.annotation] if source.annotation else []
    return {
        "series": rules.series,
        "about": rules.about,
        "expression": expression_name(expression.units),
        "samples": SHEET,
        "annotation": GENES if annotation else None,
        "units": expression.units,
        "gene_ids": kind_of(expression.genes),
        "n": {"samples": len(expression.samples), "genes": len(expression.genes), "in_series": n_samples},
        "source": source.name,
        "subject": rules.subject,
        "recipe_sha256": recipe_digest(rules),
        "files": [file.record() for file in (*matrix_files, *source.files, *annotation)],
        "notes": notes,
    }
