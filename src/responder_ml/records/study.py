"""The record of a study: its result, its tables and its configuration, as a folder of plain files.

The models below are the one place where the rows of ``jobs.csv``, ``transfer.csv`` and ``fusion.csv``, and the keys of
``study.json``, are described; ``StudyResult.model_json_schema()`` returns them as a JSON schema.
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
ANSWER, PAGE = "study.json", "study.html"


class JobRow(Part):
    """One job of the grid, or one fusion of regions."""

    job: str = Field(description="name of the job in every table")
    region: str = Field(description="region, or the kind of fusion of all regions")
    endpoint: str = Field(description="endpoint")
    subset: str = Field(description="part of the endpoint's animals; all where it has no parts")
    positive: str = Field(description="positive class")
    negative: str = Field(description="negative class")
    n_positive: int = Field(description="subjects of the positive class")
    n_negative: int = Field(description="subjects of the negative class")
    auroc: Number = Field(None, description="out-of-fold AUROC of the whole procedure; empty where the job was refused")
    auroc_low: Number = Field(None, description="lower end of its 95 % interval")
    auroc_high: Number = Field(None, description="upper end")
    null_mean: Number = Field(None, description="mean of the test statistic under relabelled subjects")
    p_value: Number = Field(None, description="the job's own p, not corrected")
    attainable_p: Number = Field(None, description="smallest p the job could have had")
    corrected_p: Number = Field(None, description="p after the step-down correction over all jobs")
    attainable_corrected_p: Number = Field(None, description="corrected p, had the job had its smallest p")
    labellings: Number = Field(None, description="distinct relabellings of the job's subjects")
    within_batch_p: Number = Field(
        None, description="p within strata and batch, computed only where the corrected p is below alpha"
    )
    best_baseline: str | None = Field(None, description="the best baseline on the same folds")
    gain: Number = Field(None, description="headline AUROC minus that baseline's")
    gain_low: Number = Field(None, description="lower end of its corrected paired interval")
    gain_high: Number = Field(None, description="upper end")
    run_on_data: Number = Field(
        None,
        description="which of the different jobs on the same data this is; empty for fusions, which are not counted",
    )
    jobs_on_data: Number = Field(
        None, description="number of these jobs so far, by the register beside the study folder"
    )
    verdict: str = Field(
        description="evidence, no_evidence, undecided, confounded, not_separable, underpowered or refused"
    )
    sentence: str = Field(description="the verdict in words")


class StudyTransferRow(Part):
    """One job's procedure tested on another job, or on itself."""

    axis: str = Field(description="what differs: region or subset")
    endpoint: str = Field(description="endpoint")
    within: str = Field(description="what both jobs share: the subset, or the region")
    train: str = Field(description="where the model was trained")
    test: str = Field(description="where it was tested")
    subjects_train: int = Field(description="subjects of the training job")
    subjects_test: int = Field(description="subjects of the tested job")
    shared_subjects: int = Field(description="subjects in both; each is scored by a model trained without it")
    auroc: Number = Field(None, description="AUROC over the tested subjects")
    auroc_ci_low: Number = Field(None, description="lower end of its 95 % interval")
    auroc_ci_high: Number = Field(None, description="upper end")
    p_value: Number = Field(None, description="p of the relabelling null; empty where the training job is not evidence")
    p_holm: Number = Field(
        None, description="p after Holm's correction over the transfers tested; empty where a job is tested on itself"
    )
    null_mean: Number = Field(None, description="mean of the null")
    relabellings: int = Field(description="relabellings used")
    min_attainable_p: Number = Field(None, description="smallest p there could have been")
    coverage: Number = Field(None, description="share of the training job's genes that both have")
    note: str = Field(description="how it was done, or why not")


class FusionRow(Part):
    """One comparison of a fusion of regions."""

    endpoint: str = Field(description="endpoint")
    subset: str = Field(description="part of the endpoint's animals")
    first: str = Field(description="late or early fusion")
    second: str = Field(description="what it is compared with, on the same folds")
    difference: Number = Field(None, description="mean difference of AUROC over folds")
    low: Number = Field(None, description="lower end of its corrected 95 % interval")
    high: Number = Field(None, description="upper end")
    p_value: Number = Field(None, description="p of the corrected paired t test, two-sided")
    p_holm: Number = Field(None, description="p after Holm's correction within the endpoint and subset")


