"""Sum a study up: the tables of jobs and relabellings, the conclusion, and the content of ``study.json``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from responder_ml.cohort.tissue_taken import TissueTaken
from responder_ml.evaluation.auroc_interval import auroc_interval
from responder_ml.evaluation.joint_null import JointNull
from responder_ml.evaluation.metrics import auroc
from responder_ml.records.job_register import JobCount
from responder_ml.records.study import STUDY_FOLDER, Correction, FusedRegions, StudyResult
from responder_ml.studies.jobs import RefusedJob, StudyJob
from responder_ml.versions import versions_of

_VERDICTS_IN_WORDS = {
    "confounded": "confounded with batch or another nuisance",
    "not_separable": "not separable from batch or another nuisance",
    "no_evidence": "without evidence",
    "undecided": "undecided",
    "underpowered": "underpowered",
    "refused": "refused for too few subjects",
}


def job_table(
    jobs: Sequence[StudyJob | RefusedJob], joint_null: JointNull, counts: Mapping[str, JobCount]
) -> pd.DataFrame:
    """Return one row per job, refused ones too, in the order of the grid.

    Parameters
    ----------
    jobs, joint_null
        The jobs, and their test together.
    counts
        Which of how many jobs on the same data each is, by name, as far as that is known.
    """
    rows = [
        _refused_row(job) if isinstance(job, RefusedJob) else _tested_row(job, joint_null, counts.get(job.planned.name))
        for job in jobs
    ]
    return STUDY_FOLDER.table("jobs", rows)


def null_table(joint_null: JointNull) -> pd.DataFrame:
    """Return every relabelling's value of each job's statistic."""
    rows = [
        {"job": name, "draw": draw, "statistic": value}
        for name, job in joint_null.jobs.items()
        for draw, value in enumerate(job.null.values)
    ]
    return STUDY_FOLDER.table("null", rows)


def compose_result(
    *,
    name: str,
    alpha: float,
    seed: int,
    tables: Mapping[str, pd.DataFrame],
    joint_null: JointNull,
    n_blocks: int,
    simulated: bool,
    taken: TissueTaken,
    fused: Sequence[FusedRegions],
    timings: Mapping[str, float],
) -> StudyResult:
    """Return the content of ``study.json``; every number is finite or null.

    Parameters
    ----------
    name, alpha, seed
        From the configuration.
    tables
        The tables of the study.
    joint_null, n_blocks
        The test of all jobs together, and the number of blocks within which subjects were relabelled.
    simulated
        Whether the data are simulated.
    taken
        Whether tissue was taken before or after the outcome was known.
    fused
        The regions that were fused, one entry per endpoint and subset.
    timings
        Seconds per stage.
    """
    correction = Correction(
        method="smallest p over jobs, step-down, subjects relabelled for all jobs together",
        alpha=alpha,
        jobs=len(joint_null.jobs),
        draws=joint_null.draws,
        labellings=str(joint_null.labellings),
        blocks=n_blocks,
        exact=joint_null.exact,
    )
    return StudyResult.model_validate(
        {
            "name": name,
            "simulated": simulated,
            "taken": taken,
            "sentence": state_conclusion(tables["jobs"], alpha, simulated),
            "correction": correction,
            **{table: json_rows(tables[table]) for table in ("jobs", "transfer", "fusion")},
            "fused": fused,
            "timings": timings,
            "versions": versions_of(),
            "seed": seed,
        }
    )


def state_conclusion(jobs: pd.DataFrame, alpha: float, simulated: bool) -> str:
    """State which jobs show evidence after correction, or that none does, and how many could not be judged so."""
    evident = jobs[jobs["verdict"] == "evidence"].sort_values("corrected_p", kind="stable")
    n_tested = int(jobs["corrected_p"].notna().sum())
    scope = f"of {n_tested} job{'s' * (n_tested != 1)} tested together"
    if evident.empty:
        conclusion = f"None {scope} shows evidence after correction (corrected p <= {alpha:g})."
    else:
        listed = "; ".join(
            f"{row['job']} (AUROC {row['auroc']:.2f}, corrected p {row['corrected_p']:.2g})"
            for _, row in evident.iterrows()
        )
        conclusion = f"{len(evident)} {scope} show{'s' * (len(evident) == 1)} evidence after correction: {listed}."
    counts = {words: int((jobs["verdict"] == verdict).sum()) for verdict, words in _VERDICTS_IN_WORDS.items()}
    others = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    rest = f" {'The others' if len(evident) else 'Of them'}: {others}." if others else ""
    return f"{'Simulated data: ' * simulated}{conclusion}{rest}"


def json_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows that JSON can hold, rounded to ten digits: those beyond differ between machines and mean nothing."""
    return [{str(key): _json_value(value) for key, value in row.items()} for row in table.to_dict("records")]


def _json_value(value: Any) -> Any:
    if isinstance(value, str) or value is None:
        return value
    if not math.isfinite(value):
        return None
    return round(float(value), 10) if float(value) != int(value) else int(value)


def _grid_columns(job: StudyJob | RefusedJob) -> dict[str, Any]:
    planned = job.planned
    return {
        "job": planned.name,
        "region": planned.region,
        "endpoint": planned.endpoint,
        "subset": planned.subset,
        "positive": planned.config.endpoint.positive,
        "negative": planned.config.endpoint.negative,
    }


def _refused_row(job: RefusedJob) -> dict[str, Any]:
    return {
        **_grid_columns(job),
        "n_positive": job.n_positive,
        "n_negative": job.n_negative,
        "verdict": "refused",
        "sentence": job.reason,
    }


def _tested_row(job: StudyJob, joint_null: JointNull, count: JobCount | None) -> dict[str, Any]:
    job_null = joint_null.jobs[job.planned.name]
    own, corrected_p, attainable = job_null.null, job_null.corrected_p, job_null.attainable_corrected_p
    verdict = job.assess(replace(own, p_value=corrected_p, min_attainable_p=attainable))
    low, high = auroc_interval(job.auto)
    positive = int(job.subjects.labels.sum())
    return {
        **_grid_columns(job),
        "n_positive": positive,
        "n_negative": len(job.subjects.labels) - positive,
        "auroc": auroc(job.auto),
        "auroc_low": low,
        "auroc_high": high,
        "null_mean": own.mean,
        "p_value": own.p_value,
        "attainable_p": own.min_attainable_p,
        "corrected_p": corrected_p,
        "attainable_corrected_p": attainable,
        "labellings": own.labellings,
        **verdict.facts,
        **({} if count is None else {"run_on_data": count.run, "jobs_on_data": count.jobs}),
        "verdict": verdict.verdict.level,
        "sentence": (verdict.verdict if count is None else verdict.verdict.among_jobs(count.run, count.jobs)).sentence,
    }
