"""The tracked record of a training on a graded outcome, and one below it for each of its candidates."""

from collections.abc import Iterator
from pathlib import Path

from responder_ml.records.graded import ANSWER, GradedCandidate, GradedPerformance, GradedRun
from responder_ml.search.candidate import AUTO
from responder_ml.tracking.items import Artifact, Item, Metric, Record, Tag, files_of, metrics, params, tags
from responder_ml.tracking.mlflow import send_answer


def send_graded(
    run: GradedRun, folder: Path, bundle: Path | None, *, uri: str | None = None, experiment: str | None = None
) -> str:
    """Send a run with its candidates below it, its files and its bundle; return MLflow's id of the run.

    One that was sent before is not sent twice.

    Parameters
    ----------
    run, folder, bundle
        As for `graded_record`.
    uri, experiment
        As for `mlflow.send`.

    Raises
    ------
    TrackingError
        The store cannot be reached or used; nothing is changed but in the store.
    """
    record, candidates = graded_record(run, folder, bundle), tuple(graded_candidate_records(run))
    content = run.result.model_dump(mode="json")
    return send_answer(record, candidates, folder / ANSWER, content, uri=uri, experiment=experiment)


def graded_record(run: GradedRun, folder: Path, bundle: Path | None) -> Record:
    """Return the record of a run.

    Parameters
    ----------
    run
        The run.
    folder
        Its folder; every file in it becomes an artifact.
    bundle
        Folder of its bundle, an artifact of its own; None for none.
    """
    result = run.result
    null, search, jobs = result.null, result.search, result.jobs_on_data
    items: tuple[Item, ...] = (
        *_shared(run),
        *tags({"verdict": result.verdict.level, "run_on_these_data": jobs and f"{jobs.run} of {jobs.jobs}"}),
        *params(
            {
                "candidate": AUTO,
                "builder": ", ".join(dict.fromkeys(candidate.builder for candidate in result.candidates)),
                "regressor": ", ".join(dict.fromkeys(candidate.regressor for candidate in result.candidates)),
                **{f"n_{key}": value for key, value in result.n},
                "folds": search.folds,
                "repeats": search.repeats,
                "trials": search.trials,
                "alpha": result.alpha,
                "units": result.units,
                "nuisance": ", ".join(result.nuisance),
            }
        ),
        *_performance(result.headline),
        *metrics(
            {
                "p_value": null and null.p_value,
                "p_value_within_nuisances": result.conditional and result.conditional.p_value,
                "p_value_smallest_possible": null and null.min_attainable_p,
                "null_mean": null and null.null_mean,
                "relabellings": null and null.relabellings,
                "train_seconds": result.timings.get("total_s"),
            }
        ),
        *files_of(folder),
        *([] if bundle is None else [Artifact(bundle, "bundle")]),
    )
    lines = [
        result.verdict.sentence,
        "**Artifacts > graded.html** is the full page. The child runs are the candidates, each on its own: the best of several "
        "rows is too high by that choice alone.",
    ]
    return Record(result.name, "\n\n".join(lines), items)


def graded_candidate_records(run: GradedRun) -> Iterator[Record]:
    """Yield a record for every candidate."""
    for candidate in run.result.candidates:
        items: tuple[Item, ...] = (
            *_shared(run),
            *params({"candidate": candidate.name, "builder": candidate.builder, "regressor": candidate.regressor}),
            *_performance(candidate),
            *metrics({"chosen_share": candidate.chosen_share}),
        )
        yield Record(candidate.name, f"One candidate of {run.result.name}.", items)


def _performance(part: GradedPerformance | GradedCandidate) -> Iterator[Metric]:
    low, high = part.concordance_ci
    numbers = {"concordance": part.concordance, "concordance_low": low, "concordance_high": high}
    return metrics({**numbers, "spearman": part.spearman, "r2": part.r2, "mae": part.mae})


def _shared(run: GradedRun) -> Iterator[Tag]:
    result = run.result
    return tags(
        {
            "kind": "graded outcome",
            "job": result.name,
            "endpoint": result.outcome.column,
            "strata": ", ".join(result.strata),
            **{key: value if isinstance(value, str) else ", ".join(value) for key, value in result.where.items()},
            "simulated": "yes" if result.simulated else "no",
            "data_sha256": result.data_sha256,
            "seed": result.seed,
            "responder_ml": result.versions.get("responder-ml"),
        }
    )
