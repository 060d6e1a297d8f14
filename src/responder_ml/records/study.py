"""A study as it is kept: one answer, its tables and the configuration, as a folder of plain files."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from responder_ml.errors import RunError
from responder_ml.records.files import write_text

SCHEMA_VERSION = 1
ANSWER, CONFIG, PAGE = "study.json", "config.yaml", "study.html"

# Columns of each table, with what a stranger needs to know to read them.
TABLES: dict[str, dict[str, str]] = {
    "jobs": {
        "job": "name of the job in every table",
        "region": "region, or the kind of fusion of all regions",
        "endpoint": "question",
        "subset": "part of the endpoint's animals; all where it has no parts",
        "positive": "positive class",
        "negative": "negative class",
        "n_positive": "subjects",
        "n_negative": "subjects",
        "auroc": "out-of-fold AUROC of the whole procedure; empty where the job was refused",
        "auroc_low": "lower end of its 95 % subject bootstrap interval",
        "auroc_high": "upper end",
        "null_mean": "mean of the test statistic under relabelled subjects",
        "p_value": "the job's own p, not corrected",
        "attainable_p": "smallest p the job could have had",
        "corrected_p": "after step-down correction over all jobs",
        "attainable_corrected_p": "corrected p, had the job had its smallest p",
        "labellings": "distinct relabellings of the job's subjects",
        "within_batch_p": "p within strata and batch, asked only where the corrected p is below alpha",
        "best_baseline": "the best baseline on the same folds",
        "gain": "headline minus that baseline",
        "gain_low": "lower end of the corrected paired interval",
        "gain_high": "upper end",
        "verdict": "evidence, no_evidence, confounded, underpowered or refused",
        "sentence": "the verdict in words",
    },
    "null": {
        "job": "name of the job",
        "draw": "number of the relabelling",
        "statistic": "value of the test statistic",
    },
    "transfer": {
        "axis": "what differs: region or subset",
        "endpoint": "question",
        "within": "what both sides share: the subset, or the region",
        "train": "where the model learnt",
        "test": "where it was asked",
        "subjects_train": "subjects learnt from",
        "subjects_test": "subjects asked",
        "shared_subjects": "subjects in both; each is decided by a model that has not seen it",
        "auroc": "of the subjects asked",
        "auroc_ci_low": "lower end of its 95 % subject bootstrap interval",
        "auroc_ci_high": "upper end",
        "p_value": "of the relabelling null; empty where the learner is not evidence",
        "p_holm": "after Holm's correction over the transfers tested; empty where a job is asked of itself",
        "null_mean": "mean of the null",
        "relabellings": "relabellings used",
        "min_attainable_p": "smallest p there could have been",
        "coverage": "share of the genes learnt from that are there",
        "note": "how it was done, or why not",
    },
    "fusion": {
        "endpoint": "question",
        "subset": "part of the endpoint's animals",
        "first": "late or early fusion",
        "second": "what it is compared with, on the same folds",
        "difference": "mean difference of AUROC over folds",
        "low": "lower end of its corrected 95 % interval",
        "high": "upper end",
        "p_value": "of the corrected paired t test, two-sided",
        "p_holm": "after Holm's correction within the endpoint and subset",
    },
}
"""Tables of a study."""


@dataclass(frozen=True)
class Study:
    """What one ``study`` leaves behind.

    Attributes
    ----------
    result
        The content of ``study.json``.
    tables
        One data frame for each name in `TABLES`; one with nothing in it is there with its columns.
    config
        The resolved configuration, itself valid input.
    """

    result: dict[str, Any]
    tables: dict[str, pd.DataFrame] = field(repr=False)
    config: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The study's name."""
        return str(self.result["name"])


def study_table(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a table with its columns in order, whatever the rows have."""
    return pd.DataFrame(rows, columns=list(TABLES[name]))


def read_study(folder: Path) -> Study:
    """Read a study back.

    Raises
    ------
    RunError
        The folder is missing, incomplete or from a newer version.
    """
    missing = [
        name for name in (ANSWER, CONFIG, *(f"{table}.csv" for table in TABLES)) if not (folder / name).is_file()
    ]
    if missing:
        raise RunError(f"{folder} is not a study: {', '.join(missing)} not found. Give a folder that `study` wrote.")
    result = json.loads((folder / ANSWER).read_text(encoding="utf-8"))
    if result.get("schema_version", 0) > SCHEMA_VERSION:
        raise RunError(
            f"{folder} has schema version {result['schema_version']}, this program reads up to {SCHEMA_VERSION}. "
            "Update responder_ml."
        )
    # A part of a study may well be called NA.
    tables = {name: pd.read_csv(folder / f"{name}.csv", na_values=[""], keep_default_na=False) for name in TABLES}
    return Study(result, tables, yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8")))


def check_folder(folder: Path) -> None:
    """Refuse, before anything is computed, to write where something else is.

    Raises
    ------
    RunError
        The folder holds something that is not a study.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / ANSWER).exists():
        raise RunError(f"{folder} is not empty and is not a study. Choose another folder with --out.")


def write_study(study: Study, page: str, folder: Path) -> None:
    """Write the folder; the answer comes last, so a folder that has one is whole.

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
    check_folder(folder)
    for name in TABLES:
        write_text(folder / f"{name}.csv", study.tables[name].to_csv(index=False, float_format="%.10g"))
    write_text(folder / CONFIG, yaml.safe_dump(study.config, sort_keys=False))
    write_text(folder / PAGE, page)
    write_text(folder / ANSWER, json.dumps(study.result, indent=2, allow_nan=False) + "\n")
