"""What is sent to a tracker, as frozen items; nothing here depends on any tracker."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Param:
    """A setting, fixed before training, as text."""

    key: str
    value: str


@dataclass(frozen=True)
class Tag:
    """Something to filter and group by, as text."""

    key: str
    value: str


@dataclass(frozen=True)
class Metric:
    """A finite number; ``step`` orders those of one key."""

    key: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class Artifact:
    """A file or folder, and the folder of the record it goes to ("" for the top)."""

    path: Path
    folder: str = ""


@dataclass(frozen=True)
class DatasetInput:
    """The data a run was trained on.

    Attributes
    ----------
    name
        Name of the data set.
    digest
        Leading characters of its SHA-256.
    source_type, source
        "simulated" or "local", and what is needed to obtain the data again.
    profile
        Its size, as counts by name.
    """

    name: str
    digest: str
    source_type: str
    source: Mapping[str, Any]
    profile: Mapping[str, int]


Item = Param | Tag | Metric | Artifact | DatasetInput


@dataclass(frozen=True)
class Record:
    """One row of a tracker: a job, or one of its candidates.

    Attributes
    ----------
    name
        Name of the row.
    description
        Markdown, shown when the row is opened.
    items
        Everything in the row.
    """

    name: str
    description: str
    items: tuple[Item, ...]


def files_of(folder: Path) -> Iterator[Artifact]:
    """Yield the files of a folder, tables in a folder of their own so that the page is seen first; its folders are left out."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith(".") and not path.is_symlink():
            yield Artifact(path, "tables" if path.suffix == ".csv" else "")


def params(values: Mapping[str, object]) -> Iterator[Param]:
    """Yield a parameter for each value that is present."""
    return (Param(key, str(value)) for key, value in values.items() if value is not None and value != "")


def tags(values: Mapping[str, object]) -> Iterator[Tag]:
    """Yield a tag for each value that is present."""
    return (Tag(key, str(value)) for key, value in values.items() if value is not None and value != "")


def metrics(values: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield a metric for each value that is a finite number; trackers cannot plot the others."""
    return (Metric(key, _short(value)) for key, value in values.items() if value is not None and math.isfinite(value))


def series(key: str, values: Iterable[tuple[int, float]]) -> Iterator[Metric]:
    """Yield one metric at many steps, from pairs of step and value."""
    return (Metric(key, _short(value), int(step)) for step, value in values if math.isfinite(value))


def _short(value: float) -> float:
    """Round to four decimals, or to four significant digits below 1: trackers print every digit they get.

    The run's own files keep all digits.
    """
    return float(f"{value:.4g}") if abs(value) < 1 else round(float(value), 4)
