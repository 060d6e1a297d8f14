"""Several expression files as one grid, genes in rows: the genes that all have, the samples of each."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.expression_files import describe_files, sample_name_of
from responder_ml.cohort.grid import Grid
from responder_ml.cohort.reading_note import ReadingNote
from responder_ml.errors import CohortError, list_names

_LEAST_COMMON = 0.5
_ACCESSION = re.compile(r"GSM\d+")


def join_grids(grids: Sequence[Grid], paths: Sequence[Path]) -> "JoinedGrid":
    """Join files of different samples.

    Which axis holds the genes shows in the names that the files share. Files of one sample each whose columns are called
    alike, or whose files begin with an accession of GEO, are named after their files.

    Raises
    ------
    CohortError
        The files have too few genes in common, or gene names that differ between files repeat within one.
    """
    first, second = grids[0], grids[1]
    in_rows = len(set(first.rows).intersection(second.rows))
    in_columns = len(set(first.columns).intersection(second.columns))
    genes_in_rows = in_rows >= in_columns
    genes_of = [list(grid.rows if genes_in_rows else grid.columns) for grid in grids]
    samples_of = [list(grid.columns if genes_in_rows else grid.rows) for grid in grids]
    if all(len(samples) == 1 for samples in samples_of) and (
        len({samples[0] for samples in samples_of}) < len(grids) or all(_ACCESSION.match(path.name) for path in paths)
    ):
        samples_of = [[sample_name_of(path)] for path in paths]
    genes, positions = _common(genes_of, paths)
    return JoinedGrid(
        describe_files(paths), grids, genes_in_rows, genes, positions, samples_of, _notes(genes_of, genes, paths)
    )


class JoinedGrid:
    """Genes x samples of several files.

    Parameters
    ----------
    source
        Of the files together.
    grids
        The files.
    genes_in_rows
        In the files.
    genes, positions
        Common genes, and where each file has them.
    samples_of
        Samples of each file.
    notes
        On joining.
    """

    def __init__(
        self,
        source: str,
        grids: Sequence[Grid],
        genes_in_rows: bool,
        genes: Sequence[str],
        positions: Sequence[Indices],
        samples_of: Sequence[Sequence[str]],
        notes: Sequence[ReadingNote],
    ) -> None:
        self.source = source
        self.rows: Sequence[str] = genes
        self.columns: Sequence[str] = [sample for samples in samples_of for sample in samples]
        self.notes: Sequence[ReadingNote] = (*_once_each(grids), *notes)
        self.estimated = any(grid.estimated for grid in grids)
        self._grids = grids
        self._genes_in_rows = genes_in_rows
        self._positions = positions
        self._ends = np.cumsum([len(samples) for samples in samples_of])

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN; text is refused by name."""
        file_of = np.searchsorted(self._ends, columns, side="right")
        values = np.empty((len(columns), len(rows)))
        for file in np.unique(file_of):
            chosen = np.flatnonzero(file_of == file)
            samples = columns[chosen] - (self._ends[file - 1] if file else 0)
            genes, grid = self._positions[file][rows], self._grids[file]
            if self._genes_in_rows:
                values[chosen] = grid.numbers(genes, samples, genes_in_rows=True).T
            else:
                values[chosen] = grid.numbers(samples, genes, genes_in_rows=False)
        return values.T


def _common(genes_of: Sequence[list[str]], paths: Sequence[Path]) -> tuple[list[str], list[Indices]]:
    if all(genes == genes_of[0] for genes in genes_of):
        return genes_of[0], [np.arange(len(genes_of[0]), dtype=np.intp)] * len(genes_of)
    rows_of_genes = []
    for genes, path in zip(genes_of, paths, strict=True):
        row_of_gene = {gene: index for index, gene in enumerate(genes)}
        if len(row_of_gene) < len(genes):
            raise CohortError(
                f"{path.name} names {len(genes) - len(row_of_gene)} gene(s) more than once, and the files do not list the same "
                "genes in one order, so they cannot be joined. Give each gene one row."
            )
        rows_of_genes.append(row_of_gene)
    genes = [gene for gene in genes_of[0] if all(gene in row_of_gene for row_of_gene in rows_of_genes)]
    if len(genes) < _LEAST_COMMON * min(map(len, genes_of)):
        fewest = min(range(len(paths)), key=lambda file: len(set(genes_of[0]) & set(genes_of[file])))
        raise CohortError(
            f"The {len(paths)} files have {len(genes)} genes in common; {paths[0].name} begins with {list_names(genes_of[0], 3)}, "
            f"{paths[fewest].name} with {list_names(genes_of[fewest], 3)}. Give files of one annotation, genes on the same axis."
        )
    return genes, [np.array([row_of_gene[gene] for gene in genes], dtype=np.intp) for row_of_gene in rows_of_genes]


def _notes(genes_of: Sequence[list[str]], genes: Sequence[str], paths: Sequence[Path]) -> list[ReadingNote]:
    notes = [ReadingNote("info", f"{len(paths)} expression files were joined on {len(genes)} genes that all have.")]
    most = max(map(len, genes_of))
    if most > len(genes):
        notes.append(
            ReadingNote(
                "warning", f"{most - len(genes)} of up to {most} genes are missing in some file and were left out."
            )
        )
    return notes


def _once_each(grids: Sequence[Grid]) -> list[ReadingNote]:
    """Return the notes of all files, those that differ by the file's name alone once, with their number."""
    notes: dict[ReadingNote, int] = {}
    first: dict[ReadingNote, ReadingNote] = {}
    for grid in grids:
        for note in grid.notes:
            alike = note._replace(message=note.message.replace(grid.source, "").replace(str(grid.columns[0]), ""))
            notes[alike] = notes.get(alike, 0) + 1
            first.setdefault(alike, note)
    return [
        note._replace(message=f"{note.message} (and {notes[alike] - 1} other files)") if notes[alike] > 1 else note
        for alike, note in first.items()
    ]
