"""The record of a training on a graded outcome: one answer, its tables and its page.

The models below describe the keys of ``graded.json`` and the columns of the tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from responder_ml.cohort.tissue_taken import TissueTaken
from responder_ml.evaluation.verdict import Level
from responder_ml.records.folder import FolderFormat, Number, Part
from responder_ml.records.run import CARD, CARD_FILE

SCHEMA_VERSION = 1
ANSWER, PAGE = "graded.json", "graded.html"


class GradedCounts(Part):
    """What was trained on."""

    subjects: int = Field(description="subjects with an outcome")
    samples: int = Field(description="their samples")
    genes: int = Field(description="genes of the cohort")
    left_out: int = Field(0, description="samples that were left out")


class OutcomeRecord(Part):
    """The outcome, in its own unit."""

    column: str = Field(description="column of the sample sheet")
    mean: float = Field(description="mean over subjects")
    sd: float = Field(description="standard deviation over subjects (n - 1)")
    low: float = Field(description="smallest")
    high: float = Field(description="largest")
    distinct: int = Field(description="number of different values")
    upper_from: Number = Field(
        None,
        description="value from which a subject counts to the upper half, by which folds are balanced and pairs weighted",
    )


class GradedPerformance(Part):
    """How out-of-fold predictions agree with the outcome."""

    concordance: Number = Field(description="share of pairs predicted in the order of their outcomes; 0.5 is chance")
    concordance_ci: tuple[Number, Number] = Field(description="95 % interval over subjects")
    spearman: Number = Field(description="rank correlation of mean predictions and outcomes, within strata")
    r2: Number = Field(description="share of the outcome's variance explained; below 0 where a constant does better")
    mae: float = Field(description="mean absolute error, in units of the outcome")


class GradedCandidate(GradedPerformance):
    """One builder x regressor by itself."""

    name: str = Field(description="the candidate's name, builder+regressor")
    builder: str = Field(description="name of its builder")
    regressor: str = Field(description="kind of its regressor")
    chosen_share: float = Field(description="its mean weight in auto")


class GradedNull(Part):
    """A null: the whole procedure on relabelled outcomes."""

    statistic: str = Field(description="name of the test statistic")
    p_value: float = Field(description="p of the observed outcome among relabelled ones")
    p_interval: tuple[float, float] = Field(description="where infinitely many relabellings would put p")
    labellings: str = Field(description="distinct orders there are; text, as the number may exceed 64 bits")
    relabellings: int = Field(description="relabellings that were run; all orders where exact")
    exact: bool = Field(description="whether all orders were run")
    settled: bool = Field(description="whether it is known on which side of alpha p lies")
    null_mean: Number = Field(description="mean concordance of relabelled outcomes")
    null_sd: Number = Field(description="its standard deviation")
    min_attainable_p: float = Field(description="the smallest p there could have been")


class LinksRecord(Part):
    """Both links of the chain from outcome over all nuisances to predictions."""

    names: tuple[str, ...] = Field(description="the nuisances")
    association_p: float = Field(description="p of no association of the nuisances with the outcome")
    following_p: float = Field(description="p of predictions that do not follow the nuisances beyond the outcome")


class GradedMember(Part):
    """A candidate of the final model."""

    name: str = Field(description="its name")
    weight: float = Field(description="its weight in the model")
    params: dict[str, Any] = Field(description="its tuned or fixed parameters")


class GradedSearch(Part):
    """The size of the search."""

    folds: int = Field(description="outer folds")
    repeats: int = Field(description="repeats of the outer folds")
    inner_folds: int = Field(description="inner folds")
    inner_repeats: int = Field(description="repeats of the inner folds")
    trials: int = Field(description="settings tried per candidate and outer training set; 0 tunes nothing")


class GradedFinding(Part):
    """A finding of the audit, or a note on the plan."""

    code: str = Field(description="code of the check; RML00 for notes")
    severity: str = Field(description="info, warning or error")
    message: str = Field(description="the finding in words; classes are the upper and the lower half of the outcome")


class GradedVerdict(Part):
    """The conclusion."""

    level: Level = Field(
        description="evidence, no_evidence, undecided, confounded, not_separable, underpowered or not_tested"
    )
    sentence: str = Field(description="the conclusion in words")


class JobsOnData(Part):
    """Which of how many different jobs on the same data this is, by the register beside the folder."""

    run: int = Field(description="counted from 1, in the order in which the jobs were first asked")
    jobs: int = Field(
        description="different jobs that ask for the order of this outcome in mostly the same samples, this one included"
    )


class GradedRecord(Part):
    """The content of ``graded.json``."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of these keys")
    name: str = Field(description="name of the job")
    simulated: bool = Field(description="whether the data are simulated")
    taken: TissueTaken = Field("unknown", description="whether tissue was taken before or after the outcome was known")
    units: str = Field(description="units of the expression")
    where: dict[str, str | list[str]] = Field({}, description="rows of the sample sheet that were used")
    strata: tuple[str, ...] = Field((), description="columns within which outcomes are exchanged and compared")
    block: str | None = Field(
        None, description="column of blocks, among the strata, whose subjects folds keep together"
    )
    nuisance: tuple[str, ...] = Field((), description="columns that must not explain the result")
    adjust: tuple[str, ...] = Field((), description="covariates held constant")
    n: GradedCounts = Field(description="what was trained on")
    outcome: OutcomeRecord = Field(description="the outcome")
    headline: GradedPerformance = Field(description="performance of the whole procedure, auto")
    candidates: tuple[GradedCandidate, ...] = Field((), description="performance of each candidate by itself")
    null: GradedNull | None = Field(None, description="outcomes exchanged within strata; null where none was run")
    conditional: GradedNull | None = Field(
        None, description="outcomes exchanged among subjects alike in the nuisances; null where that was not asked"
    )
    links: LinksRecord | None = Field(
        None, description="the nuisances, outcome and predictions; null without nuisances"
    )
    alpha: float = Field(description="level of significance")
    verdict: GradedVerdict = Field(description="the conclusion")
    jobs_on_data: JobsOnData | None = Field(
        None,
        description="which of how many different jobs on these data it is; null where the register could not be used",
    )
    audit: tuple[GradedFinding, ...] = Field((), description="findings of the audit and notes on the plan")
    search: GradedSearch = Field(description="the size of the search")
    members: tuple[GradedMember, ...] = Field((), description="candidates of the final model")
    timings: dict[str, float] = Field({}, description="seconds of each stage, and in total")
    versions: dict[str, str] = Field({}, description="versions of Python and of the packages that matter")
    data_sha256: str = Field(description="digest of all data that were used")
    seed: int = Field(description="seed of all random numbers")

    @property
    def p_for_jobs(self) -> float | None:
        """The p times the number of jobs on these data (Bonferroni), at most 1; None where either is not known."""
        if self.null is None or self.jobs_on_data is None:
            return None
        return min(1.0, self.null.p_value * self.jobs_on_data.jobs)

    def training(self) -> dict[str, Any]:
        """Return what belongs to every use of the model, as its bundle holds it."""
        return self.model_dump(mode="json", include={"n", "headline", "null", "verdict", "seed", "data_sha256"})


