"""An expression matrix whose orientation is found by names known to be on one axis, never by its shape."""

import re
from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.cohort.number_style import NumberStyle, find_style
from responder_ml.cohort.reading_note import ReadingNote
from responder_ml.errors import CohortError, ExpressionError, list_names

_MISSING = frozenset(
    {
        "",
        "na",
        "n/a",
        "#n/a",
        "nan",
        "null",
        "none",
        "<na>",
        "-",
        "--",
        ".",
        "?",
        "missing",
        "#div/0!",
        "#num!",
        "nd",
        "n.d.",
    }
)
_SLASH = re.compile(r"[/\\]")
# What aligners add to a sample's name.
_ALIGNED = re.compile(
    r"(?:[._-]?(?:Aligned\.sortedByCoord\.out|Aligned\.out|sortedByCoord|accepted_hits|sorted|sort|markdup|dedup|umi_dedup))*"
    r"\.(?:bam|sam|cram)$",
    re.IGNORECASE,
)


class Axes(Protocol):
    """Two axes of names.

    Attributes
    ----------
    source
        File name, for messages.
    rows, columns
        Names along the axes.
    """

    source: str
    rows: Sequence[str]
    columns: Sequence[str]


class Numbers(Axes, Protocol):
    """Two axes of names and the numbers between them."""

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN; text is refused by name."""


class Grid(Numbers, Protocol):
    """A file's numbers, and how it was read.

    Attributes
    ----------
    notes
        What was left out or recognised on the way here.
    estimated
        Whether counts were estimated by a program, with decimals.
    """

    notes: Sequence[ReadingNote]
    estimated: bool


class CellGrid:
    """A grid of columns in memory.

    Parameters
    ----------
    source, rows, columns, notes, estimated
        As for `Grid`.
    arrays
        One Arrow array of numbers or text per column.
    counts
        Whether the numbers are declared as counts; tells thousands from decimals.
    """

    def __init__(
        self,
        source: str,
        rows: Sequence[str],
        columns: Sequence[str],
        arrays: Sequence[pa.ChunkedArray],
        *,
        notes: Sequence[ReadingNote] = (),
        estimated: bool = False,
        counts: bool = False,
    ) -> None:
        self.source = source
        self.rows = rows
        self.columns = columns
        self.estimated = estimated
        self._columns = arrays
        self._style = find_style(arrays, counts=counts and not estimated)
        style_note = [ReadingNote("info", f"{source}: {self._style.note}")] if self._style.note else []
        self.notes: Sequence[ReadingNote] = (*notes, *style_note)

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN; text is refused by name."""
        run = contiguous_run(rows)
        row_indices = pa.array(rows) if run is None else None
        # Samples lie together in memory, so that nobody needs a copy in another order.
        by_column = np.empty((len(columns), len(rows))) if genes_in_rows else np.empty((len(rows), len(columns))).T
        for index, column in enumerate(columns):
            all_rows = self._columns[column]
            array = all_rows.take(row_indices) if run is None else all_rows.slice(run.start, len(rows))
            try:
                by_column[index] = _as_floats(array, self._style)
            except _TextCell as cell:
                names = (self.rows[rows[cell.row]], self.columns[column])
                gene, sample = names if genes_in_rows else names[::-1]
                raise ExpressionError(
                    f"{self.source}: gene '{gene}', sample '{sample}' is '{cell.text}', not a number. Expression "
                    "cells hold numbers with a decimal point; remove columns and rows that are not expression."
                ) from None
        return by_column.T


def genes_are_in_rows(grid: Axes, known: Collection[str], *, known_are: str, enough: float) -> bool:
    """Find the orientation from names that must be on one axis.

    Parameters
    ----------
    grid
        The matrix.
    known
        Names of samples (from the sample sheet) or of genes (of a model).
    known_are
        ``samples`` or ``genes``.
    enough
        Where both axes hold known names, the share of ``known`` that exactly one axis must hold to settle it.

    Raises
    ------
    CohortError
        Neither axis holds a known name, or both do.
    """
    names = set(known)
    in_rows, in_columns = len(names.intersection(grid.rows)), len(names.intersection(grid.columns))
    if not in_rows and not in_columns:
        raise CohortError(_explain_no_match(grid, sorted(names), known_are))
    rows_hold_known = in_rows > 0
    if in_rows and in_columns:
        rows_hold_known, columns_hold_known = in_rows >= enough * len(names), in_columns >= enough * len(names)
        if rows_hold_known == columns_hold_known:
            raise CohortError(
                f"{grid.source}: names of {known_are} are on both axes ({in_rows} of {len(names)} in rows, "
                f"{in_columns} in columns), so its orientation is unknown. Give samples names that no gene has."
            )
    return rows_hold_known == (known_are == "genes")


