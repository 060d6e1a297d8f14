"""Transfer: train a job's procedure on each of several cohorts and test it on the others, as a matrix."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.build import (
    build_candidates,
    build_cohort,
    build_endpoint,
    build_null_plan,
    build_search_plan,
    build_workers,
)
from responder_ml.cohort.class_values import class_names
from responder_ml.cohort.combine_samples import combine_samples
from responder_ml.cohort.endpoint import Endpoint, LabelledCohort, label_cohort
from responder_ml.cohort.tissue_taken import TissueTaken, weakest_timing
from responder_ml.config import JobConfig
from responder_ml.errors import ConfigError, EndpointError, SampleSheetError, list_names
from responder_ml.evaluation.small_n import LEAST_SUBJECTS
from responder_ml.evaluation.transfer import TransferPlan, TransferRow, transfer_matrix
from responder_ml.progress import Progress
from responder_ml.records.csv_tables import csv_text
from responder_ml.records.files import named_folder, write_folder
from responder_ml.records.ownership import FolderKind, by_answer
from responder_ml.report.transfer import render_transfer
from responder_ml.search.candidate import classifier_notes
from responder_ml.search.unit_store import UnitStore

TABLE, RECORD, PAGE = "transfer.csv", "transfer.json", "transfer.html"
TRANSFER_FOLDER = FolderKind(
    "transfer matrix", by_answer(RECORD, ("name", "seed", "question", "between", "rows"), (TABLE, RECORD, PAGE))
)
"""How a folder of a transfer is recognised before it is written."""
_BLANK = ("", "nan", "None")


@dataclass(frozen=True)
class TransferRecord:
    """A transfer matrix and what is needed to read it.

    Attributes
    ----------
    name, seed
        Of the job.
    question
        The two classes in words.
    between
        What distinguishes the cohorts: a column, or ``job``.
    simulated
        Whether any cohort is simulated.
    taken
        Whether tissue of the cohorts was taken before or after the outcome was known.
    rows
        One per pair of cohorts, ordered by training cohort.
    notes
        What was left out, and why.
    """

    name: str
    seed: int
    question: str
    between: str
    simulated: bool
    taken: TissueTaken
    rows: tuple[TransferRow, ...]
    notes: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return the rows as a table."""
        return pd.DataFrame([asdict(row) for row in self.rows], columns=[column.name for column in fields(TransferRow)])

    def content(self) -> dict[str, Any]:
        """Return plain values for JSON; what was not computed is null."""
        rows = [_nan_to_none(asdict(row)) for row in self.rows]
        return {**asdict(self), "rows": rows, "notes": list(self.notes)}


def transfer(
    job: JobConfig,
    *,
    by: str | None = None,
    to: JobConfig | None = None,
    progress: Progress | None = None,
    store: UnitStore | None = None,
) -> TransferRecord:
    """Train the job's procedure on each of several cohorts and test it on each other.

    Parameters
    ----------
    job
        Configuration; its builders, classifiers, search and null are used for every cohort.
    by
        Column that divides the job's cohort into parts; ``cohort.where`` does not restrict this column.
    to
        Another job, whose cohort and endpoint are the other side.
    progress
        Shows the progress of long work.
    store
        Where finished units are kept, so that an interrupted call is resumed by the next; none by default.

    Raises
    ------
    ResponderError
        Anything the user can correct.
    """
    progress = progress or Progress()
    candidates = build_candidates(job)
    if (by is None) == (to is None):
        raise ConfigError("Name either a column with --by or another job with --to, to transfer between, and not both.")
    if any(side is not None and side.endpoint.pairs is not None for side in (job, to)):
        raise ConfigError(
            "A model of matched pairs compares the members of a pair and cannot be transferred. Remove `endpoint.pairs`."
        )
    if any(side is not None and (side.endpoint.adjust or side.endpoint.block is not None) for side in (job, to)):
        raise ConfigError(
            "Transfer neither adjusts for covariates nor keeps blocks together. Remove `endpoint.adjust` and `endpoint.block`."
        )
    machine_notes = classifier_notes(candidates)
    cohorts, notes = _cohorts_by_column(job, by) if by is not None else (_cohorts_of_jobs(job, to), [])
    # Holm's correction is over all pairs of different cohorts.
    null = replace(build_null_plan(job), family=len(cohorts) * (len(cohorts) - 1))
    workers = build_workers(job.compute, store)
    transfer_plan = TransferPlan(candidates, build_search_plan(job), null, workers)
    with progress.stage("Transfers") as on_progress:
        rows = transfer_matrix(cohorts, transfer_plan, on_progress)
    return TransferRecord(
        name=job.name,
        seed=job.seed,
        question=f"{job.endpoint.positive} against {job.endpoint.negative}",
        between=by or "job",
        simulated=any(bool(labelled.cohort.uns.get("simulated", False)) for labelled in cohorts.values()),
        taken=weakest_timing(*(side.cohort.tissue_taken for side in (job, to) if side is not None)),
        rows=tuple(rows),
        notes=(*notes, *machine_notes),
    )


