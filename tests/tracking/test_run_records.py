import dataclasses
import json
import re

import pandas as pd
import pytest
from scipy.stats import spearmanr

from responder_ml.records.label_ceiling_record import LabelCeilingRecord
from responder_ml.records.learning_curve_record import LearningCurveRecord
from responder_ml.records.ownership import FILE_LIST
from responder_ml.records.result import JobsOnDataRecord, SplitSensitivityRecord
from responder_ml.tracking.items import Artifact, DatasetInput, Metric, Param, Tag
from responder_ml.tracking.run_records import candidate_records, importances, job_record, search_items


def _of(record, kind):
    return {item.key: item.value for item in record.items if isinstance(item, kind)}


def _single(record):
    return {item.key: item.value for item in record.items if isinstance(item, Metric) and "/" not in item.key}


def test_the_row_is_called_like_the_job_and_opens_with_the_verdict(run, folder):
    record = job_record(run, folder)
    assert record.name == "pfc-response"
    assert "Simulated: PFC tells responders apart." in record.description
    assert record.description.startswith("**Simulated data")
    assert "report.html" in record.description


def test_real_data_are_not_called_simulated(make_run, folder):
    record = job_record(make_run(simulated=False), folder)
    assert "Simulated data" not in record.description
    assert _of(record, Tag)["simulated"] == "no"


def test_tags_say_where_what_and_on_which_data(run, folder):
    tags = _of(job_record(run, folder), Tag)
    assert tags == {
        "verdict": "evidence",
        "job": "pfc-response",
        "region": "PFC",
        "drug": "imipramine, ketamine",
        "endpoint": "responder vs non_responder",
        "strata": "drug",
        "simulated": "yes",
        "data_sha256": run.result.data_sha256,
        "seed": "7",
        "responder_ml": "0.1.0",
    }


def test_the_number_of_the_run_on_its_data_and_the_range_of_halves_are_sent(run, folder):
    told = run.result.model_copy(
        update={
            "jobs_on_data": JobsOnDataRecord(run=2, jobs=3),
            "split_sensitivity": SplitSensitivityRecord(halves=40, repeats=5, auroc=(0.6, 0.8), separation=(0.1, 0.2)),
        }
    )
    record = job_record(dataclasses.replace(run, result=told), folder)
    assert _of(record, Tag)["run_on_these_data"] == "2 of 3"
    assert (_single(record)["auroc_low_of_halves"], _single(record)["auroc_high_of_halves"]) == (0.6, 0.8)


def test_a_region_the_sheet_does_not_have_is_taken_from_what_the_job_selects(run, folder):
    bare = dataclasses.replace(run, tables={**run.tables, "samples": run.tables["samples"][["sample", "subject"]]})
    endpoint = run.result.endpoint.model_copy(update={"where": {"region": ["PFC", "NAc"]}})
    selecting = run.result.model_copy(update={"endpoint": endpoint})
    assert _of(job_record(dataclasses.replace(bare, result=selecting), folder), Tag)["region"] == "NAc, PFC"


def test_metrics_are_the_headline_the_null_and_the_best_baseline(run, folder):
    assert _single(job_record(run, folder)) == pytest.approx(
        {
            "auroc": 0.84,
            "auroc_low": 0.61,
            "auroc_high": 1.0,
            "p_value": 0.014,
            "p_value_within_batch": 0.03,
            "p_value_smallest_possible": 0.0014,
            "null_mean": 0.49,
            "relabellings": 999,
            "balanced_accuracy": 0.77,
            "brier": 0.19,
            "best_baseline_auroc": 0.58,
            "gain_over_best_baseline": 0.26,
            "gain_over_best_baseline_low": -0.02,
            "gain_over_best_baseline_high": 0.44,
            "gene_stability": 0.31,
            "genes_called_out": 1,
            "train_seconds": 60.5,
        }
    )


def test_what_was_not_run_has_no_metric(make_run, folder):
    run = make_run(null=False)
    empty = run.tables["baselines"].iloc[:0]
    untested = run.tables["genes"].assign(null_high=float("nan"), called_out=0)
    bare = dataclasses.replace(run, tables={**run.tables, "baselines": empty, "genes": untested})
    keys = set(_single(job_record(bare, folder)))
    assert not keys & {"p_value", "null_mean", "relabellings", "best_baseline_auroc", "genes_called_out"}
    assert "auroc" in keys