def name_by_sample(grid: Grid, known: Collection[str] = ()) -> tuple[ReadingNote, ...]:
    """Shorten names that are paths of alignments to the samples' own, unless the paths themselves are known, and say so."""
    shortened = None if set(known).intersection(grid.columns) else shorten_paths(grid.columns)
    if shortened is None:
        return ()
    example = f"'{grid.columns[0]}' is '{shortened[0]}'"
    grid.columns = shortened
    return (ReadingNote("info", f"{grid.source}: names of columns are paths and were shortened: {example}."),)


def shorten_paths(names: Sequence[str]) -> list[str] | None:
    """Return the samples' own names where columns are called by paths of alignments; None where they are not.

    Examples
    --------
    >>> shorten_paths(["/data/bam/m01.sorted.bam", "/data/bam/m02.sorted.bam"])
    ['m01', 'm02']
    >>> shorten_paths(["m01/accepted_hits.bam", "m02/accepted_hits.bam"])
    ['m01', 'm02']
    """
    if not names or not all(_ALIGNED.search(name) for name in names):
        return None
    parts = [[part for part in _SLASH.split(name) if part] for name in names]
    by_file = [_ALIGNED.sub("", part[-1]) for part in parts]
    by_folder = [part[-2] if len(part) > 1 else "" for part in parts]
    candidates = (shortened for shortened in (by_file, by_folder) if all(shortened))
    return next((shortened for shortened in candidates if len(set(shortened)) == len(set(names))), None)


def read_samples(grid: Numbers, samples: Indices, genes: Indices, genes_in_rows: bool) -> Floats:
    """Return samples x genes by position, rows contiguous, missing cells as NaN."""
    if genes_in_rows:
        return np.ascontiguousarray(grid.numbers(genes, samples, genes_in_rows=True).T)
    return np.ascontiguousarray(grid.numbers(samples, genes, genes_in_rows=False))


def select_names(names: Sequence[str], chosen: Flags) -> list[str]:
    """Return the chosen names of an axis."""
    return [name for name, is_chosen in zip(names, chosen.tolist(), strict=True) if is_chosen]


def letters_and_digits(name: str) -> str:
    """Return the letters and digits of a name in lower case."""
    return "".join(character for character in name.lower() if character.isalnum())


def contiguous_run(positions: Indices) -> slice | None:
    """Return consecutive positions as a slice, None for any others."""
    start = int(positions[0]) if len(positions) else 0
    end = start + len(positions)
    return slice(start, end) if np.array_equal(positions, np.arange(start, end)) else None


class _TextCell(Exception):  # noqa: N818  (caught here and turned into a message)
    def __init__(self, row: int, text: str) -> None:
        self.row = row
        self.text = text


def _as_floats(array: pa.ChunkedArray, style: NumberStyle) -> Floats:
    if pa.types.is_string(array.type):
        array = style.plain(array)
    try:
        numbers = pa.compute.cast(array, pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _one_by_one(array)
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _one_by_one(array: pa.ChunkedArray) -> Floats:
    values = np.empty(len(array))
    for row, cell in enumerate(array.to_pylist()):
        text = "" if cell is None else str(cell).strip()
        if text.lower() in _MISSING:
            values[row] = np.nan
            continue
        try:
            values[row] = float(text.replace("_", "?"))  # Python alone reads 1_000 as a number
        except ValueError:
            raise _TextCell(row, text) from None
    return values


def _explain_no_match(grid: Axes, known: Sequence[str], known_are: str) -> str:
    shown = f"rows start with {list_names(grid.rows)}; columns with {list_names(grid.columns)}"
    if known_are == "genes":
        return (
            f"{grid.source}: none of the {len(known)} genes of the model is on either axis ({shown}). The model "
            f"knows {list_names(known)}. {_gene_hint(grid, known)}"
        )
    hint = _explain_changed_ids(grid, known)
    return (
        f"{grid.source}: none of the {len(known)} sample ids of the sample sheet ({list_names(known)}) is on either "
        f"axis ({shown}). {hint or 'Name the right column with `columns: {sample: ...}`, or make the names agree.'}"
    )


def _gene_hint(grid: Axes, known: Sequence[str]) -> str:
    """Say why no gene matches; nothing is matched by it."""
    lower = {name.lower() for name in known}
    if any(name.lower() in lower for name in (*grid.rows, *grid.columns)):
        return (
            "They differ by case only, as symbols of two species do: name a table of orthologs (`--gene-map FILE` with "
            "`relation: orthologs`); a change of case is not one."
        )
    return "Use the same kind of gene identifier, or name a table that translates them (`--gene-map FILE`)."


def _explain_changed_ids(grid: Axes, known: Sequence[str]) -> str:
    """Return a hint if the ids differ only by changes such as those of R's make.names."""
    plain = {letters_and_digits(name) for name in known}
    for axis, names in (("rows", grid.rows), ("columns", grid.columns)):
        for name in names:
            if letters_and_digits(name) in plain or letters_and_digits(name.removeprefix("X")) in plain:
                return (
                    f"They would match in {axis} except for case, punctuation or a leading X (such as '{name}'); R writes "
                    "names that way unless check.names = FALSE."
                )
    return ""
