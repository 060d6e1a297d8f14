"""A run: the complete record of one training job, as a folder of plain files.

Everything a report, a tracker or a comparison needs is in the folder; nothing is looked up anywhere else. The folder appears
whole or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.files import write_folder
from responder_ml.records.folder import FolderFormat
from responder_ml.records.result import SCHEMA_VERSION, Result


def describe_tables() -> dict[str, dict[str, str]]:
    """Return the meaning of every column of every table, those of the metrics from their registry."""
    text = resources.files("responder_ml.records").joinpath("run_tables.yaml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, str]] = yaml.safe_load(text)
    candidates = tables["candidates"]
    auroc, *others = ((metric.name, metric.meaning) for metric in METRICS)
    names, interval, share = (
        {key: candidates[key] for key in keys}
        for keys in (("name", "builder", "classifier"), ("auroc_low", "auroc_high"), ("chosen_share",))
    )
    tables["candidates"] = {**names, **dict([auroc]), **interval, **dict(others), **share}
    return tables


TABLES = describe_tables()
"""Columns of each table of a run, with their meaning; ``samples`` also carries the sheet's own columns."""

REPORT, CARD, CARD_FILE = "report.html", "card.md", "card.json"
RUN_FOLDER = FolderFormat("run", "train", "result.json", SCHEMA_VERSION, TABLES, pages=(REPORT, CARD, CARD_FILE))


@dataclass(frozen=True)
class Run:
    """What one ``train`` leaves behind.

    Attributes
    ----------
    result
        The answer.
    tables
        One data frame for each name in `TABLES`; a table with nothing in it is there with its columns.
    config
        The resolved configuration, itself valid input.
    """

    result: Result
    tables: dict[str, pd.DataFrame] = field(repr=False)
    config: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The job's name."""
        return self.result.name


def empty_table(name: str) -> pd.DataFrame:
    """Return a table of a run without rows."""
    return RUN_FOLDER.table(name)


def write_run(run: Run, folder: Path, pages: Mapping[str, str] | None = None) -> None:
    """Write the folder beside its place first, then in one move.

    Parameters
    ----------
    run
        The run.
    folder
        Where to; a run that was there is replaced.
    pages
        Texts that belong to it, such as its report, by file name.

    Raises
    ------
    RunError
        The folder holds something that is not a run, or cannot be written.
    """
    texts = RUN_FOLDER.texts(run.result.content(), run.tables, run.config)
    write_folder(folder, {**(pages or {}), **texts}, RUN_FOLDER.kind)


def read_run(folder: Path) -> Run:
    """Read a run back.

    Raises
    ------
    RunError
        The folder is missing, incomplete or from a newer version.
    """
    content, tables, config = RUN_FOLDER.read(folder)
    return Run(Result.read(content, str(folder)), tables, config)