def test_rival_explanations_are_metrics_where_they_were_run(run, folder):
    rivals = pd.DataFrame(
        {
            "name": ["nothing", "composition: neurons"], "n_columns": [0, 1], "auroc_alone": [float("nan"), 0.6],
            "p_alone": [float("nan"), 0.2], "auroc_adjusted": [0.8, 0.7], "p_adjusted": [0.01, 0.03], "note": ["", ""],
        }
    )  # fmt: skip
    record = job_record(dataclasses.replace(run, tables={**run.tables, "rivals": rivals}), folder)
    metrics = {key: value for key, value in _of(record, Metric).items() if key.startswith("rival/")}
    assert metrics == {
        "rival/nothing/auroc_adjusted": 0.8,
        "rival/nothing/p_adjusted": 0.01,
        "rival/composition_ neurons/auroc_alone": 0.6,
        "rival/composition_ neurons/p_alone": 0.2,
        "rival/composition_ neurons/auroc_adjusted": 0.7,
        "rival/composition_ neurons/p_adjusted": 0.03,
    }
    assert not any(key.startswith("rival/") for key in _of(job_record(run, folder), Metric))


def test_the_label_ceiling_and_the_level_of_a_learning_curve_are_metrics_where_there_are_any(run, folder):
    said = {
        "label_ceiling": LabelCeilingRecord(auroc=0.94, reliability=0.8),
        "learning_curve": LearningCurveRecord(sentence="", level=0.9),
    }
    record = job_record(dataclasses.replace(run, result=run.result.model_copy(update=said)), folder)
    values = _of(record, Metric)
    assert (values["label_ceiling"], values["learning_curve_level"]) == (0.94, 0.9)
    assert not {"label_ceiling", "learning_curve_level"} & set(_of(job_record(run, folder), Metric))


def test_folds_come_in_order_and_a_fold_of_one_class_leaves_a_gap(run, folder):
    record = job_record(run, folder)
    steps = [item.step for item in record.items if isinstance(item, Metric) and item.key == "each_fold/auroc"]
    assert steps == [0, 2, 3, 4, 5, 6, 7, 8, 9]
    table = run.tables["folds"].query("candidate == 'auto' and repeat == 1 and fold == 3")
    at_eight = next(i for i in record.items if isinstance(i, Metric) and i.key == "each_fold/auroc" and i.step == 8)
    assert at_eight.value == table["auroc"].item()


def test_the_running_mean_ends_at_the_mean_over_folds(run, folder):
    means = [i.value for i in job_record(run, folder).items if getattr(i, "key", "") == "each_fold/auroc_mean_so_far"]
    values = run.tables["folds"].query("candidate == 'auto'")["auroc"].dropna()
    assert means[0] == values.iloc[0]
    assert means[-1] == pytest.approx(values.mean(), abs=1e-4)


def test_params_hold_the_settings(run, folder):
    params = _of(job_record(run, folder), Param)
    assert params["candidate"] == "auto"
    assert params["builder"] == "genes, stress_sets"
    assert params["classifier"] == "elastic_net, xgboost, nearest_centroid"
    assert (params["folds"], params["repeats"], params["trials"]) == ("5", "2", "4")
    assert (params["n_subjects"], params["n_positive"], params["n_genes"]) == ("13", "6", "20000")
    assert (params["relabellings_asked"], params["alpha"]) == ("1000", "0.05")
    assert params["bundle_candidate"] == "genes+elastic_net"


def test_every_file_goes_along_and_tables_are_put_aside(run, folder):
    artifacts = {item.path.name: item.folder for item in job_record(run, folder).items if isinstance(item, Artifact)}
    (folder / "link").symlink_to("/etc/hostname")
    assert set(artifacts) == {path.name for path in folder.iterdir()} - {FILE_LIST, "link"}
    assert artifacts["report.html"] == ""
    assert artifacts["figures"] == ""
    assert artifacts["out_of_fold.csv"] == "tables"


def test_the_dataset_carries_a_digest_mlflow_can_keep(run, folder):
    (dataset,) = (item for item in job_record(run, folder).items if isinstance(item, DatasetInput))
    assert dataset.name == "simulated cohort"
    assert run.result.data_sha256.startswith(dataset.digest)
    assert len(dataset.digest) <= 36
    assert dataset.profile["num_rows"] == 13


def test_a_file_is_named_as_the_dataset(make_run, folder):
    run = make_run(simulated=False)
    config = {**run.config, "cohort": {"source": "table", "expression": "/data/counts.tsv.gz"}}
    (dataset,) = (
        item for item in job_record(dataclasses.replace(run, config=config), folder).items if isinstance(item, DatasetInput)
    )  # fmt: skip
    assert (dataset.name, dataset.source) == ("counts.tsv.gz", {"uri": "/data/counts.tsv.gz"})


