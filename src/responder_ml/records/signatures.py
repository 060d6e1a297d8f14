"""The record of external signatures: one answer in words, a row for every signature, its score in every sample, and the subjects.

The models below describe the keys of ``signatures.json`` and the columns of its tables.
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
ANSWER, PAGE = "signatures.json", "signatures.html"


class SignatureRow(Part):
    """One signature."""

    signature: str = Field(description="name of the signature")
    listed_as: str = Field(description="entry of the list of signatures that it belongs to")
    scorer: str = Field(description="singscore for sets, ulm for signatures whose genes have weights")
    genes: int = Field(description="its genes in the data, all of which are scored")
    listed: int = Field(description="genes it lists")
    compared: int = Field(description="its genes that are expressed, whose changes are compared with it")
    difference: Number = Field(
        None,
        description="standardised difference of the score, positive less negative class (Hedges' g); 0 with no effect",
    )
    low: Number = Field(None, description="lower end of its 95 % interval")
    high: Number = Field(None, description="upper end")
    standard_error: Number = Field(None, description="its large-sample standard error, for pooling over cohorts")
    auroc: Number = Field(
        None,
        description="share of pairs of one stratum in which the positive subject has the higher score; 0.5 with no effect",
    )
    difference_no_effect: Number = Field(None, description="mean of the difference over relabelled subjects")
    difference_null_low: Number = Field(None, description="lower end of the middle 95 % of relabelled subjects")
    difference_null_high: Number = Field(None, description="upper end")
    p: Number = Field(None, description="two-sided p of the difference, subjects relabelled within strata")
    corrected_p: Number = Field(None, description="the same corrected for all signatures (Westfall and Young)")
    cosine: Number = Field(
        None, description="weighted cosine of the signature and the cohort's moderated t of its genes"
    )
    cosine_no_effect: Number = Field(None, description="its mean over relabelled subjects")
    cosine_null_low: Number = Field(None, description="lower end of the middle 95 % of relabelled subjects")
    cosine_null_high: Number = Field(None, description="upper end")
    cosine_p: Number = Field(None, description="two-sided p of the cosine")
    cosine_corrected_p: Number = Field(None, description="the same corrected for all signatures")
    spearman: Number = Field(
        None, description="Spearman's correlation of weights and moderated t; for weighted signatures"
    )
    spearman_no_effect: Number = Field(None, description="its mean over relabelled subjects")
    spearman_null_low: Number = Field(None, description="lower end of the middle 95 % of relabelled subjects")
    spearman_null_high: Number = Field(None, description="upper end")
    spearman_p: Number = Field(None, description="two-sided p of the correlation")
    spearman_corrected_p: Number = Field(None, description="the same corrected for all signatures")
    reversed: Number = Field(None, description="share of its genes that change in the opposite direction")
    reversed_no_effect: Number = Field(None, description="its mean over relabelled subjects")
    reversed_null_low: Number = Field(None, description="lower end of the middle 95 % of relabelled subjects")
    reversed_null_high: Number = Field(None, description="upper end")
    reversed_p: Number = Field(None, description="two-sided p of the share")
    reversed_corrected_p: Number = Field(None, description="the same corrected for all signatures")
    circular: str | None = Field(
        None, description="why it may come from the data it is compared with; empty where it does not"
    )


class ScoreRow(Part):
    """The score of one signature in one sample."""

    sample: str = Field(description="sample; several of one subject are one row, joined by +")
    signature: str = Field(description="name of the signature")
    score: float = Field(description="its score, which needs no other sample")


class SubjectRow(Part):
    """One subject that is compared."""

    sample: str = Field(description="sample, as in scores.csv")
    subject: str = Field(description="subject")
    # The name that the class has in a sheet; "class" is a word of Python.
    group: str = Field(description="class of the subject")
    digest: str = Field(description="digest of the expression, by which another folder's subjects are recognised")


class SourceRecord(Part):
    """One entry of the list of signatures."""

    name: str = Field(description="name of the entry")
    path: str = Field(description="file")
    source: str = Field(description="where it was published")
    licence: str = Field(description="under what terms it may be used")
    sha256: str = Field(description="SHA-256 of the file")
    mapping_sha256: str | None = Field(None, description="SHA-256 of the table that translated its gene names")
    sets: int = Field(description="signatures that it holds")
    settings: dict[str, Any] = Field({}, description="the entry's other keys: columns, words and numbers of genes")
    notes: tuple[str, ...] = Field((), description="what was left out, and why")


class SignaturesResult(Part):
    """The content of ``signatures.json``."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of these keys")
    name: str = Field(description="name of the job")
    simulated: bool = Field(description="whether the data are simulated")
    taken: TissueTaken = Field("unknown", description="whether tissue was taken before or after the outcome was known")
    positive: str = Field(description="positive class")
    negative: str = Field(description="negative class")
    n_positive: int = Field(description="subjects of the positive class")
    n_negative: int = Field(description="subjects of the negative class")
    genes: int = Field(description="expressed genes, whose changes are in the linear model")
    adjusted: tuple[str, ...] = Field((), description="what is held constant: strata, pairs and covariates")
    not_adjusted: tuple[str, ...] = Field((), description="nuisance columns of the job that are not")
    sources: tuple[SourceRecord, ...] = Field((), description="the files, with source, licence and digest")
    min_genes: int = Field(description="fewest genes of a signature in the data")
    min_coverage: float = Field(description="smallest share of a signature's genes in the data")
    dropped: dict[str, str] = Field({}, description="why each other signature was not used")
    labellings: str = Field(description="distinct labellings of the subjects within strata")
    run: int = Field(description="labellings that were run, the observed one among them")
    exact: bool = Field(description="whether these are all, so that p has no random error")
    smallest_p: float = Field(description="smallest p that these labellings allow")
    alpha: float = Field(description="level of corrected p at which the sentence counts signatures")
    sentence: str = Field(description="the conclusion in words")
    data_sha256: str = Field(description="digest of all data that were used")
    versions: dict[str, str] = Field({}, description="versions of Python and of the packages that matter")
    seed: int = Field(description="seed of the relabellings")


