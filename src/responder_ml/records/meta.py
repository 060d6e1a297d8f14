"""The record of a meta-analysis of runs: one answer in words, a row for every cohort, and the mean without each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from responder_ml.records.folder import FolderFormat, Part
from responder_ml.records.pooled import SharedSubjects

SCHEMA_VERSION = 1
ANSWER, PAGE = "meta.json", "meta.html"


class CohortRow(Part):
    """One cohort: a run's headline."""

    cohort: str = Field(description="name of the run; its folder where two have one name")
    positive: str = Field(description="positive class")
    negative: str = Field(description="negative class")
    n_positive: int = Field(description="subjects of the positive class")
    n_negative: int = Field(description="subjects of the negative class")
    auroc: float = Field(description="out-of-fold AUROC of the run")
    auroc_low: float = Field(description="lower end of its 95 % interval")
    auroc_high: float = Field(description="upper end")
    p_value: float | None = Field(None, description="the run's own p; empty where no null was run")
    verdict: str = Field(description="the run's own verdict")
    weight: float = Field(description="share of this cohort in the mean; may be negative where cohorts share subjects")
    without: float | None = Field(None, description="mean AUROC of the other cohorts; empty with two cohorts")
    without_low: float | None = Field(None, description="lower end of its 95 % interval")
    without_high: float | None = Field(None, description="upper end")


class MetaResult(Part):
    """The content of ``meta.json``. Means and intervals are pooled as logit AUROC and given as AUROC."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of these keys")
    name: str = Field(description="name of the analysis")
    simulated: bool = Field(description="whether any cohort is simulated")
    auroc: float = Field(description="mean AUROC over cohorts")
    auroc_low: float = Field(description="lower end of its 95 % interval (Hartung and Knapp)")
    auroc_high: float = Field(description="upper end")
    p_value: float = Field(description="two-sided p of a mean AUROC of one half")
    prediction_low: float = Field(
        description="lower end of the 95 % prediction interval: the true AUROC of a new cohort"
    )
    prediction_high: float = Field(description="upper end")
    tau2: float = Field(description="variance of logit AUROC between cohorts (restricted maximum likelihood)")
    tau2_low: float = Field(description="lower end of its 95 % interval (Q-profile)")
    tau2_high: float = Field(description="upper end")
    i2: float = Field(description="share of the variance of the estimates that is between cohorts")
    q: float = Field(description="Cochran's Q")
    q_p_value: float = Field(description="p of equal AUROCs in all cohorts")
    level: str = Field(description="evidence where the interval of the mean lies above one half; no_evidence")
    sentence: str = Field(description="the conclusion in words")
    notes: tuple[str, ...] = Field((), description="what may make cohorts less than independent or less than alike")
    shared: tuple[SharedSubjects, ...] = Field((), description="cohorts that share subjects")
    cohorts: tuple[CohortRow, ...] = Field((), description="the rows of cohorts.csv")
    versions: dict[str, str] = Field({}, description="versions of Python and of the packages that matter")
    seed: int = Field(0, description="not used: nothing is random")


TABLES: Mapping[str, Mapping[str, str]] = {
    "cohorts": CohortRow.columns(),
}
"""Columns of each table with their descriptions."""

META_FOLDER = FolderFormat(
    "meta-analysis", "meta", ANSWER, SCHEMA_VERSION, TABLES, tables_required=True, float_format="%.10g", pages=(PAGE,)
)


@dataclass(frozen=True)
class MetaRun:
    """The outcome of a meta-analysis.

    Attributes
    ----------
    result
        The content of ``meta.json``.
    tables
        One data frame for each name in `TABLES`.
    config
        Folders of the runs.
    """

    result: MetaResult
    tables: dict[str, pd.DataFrame] = field(repr=False)
    config: dict[str, Any] = field(repr=False)


def read_meta(folder: Path) -> MetaRun:
    """Read a meta-analysis back.

    Raises
    ------
    RunError
        The folder is missing, incomplete, damaged or from a newer version.
    """
    return MetaRun(*META_FOLDER.read_as(folder, MetaResult))


def write_meta(run: MetaRun, page: str, folder: Path) -> None:
    """Write the folder; ``meta.json`` comes last, so a folder that has one is complete.

    Raises
    ------
    RunError
        The folder holds something else, or cannot be written.
    """
    META_FOLDER.write(folder, run.result.model_dump(mode="json"), run.tables, run.config, page)
