"""The records of a run: one for the job, which is the whole procedure, and one for each of its candidates."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.result import CandidateRecord
from responder_ml.records.run import Run, empty_table
from responder_ml.search.candidate import AUTO
from responder_ml.tracking.items import (
    Artifact,
    DatasetInput,
    Item,
    Metric,
    Param,
    Record,
    Tag,
    metrics,
    params,
    series,
    tags,
)

# MLflow keeps 36 characters of a dataset's digest; this many tell data sets apart.
_DIGEST_CHARACTERS = 16
# Columns of the sample table by which people sort their jobs.
_GROUPING_COLUMNS = ("region", "drug", "sex")
# Columns that name an outer fold.
_OUTER_FOLD = ["repeat", "fold"]


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
        *_job_tags(run),
        *_job_params(run),
        *_job_metrics(run),
        *_fold_metrics(run, AUTO),
        dataset_input(run),
        *_artifacts(folder),
    )
    return Record(run.name, _job_description(run), items)


def _job_tags(run: Run) -> Iterator[Tag]:
    jobs = run.result.jobs_on_data
    yield from tags({"verdict": run.result.verdict.level, "run_on_these_data": jobs and f"{jobs.run} of {jobs.jobs}"})
    yield from _shared_tags(run)


def _job_params(run: Run) -> Iterator[Param]:
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


def _job_metrics(run: Run) -> Iterator[Metric]:
    result = run.result
    headline, null = result.headline, result.null
    low, high = headline.auroc_ci
    genes = _table_of(run, "genes")
    called_out = int(genes["called_out"].sum()) if genes["null_high"].notna().any() else None
    yield from metrics(
        {
            "auroc_low": low,
            "auroc_high": high,
            "auroc_low_of_halves": result.split_sensitivity and result.split_sensitivity.auroc[0],
            "auroc_high_of_halves": result.split_sensitivity and result.split_sensitivity.auroc[1],
            "p_value": null and null.p_value,
            "p_value_within_batch": null and null.conditional and null.conditional.p_value,
            "p_value_global": result.global_test and result.global_test.p_value,
            "p_value_smallest_possible": null and null.min_attainable_p,
            "null_mean": null and null.null_mean,
            "relabellings": null and null.permutations,
            **{metric.name: headline.metric(metric.name) for metric in METRICS},
            **_best_baseline(run),
            **_rivals(run),
            "label_ceiling": result.label_ceiling and result.label_ceiling.auroc,
            "learning_curve_level": result.learning_curve and result.learning_curve.level,
            "gene_stability": result.stability.nogueira,
            "leading_gene_stability": result.stability.leading.nogueira,
            "genes_called_out": called_out,
            "train_seconds": result.timings.get("total_s"),
        }
    )


def _best_baseline(run: Run) -> Mapping[str, Any]:
    table = _table_of(run, "baselines").dropna(subset=["auroc"])
    if table.empty:
        return {}
    best = table.iloc[int(table["auroc"].astype(float).argmax())]
    return {
        "best_baseline_auroc": best["auroc"],
        "gain_over_best_baseline": best["gain"],
        "gain_over_best_baseline_low": best["gain_low"],
        "gain_over_best_baseline_high": best["gain_high"],
    }


def _rivals(run: Run) -> Mapping[str, Any]:
    """Return AUROC and p of every rival explanation, alone and held constant."""
    return {
        f"rival/{re.sub(r'[^A-Za-z0-9_. -]', '_', str(row['name']))}/{measure}": row[measure]
        for row in _table_of(run, "rivals").to_dict("records")
        for measure in ("auroc_alone", "p_alone", "auroc_adjusted", "p_adjusted")
        if row[measure] == row[measure]
    }


def dataset_input(run: Run) -> DatasetInput:
    """Return the data a run was trained on."""
    cohort = run.config.get("cohort", {})
    n, digest = run.result.n, run.result.data_sha256[:_DIGEST_CHARACTERS]
    profile = {"num_rows": n.samples, "num_elements": n.samples * n.genes, **n.model_dump()}
    if run.result.simulated:
        settings = {"params": cohort.get("params", {}), "where": cohort.get("where", {}), "seed": run.result.seed}
        return DatasetInput("simulated cohort", digest, "simulated", settings, profile)
    path = str(cohort.get("expression", ""))
    return DatasetInput(Path(path).name or run.name, digest, "local", {"uri": path}, profile)


def _artifacts(folder: Path) -> Iterator[Artifact]:
    # The folder's own list of its files says nothing of the folders in a store, and links lead out of the run.
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(".") and not path.is_symlink():
            yield Artifact(path, "tables" if path.suffix == ".csv" else "")


def _job_description(run: Run) -> str:
    result = run.result
    auroc, (low, high) = result.headline.auroc, result.headline.auroc_ci
    lines = [
        result.verdict.sentence,
        "**Artifacts > report.html** is the full report.",
        f"AUROC {_number(auroc)} (95 % interval {_number(low)} to {_number(high)}) is that of the whole procedure, the "
        "choice between candidates included. The child runs are the candidates, each on its own.",
    ]
    if result.simulated:
        lines.insert(0, "**Simulated data: nothing here is a finding about real animals.**")
    return "\n\n".join(lines)


def _number(value: float | None) -> str:
    return "unknown" if value is None or not math.isfinite(value) else f"{value:.2f}"


def candidate_records(run: Run) -> Iterator[Record]:
    """Yield a record for every candidate; "auto", the choice between them, is the job itself."""
    for candidate in run.result.candidates:
        name = candidate.name
        trials = _table_of(run, "trials")
        items: tuple[Item, ...] = (
            *_shared_tags(run),
            *_candidate_params(run, candidate),
            *_candidate_metrics(run, candidate),
            *_fold_metrics(run, name),
            *search_items(trials[trials["candidate"] == name]),
        )
        yield Record(name, _candidate_description(run, candidate), items)


def _candidate_params(run: Run, candidate: CandidateRecord) -> Iterator[Param]:
    yield from params({"candidate": candidate.name, "builder": candidate.builder, "classifier": candidate.classifier})
    for family in ("builder", "classifier"):
        for component in run.config.get(f"{family}s", ()):
            if (component.get("name") or component["kind"]) == getattr(candidate, family):
                yield from params({f"{family}.{key}": value for key, value in component.get("params", {}).items()})


def _candidate_metrics(run: Run, candidate: CandidateRecord) -> Iterator[Metric]:
    low, high = candidate.auroc_ci
    yield from metrics(
        {
            "auroc_low": low,
            "auroc_high": high,
            **{metric.name: candidate.metric(metric.name) for metric in METRICS},
            "chosen_share": candidate.chosen_share,
            **_means_over_folds(_table_of(run, "folds"), candidate.name),
        }
    )


def _means_over_folds(folds: pd.DataFrame, name: str) -> dict[str, float]:
    rows = folds[folds["candidate"] == name]
    if rows.empty:
        return {}
    return {
        "inner_auroc_mean": float(rows["inner_score"].astype(float).mean()),
        "n_features_median": float(rows["n_features"].astype(float).median()),
    }


def _candidate_description(run: Run, candidate: CandidateRecord) -> str:
    return (
        f"One candidate of {run.name}: builder {candidate.builder}, classifier {candidate.classifier}. Its AUROC is shown "
        "beside the whole procedure's, so that nobody picks the best row by hand: the best of several rows is too "
        "high by that choice alone. Verdict and p belong to the parent."
    )


def search_items(trials: pd.DataFrame) -> Iterator[Metric]:
    """Yield the history and the importances of one candidate's search.

    Parameters
    ----------
    trials
        The candidate's rows of the run's table ``trials``.
    """
    if trials.empty:
        return
    ordered = trials.sort_values([*_OUTER_FOLD, "trial"])
    best = ordered.groupby(_OUTER_FOLD)["value"].cummax()
    for key, values in (("search/inner_auroc_by_trial", ordered["value"]), ("search/best_inner_auroc_so_far", best)):
        means = values.groupby(ordered["trial"]).mean()
        yield from series(key, zip(means.index, means, strict=True))
    yield from metrics(
        {f"search/spearman_with_inner_auroc.{name}": value for name, value in importances(ordered).items()}
    )


def importances(trials: pd.DataFrame) -> dict[str, float]:
    """Return each numeric parameter's Spearman correlation with the trial's value, averaged over outer folds.

    A cheap and signed stand-in for an importance: it sees trends, not optima in the middle of a range. A search where
    the parameter or the value never changed carries no information and is left out.

    Parameters
    ----------
    trials
        Rows of the table ``trials``, of one candidate.
    """
    settings = pd.DataFrame([json.loads(text) for text in trials["params"]], index=trials.index)
    importance_of = {}
    for name in settings.select_dtypes("number").columns:
        outer_folds = trials[[*_OUTER_FOLD, "value"]].assign(setting=settings[name]).dropna().groupby(_OUTER_FOLD)
        ranks = outer_folds[["setting", "value"]].rank()
        correlations = [_correlation(ranks.loc[rows].to_numpy()) for rows in outer_folds.groups.values()]
        defined = [correlation for correlation in correlations if correlation is not None]
        if defined:
            importance_of[str(name)] = float(np.mean(defined))
    return importance_of


def _correlation(pairs: Floats) -> float | None:
    """Return the Pearson correlation of two columns, shape ``(n, 2)``; None where one is constant."""
    if np.any(np.ptp(pairs, axis=0) == 0):
        return None
    return float(np.corrcoef(pairs[:, 0], pairs[:, 1])[0, 1])


def _fold_metrics(run: Run, candidate: str) -> Iterator[Metric]:
    """Yield a candidate's AUROC of every outer fold as one metric; the step is repeat x folds + fold.

    A fold that held out one class only has no AUROC and leaves a gap.

    Parameters
    ----------
    run
        The run.
    candidate
        Candidate name, or "auto".
    """
    table = _table_of(run, "folds")
    if table.empty:
        return
    folds = int(table["fold"].max()) + 1
    rows = table[(table["candidate"] == candidate) & table["auroc"].notna()].sort_values(["repeat", "fold"])
    steps = rows["repeat"] * folds + rows["fold"]
    yield from series("each_fold/auroc", zip(steps, rows["auroc"], strict=True))
    # Trackers show a series by its last value; this one ends at the mean over all folds.
    yield from series("each_fold/auroc_mean_so_far", zip(steps, rows["auroc"].expanding().mean(), strict=True))


def _shared_tags(run: Run) -> Iterator[Tag]:
    """Yield the tags that a job and its candidates share, so that either can be filtered and grouped by them.

    They name the samples, the endpoint, the data and the version of the program. What a run does not hold is left out.
    """
    result, endpoint = run.result, run.result.endpoint
    yield from tags(
        {
            "job": run.name,
            **{column: _column_values(run, column) for column in _GROUPING_COLUMNS},
            "endpoint": f"{endpoint.positive} vs {endpoint.negative}",
            "strata": ", ".join(endpoint.strata),
            "simulated": "yes" if result.simulated else "no",
            "data_sha256": result.data_sha256,
            "seed": result.seed,
            "responder_ml": result.versions.get("responder_ml") or result.versions.get("responder-ml"),
        }
    )


def _column_values(run: Run, column: str) -> str:
    """Return the values a column has among the run's samples, or those the job selects."""
    samples = _table_of(run, "samples")
    if column in samples.columns:
        return ", ".join(sorted(map(str, samples[column].dropna().unique())))
    selected = run.result.endpoint.where.get(column, "")
    return selected if isinstance(selected, str) else ", ".join(sorted(map(str, selected)))


def _table_of(run: Run, name: str) -> pd.DataFrame:
    """Return a table of a run; one that the run does not have is empty, with its columns."""
    return run.tables.get(name, empty_table(name))
