"""The record of a training of several classes: one answer for all of them, and a row for every two.

The models below describe the keys of ``classes.json`` and the columns of ``pairs.csv``. The run and the bundle of every pair are
ordinary ones, in folders of their own.
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
from responder_ml.records.numbers import RowFilter
from responder_ml.records.run import CARD, CARD_FILE

SCHEMA_VERSION = 1
ANSWER, PAGE = "classes.json", "classes.html"


class PairRow(Part):
    """Two of the classes."""

    positive: str = Field(description="positive class of the pair")
    negative: str = Field(description="negative class of the pair")
    n_positive: int = Field(description="subjects of the positive class")
    n_negative: int = Field(description="subjects of the negative class")
    auroc: Number = Field(None, description="out-of-fold AUROC of the pair's own run")
    auroc_low: Number = Field(None, description="lower end of its 95 % interval")
    auroc_high: Number = Field(None, description="upper end")
    p_value: Number = Field(None, description="p of the pair's own run, not corrected; empty where no null was run")
    corrected_p: Number = Field(
        None, description="p after correction over the pairs: never below that of all classes together (closed testing)"
    )
    verdict: str = Field(
        description="verdict of the pair's own run; evidence only where the corrected p is at most alpha"
    )
    sentence: str = Field(description="the verdict of the pair's own run in words")
    run: str = Field(description="run folder of the pair, beside this one")


class ClassesNull(Part):
    """The null of all classes together."""

    statistic: str = Field(description="name of the test statistic")
    p_value: float = Field(description="p of the observed classes among relabelled subjects")
    p_interval: tuple[float, float] = Field(description="where infinitely many relabellings would put p")
    labellings: str = Field(description="distinct relabellings there are; text, as the number may exceed 64 bits")
    relabellings: int = Field(description="relabellings that were run; all of them where exact")
    exact: bool = Field(description="whether all relabellings were run")
    settled: bool = Field(description="whether it is known on which side of alpha p lies")
    null_mean: float = Field(description="mean over relabellings of the mean AUROC of the pairs")
    min_attainable_p: float = Field(description="the smallest p there could have been")


class ClassPrediction(Part):
    """Which class would be predicted for held-out subjects: told beside the tested statistic, and not tested itself."""

    balanced_accuracy: float = Field(
        description="mean over classes of the share of their subjects that are predicted right; 1 / classes by chance"
    )
    confusion: tuple[tuple[int, ...], ...] = Field(
        description="subjects by observed class (rows) and predicted class (columns), in the order of classes"
    )


class PredictionRow(Part):
    """A subject when it was held out; a column ``probability:CLASS`` for each class follows."""

    subject: str = Field(description="subject")
    observed: str = Field(description="its class")
    predicted: str = Field(description="class of the highest mean probability")


class ClassesResult(Part):
    """The content of ``classes.json``."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of these keys")
    name: str = Field(description="name of the job")
    simulated: bool = Field(description="whether the data are simulated")
    taken: TissueTaken = Field("unknown", description="whether tissue was taken before or after the outcome was known")
    column: str = Field(description="column of the sample sheet that holds the classes")
    classes: dict[str, int] = Field(description="subjects of each class")
    macro_auroc: float = Field(
        description="mean over pairs of the out-of-fold AUROC under the procedure of all classes"
    )
    null: ClassesNull | None = Field(None, description="the null of all classes together; null where none was run")
    alpha: float = Field(description="level of significance")
    level: Level = Field(
        description="evidence, no_evidence, undecided, confounded, not_separable, underpowered or not_tested"
    )
    sentence: str = Field(description="the conclusion in words")
    pairs: tuple[PairRow, ...] = Field((), description="the rows of pairs.csv")
    prediction: ClassPrediction | None = Field(None, description="the rows of predictions.csv, counted; not tested")
    samples: int | None = Field(None, description="samples, before those of a subject are combined")
    genes: int | None = Field(None, description="genes of the cohort")
    units: str = Field("", description="units of the expression")
    where: RowFilter = Field({}, description="rows of the sample sheet that were used")
    strata: tuple[str, ...] = Field((), description="columns within which classes are exchanged")
    nuisances: tuple[str, ...] = Field((), description="what must not explain the result of a pair, in words")
    adjust: tuple[str, ...] = Field((), description="covariates held constant")
    findings: tuple[str, ...] = Field(
        (), description="warnings and errors of the audits of the pairs, with their codes"
    )
    classifiers: tuple[str, ...] = Field((), description="kinds of classifier in the final models of the pairs")
    data_sha256: str = Field("", description="digest of all data that were used")
    timings: dict[str, float] = Field({}, description="seconds of each stage, and in total")
    versions: dict[str, str] = Field({}, description="versions of Python and of the packages that matter")
    seed: int = Field(description="seed of all random numbers")

    def training(self) -> dict[str, Any]:
        """Return what belongs to every use of the models, as their bundle holds it."""
        content = self.model_dump(
            mode="json", include={"macro_auroc", "null", "level", "sentence", "seed", "data_sha256"}
        )
        if not self.data_sha256:
            # A version that did not know it wrote none into the bundle either.
            del content["data_sha256"]
        verdict = {name: content.pop(name) for name in ("level", "sentence")}
        return {"n": dict(self.classes), **content, "verdict": verdict}


TABLES: Mapping[str, Mapping[str, str]] = {
    "pairs": PairRow.columns(),
    "predictions": PredictionRow.columns(),
    "null": {
        "draw": "number of the relabelling",
        "statistic": "value of the test statistic",
        "auroc": "mean AUROC of the pairs",
    },
}
"""Columns of each table with their descriptions; ``predictions`` also has a column of probabilities for each class."""

CLASSES_FOLDER = FolderFormat(
    "training of several classes",
    "train",
    ANSWER,
    SCHEMA_VERSION,
    TABLES,
    tables_required=True,
    float_format="%.10g",
    pages=(PAGE, CARD, CARD_FILE),
)


@dataclass(frozen=True)
class ClassesRun:
    """The outcome of a training of several classes.

    Attributes
    ----------
    result
        The content of ``classes.json``.
    tables
        One data frame for each name in `TABLES`.
    config
        The resolved configuration, itself valid input.
    """

    result: ClassesResult
    tables: dict[str, pd.DataFrame] = field(repr=False)
    config: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The job's name."""
        return self.result.name


def read_classes(folder: Path) -> ClassesRun:
    """Read a training of several classes back.

    Raises
    ------
    RunError
        The folder is missing, incomplete, damaged or from a newer version.
    """
    return ClassesRun(*CLASSES_FOLDER.read_as(folder, ClassesResult))


def write_classes(run: ClassesRun, page: str, folder: Path, cards: Mapping[str, str] | None = None) -> None:
    """Write the folder with its page and, by name, its cards; ``classes.json`` comes last, so a folder that has one is complete.

    Raises
    ------
    RunError
        The folder holds something else, or cannot be written.
    """
    CLASSES_FOLDER.write(folder, run.result.model_dump(mode="json"), run.tables, run.config, page, cards)
