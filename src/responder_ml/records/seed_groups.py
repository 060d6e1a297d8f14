"""Runs that are one job under several seeds: how far the seed moves the AUROC or concordance, p and the verdict."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.records.graded import GradedRun
from responder_ml.records.job_register import deciding_settings
from responder_ml.records.run import Run

# Runs of graded outcomes have no AUROC.
_WORDS = {"auroc": "AUROC", "concordance": "Concordance"}


def columns_of(measure: str = "auroc") -> list[str]:
    """Return the columns of the groups of runs that are ranked by a measure."""
    of_measure = [f"{measure}_{end}" for end in ("low", "high", "sd")]
    return ["runs", "seeds", *of_measure, "p_low", "p_high", "verdicts", "verdicts_differ"]


def group_by_seed(runs: Mapping[str, Run] | Mapping[str, GradedRun], measure: str = "auroc") -> pd.DataFrame:
    """Return one row for each job that was run under several seeds on the same data, and under otherwise the same settings.

    Parameters
    ----------
    runs
        Runs by the names to show.
    measure
        Key of the headline: ``auroc``, or ``concordance`` of graded outcomes.

    Returns
    -------
    Columns ``runs`` (a tuple of names), ``seeds``, the smallest and largest measure of the headline and its standard deviation over
    runs, the smallest and largest p (missing where no null was run), ``verdicts`` (each level with its number of runs) and
    whether they differ.
    """
    groups: dict[tuple[str, str], dict[str, Run | GradedRun]] = {}
    for name, run in runs.items():
        groups.setdefault((run.result.data_sha256, _settings(run)), {})[name] = run
    rows = [
        _summarise(group, measure) for group in groups.values() if len({run.result.seed for run in group.values()}) > 1
    ]
    return pd.DataFrame(rows, columns=columns_of(measure))


def describe_groups(groups: pd.DataFrame, measure: str = "auroc") -> list[str]:
    """Return a sentence for each group, which says so where verdicts differ."""
    return [_describe(row, measure) for row in groups.to_dict("records")]


def count_levels(levels: Sequence[str]) -> str:
    """Return the levels of several verdicts with their numbers, the most frequent first."""
    return ", ".join(f"{level.replace('_', ' ')} ({count})" for level, count in Counter(levels).most_common())


def _settings(run: Run | GradedRun) -> str:
    # The level of significance turns verdicts too, but is no seed.
    settings = deciding_settings(run.config) | {"null": run.config.get("null")}
    return json.dumps({key: value for key, value in settings.items() if key != "seed"}, sort_keys=True)


def _summarise(group: Mapping[str, Run | GradedRun], measure: str) -> dict[str, Any]:
    results = [run.result for run in group.values()]
    known = [getattr(result.headline, measure) for result in results]
    values = np.array([np.nan if value is None else float(value) for value in known])
    p_values = [
        result.null.p_value for result in results if result.null is not None and result.null.p_value is not None
    ]
    levels = [result.verdict.level for result in results]
    return {
        "runs": tuple(group),
        "seeds": "; ".join(str(result.seed) for result in results),
        f"{measure}_low": values.min(),
        f"{measure}_high": values.max(),
        f"{measure}_sd": values.std(ddof=1),
        "p_low": min(p_values, default=np.nan),
        "p_high": max(p_values, default=np.nan),
        "verdicts": count_levels(levels),
        "verdicts_differ": len(set(levels)) > 1,
    }


def _describe(row: Mapping[Any, Any], measure: str) -> str:
    p_range = "" if pd.isna(row["p_low"]) else f", p {row['p_low']:.2g} to {row['p_high']:.2g}"
    sentence = (
        f"One job under several seeds ({row['seeds']}): {', '.join(row['runs'])}. {_WORDS[measure]} "
        f"{row[f'{measure}_low']:.2f} to {row[f'{measure}_high']:.2f}{p_range}."
    )
    if row["verdicts_differ"]:
        return (
            f"{sentence} Their verdicts differ: {row['verdicts']}. A verdict that the seed turns is no finding, and the best of "
            "them least of all; with more repeats (`search.repeats`) the splits count for less."
        )
    return f"{sentence} All have the same verdict: {row['verdicts'].partition(' (')[0]}."
