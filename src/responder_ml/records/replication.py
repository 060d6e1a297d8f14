"""The record of a replication: what a first study leads one to expect of a second, and what the second shows.

The models below describe the keys of ``replication.json`` and the columns of ``replication.csv`` and ``genes.csv``.
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
ANSWER, PAGE = "replication.json", "replication.html"


class QuantityRow(Part):
    """One quantity: observed, as expected if the true changes are the same, and without any effect."""

    quantity: str = Field(description="what is compared")
    observed: Number = Field(None, description="in the second study; empty where none is named")
    low: Number = Field(None, description="lower end of the 95 % interval of the observed value, over subjects")
    high: Number = Field(None, description="upper end")
    same_changes: Number = Field(None, description="expected if the true changes of both studies are the same")
    same_low: Number = Field(None, description="lower end of the 95 % prediction interval of it; of the AUROC only")
    same_high: Number = Field(None, description="upper end")
    no_effect: Number = Field(None, description="the value with no true effect")
    p_value: Number = Field(None, description="one-sided p by relabelling the second study's subjects")


class GeneRow(Part):
    """One gene that both studies measure."""

    gene: str = Field(description="gene")
    change_first: float = Field(description="log2 change in the first study")
    t_first: float = Field(description="its moderated t")
    p_first: float = Field(description="two-sided p of it")
    called_first: bool = Field(description="whether the first study calls it")
    change_second: Number = Field(None, description="log2 change in the second study; empty where none is named")
    t_second: Number = Field(None, description="its moderated t")
    p_second: Number = Field(None, description="two-sided p of it")
    called_second: bool | None = Field(None, description="whether the second study calls it")
    again_if_same: float = Field(
        description="probability that the second study calls it in the first one's direction if true changes are the same"
    )
    again_by_chance: float = Field(description="the same without any true change")


class StudyPart(Part):
    """One study."""

    name: str = Field(description="name of its job")
    simulated: bool = Field(False, description="whether its data are simulated")
    positive: str = Field(description="positive class")
    negative: str = Field(description="negative class")
    n_positive: int = Field(description="subjects of the positive class")
    n_negative: int = Field(description="subjects of the negative class")
    genes: int = Field(description="its expressed genes")
    taken: TissueTaken = Field("unknown", description="whether tissue was taken before or after the outcome was known")
    adjusted: tuple[str, ...] = Field((), description="what its linear model holds constant")
    not_adjusted: tuple[str, ...] = Field((), description="nuisance columns of its job that it does not")


class SignalPart(Part):
    """Is there anything to replicate?"""

    p_value: float = Field(description="p of the sum of squared moderated t, by relabelling subjects within strata")
    exact: bool = Field(description="whether all labellings were run")
    labellings: int = Field(description="labellings run, the observed one included")
    smallest_p: float = Field(description="the smallest p they could have given")
    signal: float = Field(
        description="mean squared true change per gene, in units of residual variance; unbiased, so it may be below 0"
    )
    square: float = Field(description="mean squared observed change per gene, noise in it")


class CallPart(Part):
    """Genes called changed, and called again."""

    p: float = Field(description="largest p at which a gene is called")
    least_change: float = Field(description="least size of log2 change at which a gene is called")
    chosen: bool = Field(
        description="whether the user chose the least change; the default, a factor of 1.3, is not verified"
    )
    first: int = Field(description="genes the first study calls")
    second: int | None = Field(None, description="genes the second study calls; null where none is named")
    observed: int | None = Field(None, description="genes called by both in one direction")
    expected: float = Field(description="the same, expected if the true changes are the same")
    by_chance: float = Field(description="the same, expected without any true change")


class ModelPart(Part):
    """The AUROC of the first study's model, carried over."""

    auroc: float = Field(description="headline of the run")
    auroc_low: float = Field(description="lower end of its 95 % interval")
    auroc_high: float = Field(description="upper end")
    low: float = Field(description="lower end of the 95 % prediction interval in a second study of this size")
    high: float = Field(description="upper end")
    observed: Number = Field(
        None, description="AUROC of the model in the second study; null where it was not carried over"
    )
    observed_low: Number = Field(None, description="lower end of its 95 % interval")
    observed_high: Number = Field(None, description="upper end")
    p_value: Number = Field(None, description="its p by relabelling the second study's subjects")
    note: str = Field("", description="how the model was carried over, or why it was not")


class ReplicationResult(Part):
    """The content of ``replication.json``."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of these keys")
    name: str = Field(description="names of the jobs")
    simulated: bool = Field(description="whether any data are simulated")
    first: StudyPart = Field(description="the first study")
    second: StudyPart | None = Field(None, description="the second; null where none is named")
    second_size: tuple[int, int] = Field(description="subjects of the second study, positive and negative")
    shared_subjects: int = Field(
        description="subjects in both; planned ones of the negative class without a second study"
    )
    genes: int = Field(description="genes compared")
    signal: SignalPart = Field(description="is there anything to replicate?")
    second_signal: Number = Field(None, description="mean squared true change per gene of the second study")
    called: CallPart = Field(description="genes called again")
    model: ModelPart | None = Field(None, description="the carried model; null where the first is no run")
    alpha: float = Field(description="level of the tests")
    level: str = Field(
        description="nothing_to_replicate, expected (no second study), replicated, not_replicated or undecided"
    )
    sentence: str = Field(description="the conclusion in words")
    notes: tuple[str, ...] = Field((), description="what the reader should know before believing it")
    quantities: tuple[QuantityRow, ...] = Field((), description="the rows of replication.csv")
    versions: dict[str, str] = Field({}, description="versions of Python and of the packages that matter")
    seed: int = Field(description="seed of the relabellings")


TABLES: Mapping[str, Mapping[str, str]] = {"replication": QuantityRow.columns(), "genes": GeneRow.columns()}
"""Columns of each table with their descriptions."""

REPLICATION_FOLDER = FolderFormat(
    "replication",
    "replicate",
    ANSWER,
    SCHEMA_VERSION,
    TABLES,
    tables_required=True,
    float_format="%.10g",
    pages=(PAGE,),
)


@dataclass(frozen=True)
class ReplicationRun:
    """The outcome of `replicate`.

    Attributes
    ----------
    result
        The content of ``replication.json``.
    tables
        One data frame for each name in `TABLES`.
    config
        The resolved configurations of both jobs, and the options.
    """

    result: ReplicationResult
    tables: dict[str, pd.DataFrame] = field(repr=False)
    config: dict[str, Any] = field(repr=False)


def read_replication(folder: Path) -> ReplicationRun:
    """Read a replication back.

    Raises
    ------
    RunError
        The folder is missing, incomplete, damaged or from a newer version.
    """
    return ReplicationRun(*REPLICATION_FOLDER.read_as(folder, ReplicationResult))


def write_replication(run: ReplicationRun, page: str, folder: Path) -> None:
    """Write the folder; ``replication.json`` comes last, so a folder that has one is complete.

    Raises
    ------
    RunError
        The folder holds something else, or cannot be written.
    """
    REPLICATION_FOLDER.write(folder, run.result.model_dump(mode="json"), run.tables, run.config, page)
