"""The tracked record of several classes: the answer on all of them, and below it the run of every two."""

from pathlib import Path

from responder_ml.records.classes import ANSWER, ClassesRun
from responder_ml.records.run import read_run
from responder_ml.tracking.items import Item, Record, files_of, metrics, params, tags
from responder_ml.tracking.mlflow import send, send_answer


def send_classes(
    run: ClassesRun,
    folder: Path,
    bundle: Path | None,
    *,
    loader: str,
    uri: str | None = None,
    experiment: str | None = None,
) -> str:
    """Send the answer on all classes, then the run of every two with its bundle below it; return MLflow's id of the answer.

    What was sent before is not sent twice.

    Parameters
    ----------
    run, folder
        The training and its folder; the runs of the pairs are beside it.
    bundle
        Folder of its bundle; None for none.
    loader, uri, experiment
        As for `mlflow.send`.

    Raises
    ------
    RunError
        The run of a pair is missing or damaged.
    TrackingError
        The store cannot be reached or used; nothing is changed but in the store.
    """
    runs = {row.run: read_run(folder.with_name(row.run)) for row in run.result.pairs}
    content = run.result.model_dump(mode="json")
    run_id = send_answer(classes_record(run, folder), (), folder / ANSWER, content, uri=uri, experiment=experiment)
    for name, of_pair in runs.items():
        own = None if bundle is None else bundle / name.removeprefix(f"{folder.name}-")
        of_folder = folder.with_name(name)
        send(of_pair, of_folder, own, loader=loader, uri=uri, experiment=experiment, parent=run_id)
    return run_id


def classes_record(run: ClassesRun, folder: Path) -> Record:
    """Return the record of the answer on all classes.

    Parameters
    ----------
    run
        The training.
    folder
        Its folder; every file in it becomes an artifact.
    """
    result, null, prediction = run.result, run.result.null, run.result.prediction
    region = run.config.get("cohort", {}).get("where", {}).get("region", "")
    items: tuple[Item, ...] = (
        *tags(
            {
                "kind": "several classes",
                "verdict": result.level,
                "endpoint": " vs ".join(result.classes),
                "region": region if isinstance(region, str) else ", ".join(region),
                "simulated": "yes" if result.simulated else "no",
                "seed": result.seed,
                "responder_ml": result.versions.get("responder-ml"),
            }
        ),
        *params({**{f"n_{name}": count for name, count in result.classes.items()}, "alpha": result.alpha}),
        *metrics(
            {
                "auroc": result.macro_auroc,
                "p_value": null and null.p_value,
                "p_value_smallest_possible": null and null.min_attainable_p,
                "null_mean": null and null.null_mean,
                "relabellings": null and null.relabellings,
                "balanced_accuracy": prediction and prediction.balanced_accuracy,
                "train_seconds": result.timings.get("total_s"),
            }
        ),
        *files_of(folder),
    )
    lines = [
        result.sentence,
        "**Artifacts > classes.html** is the page. `auroc` is the mean over every two classes, whose own runs are below this one; "
        "their p is not corrected for the number of pairs.",
    ]
    return Record(result.name, "\n\n".join(lines), items)
