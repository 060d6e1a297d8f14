import json

import pandas as pd
import pytest
from scipy.stats import spearmanr

from responder_ml.tracking.search_history import importances, search_items


def _trials(rows):
    table = pd.DataFrame(rows, columns=["repeat", "fold", "trial", "value", "params"])
    return table.assign(candidate="c", params=table["params"].map(json.dumps))


def _by_key(items):
    found = {}
    for item in items:
        found.setdefault(item.key, {})[item.step] = item.value
    return found


def test_history_averages_over_folds_and_best_so_far_never_falls():
    trials = _trials(
        [
            (0, fold, trial, value, {})
            for fold, values in enumerate([[0.6, 0.5, 0.9], [0.4, 0.7, 0.5]])
            for trial, value in enumerate(values)
        ]
    )
    found = _by_key(search_items(trials.sample(frac=1, random_state=1)))
    assert found["search/inner_auroc_by_trial"] == pytest.approx({0: 0.5, 1: 0.6, 2: 0.7})
    assert found["search/best_inner_auroc_so_far"] == pytest.approx({0: 0.5, 1: 0.65, 2: 0.8})


def test_importance_is_the_mean_of_each_folds_own_spearman(rng):
    rows = []
    for fold in range(3):
        for trial in range(8):
            length = int(rng.integers(1, 5))  # ties
            rows.append((0, fold, trial, fold + round(float(rng.uniform()), 1), {"n_features": length, "kind": "l2"}))
    trials = _trials(rows)
    expected = [
        spearmanr([json.loads(text)["n_features"] for text in part["params"]], part["value"]).statistic
        for _, part in trials.groupby("fold")
    ]
    found = importances(trials)
    assert found == pytest.approx({"n_features": sum(expected) / 3})
    key = "search/spearman_with_inner_auroc.n_features"
    assert _by_key(search_items(trials))[key] == pytest.approx({0: found["n_features"]}, abs=1e-4)


def test_a_parameter_that_never_changed_has_no_importance():
    trials = _trials([(0, 0, 0, 0.6, {"C": 1.0}), (0, 0, 1, 0.5, {"C": 1.0})])
    assert importances(trials) == {}


def test_a_parameter_only_some_trials_have_is_judged_on_those():
    trials = _trials([(0, 0, 0, 0.1, {"C": 1.0}), (0, 0, 1, 0.2, {"C": 2.0}), (0, 0, 2, 0.0, {})])
    assert importances(trials) == pytest.approx({"C": 1.0})


def test_an_untuned_candidate_has_no_history():
    assert list(search_items(_trials([]))) == []
