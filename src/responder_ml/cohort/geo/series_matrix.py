"""A GEO series matrix file: the submitters' description of each sample, and a table of values if there is one.

Lines that start with ``!Sample_`` hold one property of all samples, separated by tabs, in double quotes;
``characteristics_ch1`` occurs several times, each cell as ``name: value``, and names may differ within a line. For RNA-seq
the table between
``!series_matrix_table_begin`` and ``_end`` is empty.
"""

import csv
import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.errors import FetchError

_BEGIN, _END = "!series_matrix_table_begin", "!series_matrix_table_end"
_SAMPLE, _CHARACTERISTICS = "!Sample_", "characteristics_ch"


@dataclass(frozen=True)
class Sample:
    """One sample as submitted.

    Attributes
    ----------
    accession
        Such as ``GSM2166101``.
    properties
        ``title``, ``source_name_ch1``, ``organism_ch1``, ``description``, ... as submitted.
    characteristics
        Name (lower case): value.
    """

    accession: str
    properties: Mapping[str, str]
    characteristics: Mapping[str, str]

    @property
    def title(self) -> str:
        """The sample's title."""
        return self.properties.get("title", "")

    def field(self, name: str) -> str:
        """Return a property or a characteristic by name, empty where the sample has none."""
        return self.properties.get(name, self.characteristics.get(name.lower(), ""))


@dataclass(frozen=True)
class SeriesMatrix:
    """The samples of one platform, and the table of values if there is one.

    Attributes
    ----------
    samples
        In the file's order.
    rows
        Row names of the table.
    values
        Rows x samples, not-a-number where a cell is empty.
    """

    samples: tuple[Sample, ...]
    rows: tuple[str, ...] = ()
    values: Floats = field(default_factory=lambda: np.empty((0, 0)), repr=False)


def read_series_matrix(path: Path) -> SeriesMatrix:
    """Read a series matrix file, plain or gzipped.

    Raises
    ------
    FetchError
        It is not a series matrix, or its lines have different lengths.
    """
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", errors="replace", newline="") as lines:
        sample_lines: list[list[str]] = []
        reader = csv.reader(lines, delimiter="\t")
        for row in reader:
            if row and row[0].startswith(_SAMPLE):
                sample_lines.append(row)
            elif row and row[0].strip() == _BEGIN:
                break
        table = [row for row in _until_end(reader) if row]
    samples = _samples(sample_lines, path)
    rows, values = _values(table, len(samples), path)
    return SeriesMatrix(samples, rows, values)


def _until_end(reader: Iterable[list[str]]) -> Iterable[list[str]]:
    for row in reader:
        if row and row[0].strip() == _END:
            return
        yield row


def _samples(sample_lines: list[list[str]], path: Path) -> tuple[Sample, ...]:
    accessions = next((row[1:] for row in sample_lines if row[0] == "!Sample_geo_accession"), [])
    if not accessions or any(len(row) - 1 != len(accessions) for row in sample_lines):
        raise FetchError(
            f"{path} is not a complete series matrix: it names {len(accessions)} samples in !Sample_geo_accession, and every "
            "!Sample_ line must have as many cells. Delete it and fetch again."
        )
    return tuple(
        Sample(accession.strip(), *_described(sample_lines, column))
        for column, accession in enumerate(accessions, start=1)
    )


def _described(sample_lines: list[list[str]], column: int) -> tuple[dict[str, str], dict[str, str]]:
    properties: dict[str, str] = {}
    characteristics: dict[str, str] = {}
    for row in sample_lines:
        name, cell = row[0].removeprefix(_SAMPLE), row[column].strip()
        if name.startswith(_CHARACTERISTICS):
            key, colon, value = cell.partition(":")
            if colon:
                characteristics.setdefault(key.strip().lower(), value.strip())
        else:
            properties[name] = f"{properties[name]} | {cell}" if properties.get(name) and cell else cell
    return properties, characteristics


def _values(table: list[list[str]], n_samples: int, path: Path) -> tuple[tuple[str, ...], Floats]:
    body = table[1:]
    if not body:
        return (), np.empty((0, n_samples))
    if any(len(row) != n_samples + 1 for row in body):
        raise FetchError(f"{path} has rows with more or fewer values than samples. Delete it and fetch again.")
    try:
        values = np.array([[_number(cell) for cell in row[1:]] for row in body], dtype=np.float64)
    except ValueError as problem:
        raise FetchError(f"{path} has a cell that is not a number: {problem}. Use a supplementary file.") from problem
    return tuple(row[0].strip() for row in body), values


def _number(cell: str) -> float:
    return float(cell) if cell.strip() not in {"", "null", "NA"} else float("nan")
