"""The record of a meta-analysis of signatures or claims: one answer in words, what is pooled, and every cohort's estimate.

The models below describe the keys of ``pooled.json`` and the columns of its tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import Field

from responder_ml.records.folder import FolderFormat, Number, Part

SCHEMA_VERSION = 1
ANSWER, PAGE = "pooled.json", "pooled.html"


class PooledRow(Part):
    """One signature or claim over its cohorts."""

    pooled: str = Field(description="signature, or claim with region, drug, arm and statistic")
    cohorts: int = Field(description="cohorts that have an estimate of it")
    mean: float = Field(description="mean over cohorts; 0 with no effect")
    low: float = Field(description="lower end of its 95 % interval (Hartung and Knapp)")
    high: float = Field(description="upper end")
    p_value: float = Field(description="two-sided p of a mean of 0")
    fdr: float = Field(description="the same over all that is pooled, Benjamini and Hochberg")
    prediction_low: float = Field(
        description="lower end of the 95 % prediction interval: the true value in a new cohort"
    )
    prediction_high: float = Field(description="upper end")
    tau2: float = Field(description="variance between cohorts (restricted maximum likelihood)")
    tau2_low: float = Field(description="lower end of its 95 % interval (Q-profile)")
    tau2_high: float = Field(description="upper end")
    i2: float = Field(description="share of the variance of the estimates that is between cohorts")
    q: float = Field(description="Cochran's Q")
    q_p_value: float = Field(description="p of equal values in all cohorts")


class EstimateRow(Part):
    """The estimate of one cohort."""

    pooled: str = Field(description="as in pooled.csv")
    cohort: str = Field(description="name of the folder's job; the folder where two have one name")
    subjects: str = Field(description="subjects of each group")
    observed: float = Field(description="what was observed")
    no_effect: float = Field(description="its value with no effect")
    estimate: float = Field(description="observed less its value with no effect, which is pooled")
    standard_error: float = Field(description="standard error; of claims, what their interval stands for")
    low: float = Field(description="lower end of the cohort's own 95 % interval, less the value with no effect")
    high: float = Field(description="upper end")
    weight: float = Field(description="share in the mean; may be negative where cohorts share subjects")
    without: Number = Field(None, description="mean of the other cohorts; empty with two cohorts")
    without_low: Number = Field(None, description="lower end of its 95 % interval")
    without_high: Number = Field(None, description="upper end")


class SharedSubjects(Part):
    """Two cohorts that share subjects."""

    one: str = Field(description="a cohort")
    other: str = Field(description="another one")
    subjects: int = Field(description="subjects of both")
    correlation: float = Field(description="correlation of their errors, from the sizes of the groups")

    @property
    def sentence(self) -> str:
        """What this means, in words."""
        return (
            f"{self.one} and {self.other} share {self.subjects} subjects: without any effect their estimates correlate at "
            f"{self.correlation:.2f}, which the weights allow for."
        )


class PooledResult(Part):
    """The content of ``pooled.json``."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of these keys")
    name: str = Field(description="name of the analysis")
    kind: Literal["signatures", "claims"] = Field(description="what is pooled")
    simulated: bool = Field(description="whether any cohort is simulated")
    fdr: float = Field(description="level of the false discovery rate")
    level: str = Field(description="evidence where some false discovery rate is at most that level; no_evidence")
    sentence: str = Field(description="the conclusion in words")
    notes: tuple[str, ...] = Field((), description="what may make cohorts less than independent or less than alike")
    shared: tuple[SharedSubjects, ...] = Field((), description="cohorts that share subjects")
    not_pooled: dict[str, str] = Field({}, description="why each other signature or claim is not pooled")
    versions: dict[str, str] = Field({}, description="versions of Python and of the packages that matter")
    seed: int = Field(0, description="not used: nothing is random")


TABLES: Mapping[str, Mapping[str, str]] = {
    "pooled": PooledRow.columns(),
    "estimates": EstimateRow.columns(),
}
"""Columns of each table with their descriptions."""

POOLED_FOLDER = FolderFormat(
    "meta-analysis of signatures or claims",
    "meta",
    ANSWER,
    SCHEMA_VERSION,
    TABLES,
    tables_required=True,
    float_format="%.10g",
    pages=(PAGE,),
)


@dataclass(frozen=True)
class PooledRun:
    """The outcome of a meta-analysis of signatures or claims.

    Attributes
    ----------
    result
        The content of ``pooled.json``.
    tables
        One data frame for each name in `TABLES`.
    config
        The folders.
    """

    result: PooledResult
    tables: dict[str, pd.DataFrame] = field(repr=False)
    config: dict[str, Any] = field(repr=False)

    @property
    def rows(self) -> tuple[PooledRow, ...]:
        """The rows of ``pooled.csv``, the smallest p first."""
        return tuple(PooledRow.model_validate(record) for record in self.tables["pooled"].to_dict("records"))

    @property
    def estimates(self) -> tuple[EstimateRow, ...]:
        """The rows of ``estimates.csv``."""
        return EstimateRow.rows(self.tables["estimates"])


def read_pooled(folder: Path) -> PooledRun:
    """Read a meta-analysis of signatures or claims back.

    Raises
    ------
    RunError
        The folder is missing, incomplete, damaged or from a newer version.
    """
    return PooledRun(*POOLED_FOLDER.read_as(folder, PooledResult))


def write_pooled(run: PooledRun, page: str, folder: Path) -> None:
    """Write the folder; ``pooled.json`` comes last, so a folder that has one is complete.

    Raises
    ------
    RunError
        The folder holds something else, or cannot be written.
    """
    POOLED_FOLDER.write(folder, run.result.model_dump(mode="json"), run.tables, run.config, page)