TABLES: Mapping[str, Mapping[str, str]] = {
    "predictions": {
        "subject": "name of the subject",
        "repeat": "repeat of the outer folds, from 0",
        "fold": "outer fold in which the subject was held out",
        "stratum": "number of the subject's stratum, within which predictions are compared; 0 without strata",
        "outcome": "observed outcome",
        "prediction": "outcome predicted by models that did not see the subject",
    },
    "candidates": {
        "name": "candidate, or auto for the whole procedure",
        "concordance": "out-of-fold concordance",
        "concordance_low": "lower end of its 95 % interval",
        "concordance_high": "upper end",
        "spearman": "rank correlation of mean predictions and outcomes",
        "r2": "share of the outcome's variance explained",
        "mae": "mean absolute error, in units of the outcome",
        "chosen_share": "mean weight in auto",
    },
    "null": {
        "kind": "unconditional or conditional",
        "draw": "number of the relabelling",
        "statistic": "value of the test statistic",
        "concordance": "concordance of the whole procedure",
    },
    "nuisances": {
        "name": "nuisance",
        "correlation": "with the outcome's normal scores, within strata; for a category the root of the share it explains",
        "p_value": "of no association, by relabelling",
    },
    "genes": {
        "gene": "name of the gene",
        "contribution": "mean absolute contribution to held-out predictions, in units of the outcome",
        "direction": "above 0 where higher expression predicts higher outcomes",
        "sign_consistency": "share of repeats with this sign",
        "contribution_low": "2.5 % quantile of the contribution over repeats",
        "contribution_high": "97.5 % quantile",
        "selection_frequency": "share of outer models that use the gene",
        "leading_share": "share of repeats in which it is among the 20 leading genes",
    },
}
"""Columns of each table with their descriptions."""

GRADED_FOLDER = FolderFormat(
    "training on a graded outcome",
    "train",
    ANSWER,
    SCHEMA_VERSION,
    TABLES,
    tables_required=True,
    float_format="%.10g",
    pages=(PAGE, CARD, CARD_FILE),
)


@dataclass(frozen=True)
class GradedRun:
    """The outcome of a training on a graded outcome.

    Attributes
    ----------
    result
        The content of ``graded.json``.
    tables
        One data frame for each name in `TABLES`.
    config
        The resolved configuration, itself valid input.
    """

    result: GradedRecord
    tables: dict[str, pd.DataFrame] = field(repr=False)
    config: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The job's name."""
        return self.result.name


def read_graded(folder: Path) -> GradedRun:
    """Read a training on a graded outcome back.

    Raises
    ------
    RunError
        The folder is missing, incomplete, damaged or from a newer version.
    """
    return GradedRun(*GRADED_FOLDER.read_as(folder, GradedRecord))


def write_graded(run: GradedRun, page: str, folder: Path, cards: Mapping[str, str] | None = None) -> None:
    """Write the folder with its page and, by name, its cards; ``graded.json`` comes last, so a folder that has one is complete.

    Raises
    ------
    RunError
        The folder holds something else, or cannot be written.
    """
    GRADED_FOLDER.write(folder, run.result.model_dump(mode="json"), run.tables, run.config, page, cards)
