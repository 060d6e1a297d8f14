"""The record of gene-set tests: one answer in words, and a row for every set.

The models below describe the keys of ``sets.json`` and the columns of ``sets.csv``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from responder_ml.cohort.tissue_taken import TissueTaken
from responder_ml.records.folder import FolderFormat, Number, Part

SCHEMA_VERSION = 1
ANSWER, PAGE = "sets.json", "sets.html"


class SetRow(Part):
    """One gene set."""

    set: str = Field(description="name of the gene set")
    genes: int = Field(description="its genes that are tested")
    listed: int = Field(description="genes it lists")
    direction: str = Field(
        description="up or down in the positive class; for a set with two sides, along or against them"
    )
    mean_z: float = Field(description="mean over its genes of the signed z of moderated t (roast)")
    p: float = Field(
        description="self-contained two-sided p by rotation (roast): do its genes differ together in one direction?"
    )
    fdr: float = Field(description="the same over all sets, Benjamini and Hochberg")
    mixed_p: float = Field(description="the same for changes in either direction (roast, mixed)")
    mixed_fdr: float = Field(description="the same over all sets, Benjamini and Hochberg")
    difference: Number = Field(
        None, description="mean z less that of all other genes (camera); of two sides, up less down"
    )
    correlation: Number = Field(None, description="mean correlation between its genes that camera corrects for")
    camera_p: Number = Field(
        None, description="competitive two-sided p (camera): does it differ more than the other genes?"
    )
    camera_fdr: Number = Field(None, description="the same over all sets, Benjamini and Hochberg")


class SetsResult(Part):
    """The content of ``sets.json``."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of these keys")
    name: str = Field(description="name of the job")
    simulated: bool = Field(description="whether the data are simulated")
    taken: TissueTaken = Field("unknown", description="whether tissue was taken before or after the outcome was known")
    positive: str = Field(description="positive class")
    negative: str = Field(description="negative class")
    n_positive: int = Field(description="subjects of the positive class")
    n_negative: int = Field(description="subjects of the negative class")
    genes: int = Field(description="expressed genes, all of which are in the linear model")
    adjusted: tuple[str, ...] = Field(
        (), description="what the linear model holds constant: strata, pairs and covariates"
    )
    not_adjusted: tuple[str, ...] = Field((), description="nuisance columns of the job that it does not")
    files: dict[str, str] = Field({}, description="SHA-256 of each file of gene sets")
    dropped: dict[str, str] = Field({}, description="why each other set was not tested")
    rotations: int = Field(description="rotations of roast")
    needed_rotations: int = Field(
        0, description="rotations with which one set alone could reach the false discovery rate"
    )
    preset_correlation: Number = Field(
        None, description="correlation given to camera; null where it was estimated for each set"
    )
    fdr: float = Field(description="level of the false discovery rate")
    sentence: str = Field(description="the conclusion in words")
    versions: dict[str, str] = Field({}, description="versions of Python and of the packages that matter")
    seed: int = Field(description="seed of the rotations")


TABLES: Mapping[str, Mapping[str, str]] = {
    "sets": SetRow.columns(),
}
"""Columns of each table with their descriptions."""

SETS_FOLDER = FolderFormat(
    "table of gene-set tests",
    "sets",
    ANSWER,
    SCHEMA_VERSION,
    TABLES,
    tables_required=True,
    float_format="%.10g",
    pages=(PAGE,),
)


@dataclass(frozen=True)
class SetsRun:
    """The outcome of gene-set tests.

    Attributes
    ----------
    result
        The content of ``sets.json``.
    tables
        One data frame for each name in `TABLES`.
    config
        The resolved configuration of the job.
    """

    result: SetsResult
    tables: dict[str, pd.DataFrame] = field(repr=False)
    config: dict[str, Any] = field(repr=False)

    @property
    def rows(self) -> tuple[SetRow, ...]:
        """The rows of ``sets.csv``, the smallest p first."""
        return SetRow.rows(self.tables["sets"])


def read_sets(folder: Path) -> SetsRun:
    """Read gene-set tests back.

    Raises
    ------
    RunError
        The folder is missing, incomplete, damaged or from a newer version.
    """
    return SetsRun(*SETS_FOLDER.read_as(folder, SetsResult))


def write_sets(run: SetsRun, page: str, folder: Path) -> None:
    """Write the folder; ``sets.json`` comes last, so a folder that has one is complete.

    Raises
    ------
    RunError
        The folder holds something else, or cannot be written.
    """
    SETS_FOLDER.write(folder, run.result.model_dump(mode="json"), run.tables, run.config, page)