def write_transfer(record: TransferRecord, folder: Path) -> None:
    """Write the table, the record as JSON, and the page.

    Raises
    ------
    RunError
        The folder holds something else, or cannot be written.
    """
    page = render_transfer(
        record.name, record.question, record.between, record.rows, record.notes, record.simulated, record.taken
    )
    answer = json.dumps(record.content(), indent=2, allow_nan=False) + "\n"
    write_folder(folder, {TABLE: csv_text(record.table()), PAGE: page, RECORD: answer}, TRANSFER_FOLDER)


def default_folder(job: JobConfig, by: str | None, to: JobConfig | None) -> Path:
    """Return the folder, named after the job and a digest of both jobs and the column."""
    return named_folder("transfers", job.name, [job.resolved(), by, None if to is None else to.resolved()])


def _cohorts_by_column(job: JobConfig, by: str) -> tuple[dict[str, LabelledCohort], list[str]]:
    """Return the parts of the cohort with enough subjects of both classes, and notes on the others."""
    where = {column: values for column, values in job.cohort.where.items() if column != by}
    cohort = build_cohort(job.cohort.model_copy(update={"where": where}), job.seed)
    if by not in cohort.obs.columns:
        raise SampleSheetError(
            f"The sample sheet has no column '{by}' to transfer between. It has: {', '.join(map(str, cohort.obs.columns))}."
        )
    endpoint = build_endpoint(job.endpoint)
    values = cohort.obs[by].astype(str)
    parts: dict[str, LabelledCohort] = {}
    notes = [f"cohort.where does not restrict {by} here."] if by in job.cohort.where else []
    for value in values[~values.isin(_BLANK)].drop_duplicates():
        part, reason = _label(cohort[(values == value).to_numpy()].copy(), endpoint)
        if part is None:
            notes.append(f"{value} is left out: {reason}")
        else:
            parts[value] = part
    if len(parts) < 2:
        raise EndpointError(
            f"Column '{by}' has {len(parts)} value(s) with at least {LEAST_SUBJECTS} subjects of each class "
            f"({list_names(list(parts) or sorted(set(values)))}), but a transfer needs two or more. {' '.join(notes)}"
        )
    return parts, notes


def _label(part: AnnData, endpoint: Endpoint) -> tuple[LabelledCohort | None, str]:
    """Return the part with labels, or None and the reason why it is left out."""
    in_words = endpoint.column in part.obs.columns and endpoint.rule is None
    present = set(class_names(part.obs[endpoint.column], *endpoint.class_words)) if in_words else set()
    lacking = [" or ".join(words) for words in endpoint.class_words if in_words and " or ".join(words) not in present]
    if lacking:
        return None, f"it has no {' and no '.join(lacking)}."
    labelled = combine_samples(label_cohort(part, endpoint))
    counts = np.bincount(labelled.labels, minlength=2)
    if counts.min() < LEAST_SUBJECTS:
        return None, f"it has {counts[1]} and {counts[0]} subjects; {LEAST_SUBJECTS} of each class are needed."
    return labelled, ""


def _cohorts_of_jobs(job: JobConfig, to: JobConfig | None) -> Mapping[str, LabelledCohort]:
    if to is None or to.name == job.name:
        raise ConfigError(f"Both jobs are called '{job.name}'. Give each its own `name`.")
    return {
        side.name: combine_samples(label_cohort(build_cohort(side.cohort, side.seed), build_endpoint(side.endpoint)))
        for side in (job, to)
    }


def _nan_to_none(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and isnan(value) else value for name, value in row.items()}
