"""Saved views of the MLflow page: which columns, in which order, sorted how.

MLflow's table shows no metric until somebody picks one. It keeps named views in tags of the experiment, as plain JSON;
these are offered in its menu "Views", next to those people save themselves.
"""

import json
from collections.abc import Mapping
from typing import Any

_TAG = "mlflow.sharedViewState."
_SHOWS = {
    "tags": ("region", "drug", "endpoint", "verdict", "simulated", "data_sha256"),
    "metrics": (
        "auroc",
        "auroc_low",
        "auroc_high",
        "p_value",
        "null_mean",
        "best_baseline_auroc",
        "gain_over_best_baseline",
        "balanced_accuracy",
        "mcc",
        "brier",
        "chosen_share",
        "n_features_median",
    ),
    "params": ("builder", "classifier", "n_positive", "n_negative"),
}
_KIND = {key: kind for kind, keys in _SHOWS.items() for key in keys}
# What a laptop's screen holds comes first.
_JOB_COLUMNS = (
    "region",
    "verdict",
    "auroc",
    "p_value",
    "auroc_low",
    "auroc_high",
    "endpoint",
    "gain_over_best_baseline",
    "best_baseline_auroc",
    "null_mean",
    "n_positive",
    "n_negative",
    "drug",
    "simulated",
    "builder",
    "classifier",
    "data_sha256",
)
_CANDIDATE_COLUMNS = (
    "region",
    "builder",
    "classifier",
    "auroc",
    "auroc_low",
    "auroc_high",
    "balanced_accuracy",
    "mcc",
    "brier",
    "chosen_share",
    "n_features_median",
    "verdict",
    "p_value",
    "drug",
    "simulated",
)
# Pixels; characters that the longest usual text of a column has, where that is more than its name.
_CHARACTER, _MARGIN = 8, 30
_TEXT = {"endpoint": 26, "verdict": 12, "drug": 20, "builder": 16, "classifier": 18}
FIRST_VIEW = "responder-ml-jobs"
"""The view a newcomer should meet."""


def saved_views() -> dict[str, str]:
    """Return the tags of an experiment that hold the views."""
    jobs = _view(
        "Jobs, by AUROC",
        _JOB_COLUMNS,
        {"searchFilter": "params.candidate = 'auto'", "orderByKey": "metrics.`auroc`"},
    )
    candidates = _view("Jobs and their candidates", _CANDIDATE_COLUMNS, {"orderByKey": "attributes.start_time"})
    return {_TAG + FIRST_VIEW: jobs, _TAG + "responder-ml-candidates": candidates}


def _view(name: str, columns: tuple[str, ...], state: Mapping[str, Any]) -> str:
    shown = [f"{_KIND[key]}.`{key}`" for key in columns]
    widths = {
        column: _CHARACTER * max(len(key), _TEXT.get(key, 0)) + _MARGIN
        for column, key in zip(shown, columns, strict=True)
    }
    complete = {
        "searchFilter": "",
        "orderByAsc": False,
        "selectedColumns": shown,
        "columnOrder": shown,
        "columnWidths": widths,
        **state,
    }
    return json.dumps({"name": name, "createdAt": 0, "updatedAt": 0, "state": json.dumps(complete)})
