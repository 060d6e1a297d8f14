"""The record of a job: the whole procedure's answer, everything that was set, and every file."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.run import Run
from responder_ml.search.candidate import AUTO
from responder_ml.tracking.fold_metrics import fold_metrics
from responder_ml.tracking.items import Artifact, DatasetInput, Item, Metric, Param, Record, Tag, metrics, params, tags
from responder_ml.tracking.shared_tags import shared_tags
from responder_ml.tracking.table import table_of

# MLflow keeps 36 characters of a dataset's digest; this many tell data apart.
_DIGEST_CHARACTERS = 16


def job_record(run: Run, folder: Path) -> Record:
    """Return the record of a run.

    Parameters
    ----------
    run
        The run.
    folder
        Its folder; every file in it becomes an artifact, the tables in a folder of their own so that the report is
        seen first.
    """
    items: tuple[Item, ...] = (
        *_tags(run),
        *_params(run),
        *_metrics(run),
        *fold_metrics(run, AUTO),
        _dataset(run),
        *_artifacts(folder),
    )
    return Record(run.name, _description(run), items)


def _tags(run: Run) -> Iterator[Tag]:
    yield from tags({"verdict": run.result.verdict.level})
    yield from shared_tags(run)


def _params(run: Run) -> Iterator[Param]:
    result = run.result
    candidates, n, search, refit = result.candidates, result.n, result.search, result.refit
    return params(
        {
            "candidate": AUTO,
            "builder": ", ".join(dict.fromkeys(candidate.builder for candidate in candidates)),
            "classifier": ", ".join(dict.fromkeys(candidate.classifier for candidate in candidates)),
            **{f"n_{key}": value for key, value in n},
            **{key: getattr(search, key) for key in ("folds", "repeats", "inner_folds", "trials")},
            "relabellings_asked": run.config.get("null", {}).get("permutations"),
            "alpha": run.config.get("null", {}).get("alpha"),
            "units": result.endpoint.units,
            "nuisance": ", ".join(result.endpoint.nuisance),
            "bundle_candidate": refit and refit.candidate,
            "bundle_n_features": refit and refit.n_features,
        }
    )


def _metrics(run: Run) -> Iterator[Metric]:
    result = run.result
    headline, null = result.headline, result.null
    low, high = headline.auroc_ci
    genes = table_of(run, "genes")
    called_out = int(genes["called_out"].sum()) if genes["null_high"].notna().any() else None
    yield from metrics(
        {
            "auroc_low": low,
            "auroc_high": high,
            "p_value": null and null.p_value,
            "p_value_within_batch": null and null.conditional and null.conditional.p_value,
            "p_value_smallest_possible": null and null.min_attainable_p,
            "null_mean": null and null.null_mean,
            "relabellings": null and null.permutations,
            **{metric.name: headline.metric(metric.name) for metric in METRICS},
            "leave_pair_out_auroc": headline.leave_pair_out_auroc,
            **_best_baseline(run),
            "gene_stability": result.stability.nogueira,
            "leading_gene_stability": result.stability.leading.nogueira,
            "genes_called_out": called_out,
            "train_seconds": result.timings.get("total_s"),
        }
    )


def _best_baseline(run: Run) -> Mapping[str, Any]:
    table = table_of(run, "baselines").dropna(subset=["auroc"])
    if table.empty:
        return {}
    best = table.iloc[int(table["auroc"].astype(float).argmax())]
    return {
        "best_baseline_auroc": best["auroc"],
        "gain_over_best_baseline": best["gain"],
        "gain_over_best_baseline_low": best["gain_low"],
        "gain_over_best_baseline_high": best["gain_high"],
    }


def _dataset(run: Run) -> DatasetInput:
    cohort = run.config.get("cohort", {})
    n, digest = run.result.n, run.result.data_sha256[:_DIGEST_CHARACTERS]
    profile = {"num_rows": n.samples, "num_elements": n.samples * n.genes, **n.model_dump()}
    if run.result.simulated:
        settings = {"params": cohort.get("params", {}), "where": cohort.get("where", {}), "seed": run.result.seed}
        return DatasetInput("simulated cohort", digest, "simulated", settings, profile)
    path = str(cohort.get("expression", ""))
    return DatasetInput(Path(path).name or run.name, digest, "local", {"uri": path}, profile)


def _artifacts(folder: Path) -> Iterator[Artifact]:
    for path in sorted(folder.iterdir()):
        yield Artifact(path, "tables" if path.suffix == ".csv" else "")


def _description(run: Run) -> str:
    result = run.result
    auroc, (low, high) = result.headline.auroc, result.headline.auroc_ci
    lines = [
        result.verdict.sentence,
        "**Artifacts > report.html** is the whole story.",
        f"AUROC {_number(auroc)} (95 % interval {_number(low)} to {_number(high)}) is that of the whole procedure, the "
        "choice between candidates included. The child runs are the candidates, each on its own.",
    ]
    if result.simulated:
        lines.insert(0, "**Simulated data: nothing here is a finding about real animals.**")
    return "\n\n".join(lines)


def _number(value: float | None) -> str:
    return "unknown" if value is None or not math.isfinite(value) else f"{value:.2f}"
