"""The record of one candidate: what it is, how it did out of fold, and how its search went."""

from collections.abc import Iterator

import pandas as pd

from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.result import CandidateRecord
from responder_ml.records.run import Run
from responder_ml.tracking.fold_metrics import fold_metrics
from responder_ml.tracking.items import Item, Metric, Param, Record, metrics, params
from responder_ml.tracking.search_history import search_items
from responder_ml.tracking.shared_tags import shared_tags
from responder_ml.tracking.table import table_of


def candidate_records(run: Run) -> Iterator[Record]:
    """Yield a record for every candidate; "auto", the choice between them, is the job itself."""
    for candidate in run.result.candidates:
        name = candidate.name
        trials = table_of(run, "trials")
        items: tuple[Item, ...] = (
            *shared_tags(run),
            *_params(run, candidate),
            *_metrics(run, candidate),
            *fold_metrics(run, name),
            *search_items(trials[trials["candidate"] == name]),
        )
        yield Record(name, _description(run, candidate), items)


def _params(run: Run, candidate: CandidateRecord) -> Iterator[Param]:
    yield from params({"candidate": candidate.name, "builder": candidate.builder, "classifier": candidate.classifier})
    for family in ("builder", "classifier"):
        for component in run.config.get(f"{family}s", ()):
            if (component.get("name") or component["kind"]) == getattr(candidate, family):
                yield from params({f"{family}.{key}": value for key, value in component.get("params", {}).items()})


def _metrics(run: Run, candidate: CandidateRecord) -> Iterator[Metric]:
    low, high = candidate.auroc_ci
    yield from metrics(
        {
            "auroc_low": low,
            "auroc_high": high,
            **{metric.name: candidate.metric(metric.name) for metric in METRICS},
            "chosen_share": candidate.chosen_share,
            **_over_folds(table_of(run, "folds"), candidate.name),
        }
    )


def _over_folds(folds: pd.DataFrame, name: str) -> dict[str, float]:
    rows = folds[folds["candidate"] == name]
    if rows.empty:
        return {}
    return {
        "inner_auroc_mean": float(rows["inner_score"].astype(float).mean()),
        "n_features_median": float(rows["n_features"].astype(float).median()),
    }


def _description(run: Run, candidate: CandidateRecord) -> str:
    return (
        f"One candidate of {run.name}: builder {candidate.builder}, classifier {candidate.classifier}. Its AUROC is shown "
        "beside the whole procedure's, so that nobody picks the best row by hand: the best of several rows is too "
        "high by that choice alone. Verdict and p belong to the parent."
    )
