"""What the MLflow page shows of an experiment: a note above the table of runs, and saved views of its columns.

MLflow's table shows no metric until somebody picks one. It keeps named views in tags of the experiment, as plain JSON;
these are offered in its menu "Views", next to those people save themselves.
"""

import json
from collections.abc import Mapping
from typing import Any

# MLflow shows the first line until somebody unfolds the rest.
EXPERIMENT_NOTE = """\
**Views**, top right, shows the columns that matter. Open a job for its verdict; **Artifacts > report.html** tells it all.

A row named like a job is the whole procedure: the choice between candidates (builder+classifier) is made inside the
folds. Its candidates are rows of their own, below it. Pick none of them by hand: the best of several is too high by that
choice alone.

- **auroc, auroc_low, auroc_high**: out-of-fold AUROC and its 95 % interval over subjects; 0.5 is guessing.
- **p_value**: how often the same procedure does as well on relabelled subjects. **null_mean** is its average there.
- **p_value_global**: one test of all expressed genes together for any difference at all; no part of the verdict.
- **verdict**: evidence, no_evidence, undecided, confounded, not_separable, underpowered or not_tested, by a fixed rule.
- **gain_over_best_baseline**: AUROC beyond the best of what needs no expression of interest: batch, drug, depth,
  random signatures.
- **each_fold/auroc**: one point for each outer fold held out, so a table shows the last fold's;
  **each_fold/auroc_mean_so_far** ends at their mean.
- **search/...**: the tuning, by trial, averaged over outer folds.
- **simulated**: rows that say yes are about no real animal.
"""
"""What a newcomer reads above the table of runs."""
_TAG = "mlflow.sharedViewState."
_SHOWN = {
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
_KIND = {key: kind for kind, keys in _SHOWN.items() for key in keys}
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
# Widths in pixels; then the length in characters of the longest usual text of a column, where it exceeds its name.
_CHARACTER, _MARGIN = 8, 30
_TEXT = {"endpoint": 26, "verdict": 12, "drug": 20, "builder": 16, "classifier": 18}
FIRST_VIEW = "responder-ml-jobs"
"""The view that a newcomer sees first."""


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
    full_state = {
        "searchFilter": "",
        "orderByAsc": False,
        "selectedColumns": shown,
        "columnOrder": shown,
        "columnWidths": widths,
        **state,
    }
    return json.dumps({"name": name, "createdAt": 0, "updatedAt": 0, "state": json.dumps(full_state)})