class FusedRegions(Part):
    """The regions of one endpoint that were fused."""

    endpoint: str = Field(description="endpoint")
    subset: str = Field(description="part of the endpoint's animals")
    subjects: int = Field(description="subjects with at least one region")
    missing: dict[str, int] = Field(description="subjects that lack each region")
    weights: dict[str, float] = Field(description="mean weight of each region in late fusion; they add up to one")
    single_auroc: float = Field(description="out-of-fold AUROC of the best single region, chosen within the folds")


class Correction(Part):
    """How the jobs were corrected for their number."""

    method: str = Field(description="the correction in words")
    alpha: float = Field(description="level of significance")
    jobs: int = Field(description="jobs tested together")
    draws: int = Field(description="joint relabellings of the subjects that the correction rests on")
    labellings: str = Field(description="distinct joint relabellings there are; text, as the number may exceed 64 bits")
    blocks: int = Field(description="blocks of subjects within which labels are permuted")
    exact: bool = Field(description="whether every job's own p comes from all of its labellings")


class StudyResult(Part):
    """The content of ``study.json``: the published, machine-readable result of a study."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of these keys")
    name: str = Field(description="the study's name")
    simulated: bool = Field(description="whether the data are simulated")
    taken: TissueTaken = Field("unknown", description="whether tissue was taken before or after the outcome was known")
    sentence: str = Field(description="the conclusion in words")
    correction: Correction = Field(description="how the jobs were corrected for their number")
    jobs: tuple[JobRow, ...] = Field((), description="the rows of jobs.csv")
    transfer: tuple[StudyTransferRow, ...] = Field((), description="the rows of transfer.csv")
    fusion: tuple[FusionRow, ...] = Field((), description="the rows of fusion.csv")
    fused: tuple[FusedRegions, ...] = Field(
        (), description="the regions that were fused, one entry per endpoint and subset"
    )
    timings: dict[str, float] = Field({}, description="seconds of each stage, and in total")
    versions: dict[str, str] = Field({}, description="versions of Python and of the packages that matter")
    seed: int = Field(description="seed of all random numbers")

    def content(self) -> dict[str, Any]:
        """Return plain values, as they are written to ``study.json``."""
        # Files of versions without the key are written as they were read.
        return self.model_dump(mode="json", exclude=None if "taken" in self.model_fields_set else {"taken"})


TABLES: Mapping[str, Mapping[str, str]] = {
    "jobs": JobRow.columns(),
    "null": {
        "job": "name of the job",
        "draw": "number of the relabelling",
        "statistic": "value of the test statistic",
    },
    "transfer": StudyTransferRow.columns(),
    "fusion": FusionRow.columns(),
}
"""Columns of each table with their descriptions."""

STUDY_FOLDER = FolderFormat(
    "study",
    "study",
    ANSWER,
    SCHEMA_VERSION,
    TABLES,
    tables_required=True,
    float_format="%.10g",
    pages=(PAGE,),
    shared=True,
)


@dataclass(frozen=True)
class Study:
    """The outcome of one ``study``.

    Attributes
    ----------
    result
        The content of ``study.json``.
    tables
        One data frame for each name in `TABLES`; a table without rows has its columns all the same.
    config
        The resolved configuration, itself valid input.
    """

    result: StudyResult
    tables: dict[str, pd.DataFrame] = field(repr=False)
    config: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The study's name."""
        return self.result.name


def read_study(folder: Path) -> Study:
    """Read a study back.

    Raises
    ------
    RunError
        The folder is missing, incomplete, damaged or from a newer version.
    """
    return Study(*STUDY_FOLDER.read_as(folder, StudyResult))


def write_study(study: Study, page: str, folder: Path) -> None:
    """Write the folder; ``study.json`` comes last, so a folder that has one is complete.

    Parameters
    ----------
    study
        The study.
    page
        Its overview as HTML.
    folder
        Where to.

    Raises
    ------
    RunError
        The folder holds something that is not a study, or cannot be written.
    """
    STUDY_FOLDER.write(folder, study.result.content(), study.tables, study.config, page)