def test_every_key_is_one_mlflow_accepts(run, folder):
    for item in job_record(run, folder).items:
        if isinstance(item, Metric | Param | Tag):
            assert re.fullmatch(r"[A-Za-z0-9_\-. :/]{1,250}", item.key)


def test_an_unknown_interval_is_left_out(run, folder):
    headline = run.result.headline.model_copy(update={"auroc": None, "auroc_ci": (None, None)})
    record = job_record(dataclasses.replace(run, result=run.result.model_copy(update={"headline": headline})), folder)
    assert "auroc" not in _single(record)
    assert "AUROC unknown" in record.description


def test_a_run_whose_tables_had_no_rows_still_has_its_headline(run, folder):
    bare = dataclasses.replace(run, tables={})
    assert _single(job_record(bare, folder))["auroc"] == 0.84
    assert len(list(candidate_records(bare))) == 3


def test_one_record_for_each_candidate_and_none_for_each_trial(run):
    assert [record.name for record in candidate_records(run)] == [
        "genes+elastic_net",
        "genes+xgboost",
        "stress_sets+nearest_centroid",
    ]


def test_a_candidate_says_what_it_is_with_its_own_params(run):
    last = list(candidate_records(run))[-1]
    assert _of(last, Param) == {
        "candidate": "stress_sets+nearest_centroid",
        "builder": "stress_sets",
        "classifier": "nearest_centroid",
        "builder.scorer": "singscore",
    }


def test_a_candidate_is_found_by_the_same_tags_but_has_no_verdict(run):
    tags = _of(next(candidate_records(run)), Tag)
    assert (tags["job"], tags["region"], tags["simulated"]) == ("pfc-response", "PFC", "yes")
    assert "verdict" not in tags


def test_a_candidate_has_its_own_performance_and_no_p(run):
    metrics = _of(next(candidate_records(run)), Metric)
    rows = run.tables["folds"].query("candidate == 'genes+elastic_net'")
    assert metrics["auroc"] == 0.81
    assert metrics["chosen_share"] == 0.3
    assert metrics["inner_auroc_mean"] == pytest.approx(rows["inner_score"].mean(), abs=1e-4)
    assert metrics["n_features_median"] == pytest.approx(rows["n_features"].median())
    assert "p_value" not in metrics


def test_the_search_is_a_history_over_trials(run):
    record = next(candidate_records(run))
    steps = [
        item.step for item in record.items if isinstance(item, Metric) and item.key == "search/inner_auroc_by_trial"
    ]
    assert steps == [0, 1, 2, 3]


def _trials(rows):
    table = pd.DataFrame(rows, columns=["repeat", "fold", "trial", "value", "params"])
    return table.assign(candidate="c", params=table["params"].map(json.dumps))


def _by_key(items):
    values_of = {}
    for item in items:
        values_of.setdefault(item.key, {})[item.step] = item.value
    return values_of


def test_history_averages_over_folds_and_best_so_far_never_falls():
    trials = _trials(
        [
            (0, fold, trial, value, {})
            for fold, values in enumerate([[0.6, 0.5, 0.9], [0.4, 0.7, 0.5]])
            for trial, value in enumerate(values)
        ]
    )
    history = _by_key(search_items(trials.sample(frac=1, random_state=1)))
    assert history["search/inner_auroc_by_trial"] == pytest.approx({0: 0.5, 1: 0.6, 2: 0.7})
    assert history["search/best_inner_auroc_so_far"] == pytest.approx({0: 0.5, 1: 0.65, 2: 0.8})


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
    importance_of = importances(trials)
    assert importance_of == pytest.approx({"n_features": sum(expected) / 3})
    key = "search/spearman_with_inner_auroc.n_features"
    assert _by_key(search_items(trials))[key] == pytest.approx({0: importance_of["n_features"]}, abs=1e-4)


def test_a_parameter_that_never_changed_has_no_importance():
    trials = _trials([(0, 0, 0, 0.6, {"C": 1.0}), (0, 0, 1, 0.5, {"C": 1.0})])
    assert importances(trials) == {}


def test_a_parameter_only_some_trials_have_is_judged_on_those():
    trials = _trials([(0, 0, 0, 0.1, {"C": 1.0}), (0, 0, 1, 0.2, {"C": 2.0}), (0, 0, 2, 0.0, {})])
    assert importances(trials) == pytest.approx({"C": 1.0})


def test_an_untuned_candidate_has_no_history():
    assert list(search_items(_trials([]))) == []
