"""Sum a study up: the table of jobs, one sentence, and the content of ``study.json``."""

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import pandas as pd

from responder_ml.evaluation.intervals import auroc_interval
from responder_ml.evaluation.joint_null import JointNull
from responder_ml.evaluation.metrics import auroc
from responder_ml.records.study import SCHEMA_VERSION, study_table
from responder_ml.studies.jobs import RefusedJob, StudyJob

_REPORTED_VERSIONS = ("responder-ml", "numpy", "scipy", "pandas", "scikit-learn")


def job_rows(entered: Sequence[StudyJob | RefusedJob], family: JointNull, seed: int) -> pd.DataFrame:
    """Return one row per job of the grid, in its order; refused ones too."""
    rows = [_refused_row(each) if isinstance(each, RefusedJob) else _tested_row(each, family, seed) for each in entered]
    return study_table("jobs", rows)


def null_rows(family: JointNull) -> pd.DataFrame:
    """Return every labelling's value of each job's statistic."""
    return study_table(
        "null",
        [
            {"job": job, "draw": draw, "statistic": value}
            for job, member in family.members.items()
            for draw, value in enumerate(member.null.values)
        ],
    )


def sentence_of(jobs: pd.DataFrame, family: JointNull, alpha: float, simulated: bool) -> str:
    """Say which jobs show evidence after correction, or that none does, and which could not."""
    found = jobs[jobs["verdict"] == "evidence"].sort_values("corrected_p", kind="stable")
    tested = int(jobs["corrected_p"].notna().sum())
    scope = f"of {tested} job{'s' * (tested != 1)} tested together"
    if found.empty:
        said = f"None {scope} shows evidence after correction (corrected p < {alpha:g})."
    else:
        listed = "; ".join(
            f"{row['job']} (AUROC {row['auroc']:.2f}, corrected p {row['corrected_p']:.2g})"
            for _, row in found.iterrows()
        )
        said = f"{len(found)} {scope} show{'s' * (len(found) == 1)} evidence after correction: {listed}."
    others = [f"{count} {word}" for level, word in _OTHERS.items() if (count := int((jobs["verdict"] == level).sum()))]
    rest = f" {'The others' if len(found) else 'Of them'}: {', '.join(others)}." if others else ""
    return f"{'Simulated data: ' * simulated}{said}{rest}"


_OTHERS = {
    "confounded": "confounded with batch or another nuisance",
    "no_evidence": "without evidence",
    "underpowered": "underpowered",
    "refused": "refused for too few subjects",
}


def compose_study(
    *,
    name: str,
    alpha: float,
    jobs: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    family: JointNull,
    n_blocks: int,
    simulated: bool,
    sentence: str,
    fused: Sequence[Mapping[str, Any]],
    timings: Mapping[str, float],
    seed: int,
) -> dict[str, Any]:
    """Return the content of ``study.json``; every number is finite or null.

    Parameters
    ----------
    name, alpha, seed
        From the configuration.
    jobs, tables
        The table of jobs, and the others.
    family, n_blocks
        The test of all jobs, and the blocks within which subjects were relabelled.
    simulated
        Whether the data are.
    sentence
        The conclusion.
    fused
        For each question whose regions were fused: who lacks which, and the weights.
    timings
        Seconds per stage.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "simulated": simulated,
        "sentence": sentence,
        "correction": {
            "method": "smallest p over jobs, step-down, subjects relabelled for all jobs together",
            "alpha": alpha,
            "jobs": len(family.members),
            "draws": family.draws,
            "labellings": str(family.labellings),
            "blocks": n_blocks,
            "exact": family.exact,
        },
        "jobs": records(jobs),
        "transfer": records(tables["transfer"]),
        "fusion": records(tables["fusion"]),
        "fused": [dict(each) for each in fused],
        "timings": dict(timings),
        "versions": {"python": platform.python_version(), **{each: version(each) for each in _REPORTED_VERSIONS}},
        "seed": seed,
    }


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows that JSON can hold; digits beyond the tenth differ between machines and say nothing."""
    return [{str(key): _plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, str) or value is None:
        return value
    if not math.isfinite(value):
        return None
    return round(float(value), 10) if float(value) != int(value) else int(value)


def _place(entered: StudyJob | RefusedJob) -> dict[str, Any]:
    cell = entered.cell
    return {
        "job": cell.key,
        "region": cell.region,
        "endpoint": cell.endpoint,
        "subset": cell.subset,
        "positive": cell.job.endpoint.positive,
        "negative": cell.job.endpoint.negative,
    }


def _refused_row(entered: RefusedJob) -> dict[str, Any]:
    return {
        **_place(entered),
        "n_positive": entered.n_positive,
        "n_negative": entered.n_negative,
        "verdict": "refused",
        "sentence": entered.reason,
    }


def _tested_row(entered: StudyJob, family: JointNull, seed: int) -> dict[str, Any]:
    member = family.members[entered.cell.key]
    corrected = replace(member.null, p_value=member.corrected_p, min_attainable_p=member.attainable_corrected_p)
    judged = entered.judge(corrected)
    low, high = auroc_interval(entered.auto, seed)
    positive = int(entered.subjects.labels.sum())
    return {
        **_place(entered),
        "n_positive": positive,
        "n_negative": len(entered.subjects.labels) - positive,
        "auroc": auroc(entered.auto),
        "auroc_low": low,
        "auroc_high": high,
        "null_mean": member.null.mean,
        "p_value": member.null.p_value,
        "attainable_p": member.null.min_attainable_p,
        "corrected_p": member.corrected_p,
        "attainable_corrected_p": member.attainable_corrected_p,
        "labellings": member.null.labellings,
        **judged.facts,
        "verdict": judged.verdict.level,
        "sentence": judged.verdict.sentence,
    }