TABLES: Mapping[str, Mapping[str, str]] = {
    "signatures": SignatureRow.columns(),
    "scores": ScoreRow.columns(),
    "subjects": SubjectRow.columns(),
}
"""Columns of each table with their descriptions."""

SIGNATURES_FOLDER = FolderFormat(
    "table of external signatures",
    "signatures",
    ANSWER,
    SCHEMA_VERSION,
    TABLES,
    tables_required=True,
    float_format="%.10g",
    pages=(PAGE,),
)


@dataclass(frozen=True)
class SignaturesRun:
    """External signatures in a cohort.

    Attributes
    ----------
    result
        The content of ``signatures.json``.
    tables
        One data frame for each name in `TABLES`.
    config
        The resolved configuration of the job.
    """

    result: SignaturesResult
    tables: dict[str, pd.DataFrame] = field(repr=False)
    config: dict[str, Any] = field(repr=False)

    @property
    def rows(self) -> tuple[SignatureRow, ...]:
        """The rows of ``signatures.csv``, the smallest p first."""
        table = self.tables["signatures"]
        # An empty cell of text is nothing, too.
        return SignatureRow.rows(table.mask(table == ""))


def read_signatures(folder: Path) -> SignaturesRun:
    """Read external signatures back.

    Raises
    ------
    RunError
        The folder is missing, incomplete, damaged or from a newer version.
    """
    return SignaturesRun(*SIGNATURES_FOLDER.read_as(folder, SignaturesResult))


def write_signatures(run: SignaturesRun, page: str, folder: Path) -> None:
    """Write the folder; ``signatures.json`` comes last, so a folder that has one is complete.

    Raises
    ------
    RunError
        The folder holds something else, or cannot be written.
    """
    SIGNATURES_FOLDER.write(folder, run.result.model_dump(mode="json"), run.tables, run.config, page)
