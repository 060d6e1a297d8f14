"""The tracked record of a study: its conclusion, and below it a row for every job of its grid."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from responder_ml.records.study import ANSWER, Study
from responder_ml.search.candidate import AUTO
from responder_ml.tracking.items import Item, Param, Record, Tag, files_of, metrics, params, tags
from responder_ml.tracking.mlflow import send_answer


def send_study(study: Study, folder: Path, *, uri: str | None = None, experiment: str | None = None) -> str:
    """Send a study with its jobs as child rows; return MLflow's id of the study. Parameters and errors as for `send_answer`."""
    jobs = tuple(study_job_records(study))
    content = study.result.content()
    return send_answer(study_record(study, folder), jobs, folder / ANSWER, content, uri=uri, experiment=experiment)


def study_record(study: Study, folder: Path) -> Record:
    """Return the record of a study.

    Parameters
    ----------
    study
        The study.
    folder
        Its folder; every file in it becomes an artifact, except the runs of its jobs.
    """
    result, verdicts = study.result, study.tables["jobs"]["verdict"]
    correction = result.correction
    items: tuple[Item, ...] = (
        *_shared(study),
        *tags({"kind": "study"}),
        *params(correction.model_dump(include={"jobs", "draws", "alpha", "exact", "labellings"})),
        *metrics({f"jobs_{level}": int((verdicts == level).sum()) for level in sorted(set(verdicts))}),
        *metrics({"train_seconds": result.timings.get("total_s")}),
        *files_of(folder),
    )
    lines = [
        result.sentence,
        "**Artifacts > study.html** is the full report. The child runs are the jobs; their p is corrected over all of them.",
    ]
    return Record(study.name, "\n\n".join(lines), items)


def study_job_records(study: Study) -> Iterator[Record]:
    """Yield a record for every job of the grid, including those that were refused."""
    for row in study.tables["jobs"].to_dict("records"):
        items: tuple[Item, ...] = (*_shared(study), *_job_tags(row), *_job_params(row), *_job_metrics(row))
        yield Record(str(row["job"]), str(row["sentence"]), items)


def _shared(study: Study) -> Iterator[Tag]:
    return tags(
        {
            "study": study.name,
            "simulated": "yes" if study.result.simulated else "no",
            "seed": study.result.seed,
            "responder_ml": study.result.versions.get("responder-ml"),
        }
    )


def _job_tags(row: Mapping[Any, Any]) -> Iterator[Tag]:
    return tags(
        {
            "kind": "job of a study",
            "job": row["job"],
            "region": row["region"],
            "drug": "" if row["subset"] == "all" else row["subset"],
            "endpoint": f"{row['positive']} vs {row['negative']}",
            "verdict": row["verdict"],
        }
    )


def _job_params(row: Mapping[Any, Any]) -> Iterator[Param]:
    return params(
        {
            "candidate": AUTO,
            **{key: row[key] for key in ("n_positive", "n_negative", "labellings") if row[key] == row[key]},
        }
    )


def _job_metrics(row: Mapping[Any, Any]) -> Iterator[Any]:
    return metrics(
        {
            **{key: row[key] for key in ("auroc", "auroc_low", "auroc_high", "null_mean")},
            "p_value": row["corrected_p"],
            "p_value_not_corrected": row["p_value"],
            "p_value_smallest_possible": row["attainable_corrected_p"],
            "p_value_within_batch": row["within_batch_p"],
            "gain_over_best_baseline": row["gain"],
        }
    )
