"""A metric is one entry of a tuple, and everything that reports metrics takes it from there."""

import numpy as np
import pytest

from responder_ml.config import JobConfig
from responder_ml.evaluation import metrics
from responder_ml.evaluation.metrics import Metric
from responder_ml.records import run as records_run
from responder_ml.records.outcome import performance
from responder_ml.report import card_facts, discrimination
from responder_ml.report.guidelines import facts
from responder_ml.report.section import table
from responder_ml.tracking import run_records
from responder_ml.train import train

SHARPNESS = Metric("sharpness", "sharpness of the log-odds", "mean absolute log-odds",
                   lambda out_of_fold: float(np.abs(out_of_fold.decisions).mean()))  # fmt: skip
JOB = {
    "name": "tiny",
    "cohort": {"source": "simulated", "params": {"n_genes": 300, "regions": ["PFC"]}, "where": {"region": "PFC"}},
    "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder", "strata": ["drug"]},
    "builders": [{"kind": "genes"}],
    "classifiers": [{"kind": "nearest_centroid"}],
    "search": {"folds": 3, "repeats": 1, "inner_folds": 2, "trials": 2},
    "null": {"permutations": 4},
    "compute": {"workers": 1},
}


@pytest.fixture
def registered(monkeypatch):
    together = (*metrics.METRICS, SHARPNESS)
    for module in (metrics, card_facts, discrimination, facts, run_records):
        monkeypatch.setattr(module, "METRICS", together)
    monkeypatch.setattr(records_run, "METRICS", together)
    return records_run.describe_tables()


def test_a_new_metric_appears_in_result_tables_report_card_and_tracking(registered, tmp_path):
    run = train(JobConfig.model_validate(JOB), tmp_path / "run", tmp_path / "bundle")
    value = run.result.headline.metric("sharpness")
    assert value > 0
    assert run.result.candidates[0].metric("sharpness") > 0
    assert registered["candidates"]["sharpness"] == SHARPNESS.meaning
    assert table(run, "candidates").set_index("name").loc["auto", "sharpness"] == pytest.approx(value)
    assert "sharpness of the log-odds" in (tmp_path / "run" / "report.html").read_text()
    assert "| sharpness of the log-odds |" in (tmp_path / "run" / "card.md").read_text()
    assert '"type": "sharpness of the log-odds"' in (tmp_path / "run" / "card.json").read_text()
    tracked = {item.key: item for item in run_records.job_record(run, tmp_path / "run").items if hasattr(item, "value")}
    assert tracked["sharpness"].value == pytest.approx(value, abs=1e-4)
    (candidate,) = run_records.candidate_records(run)
    assert "sharpness" in {item.key for item in candidate.items if hasattr(item, "value")}


def test_every_metric_measures_what_its_function_does():
    labels = np.array([1, 1, 0, 0], dtype=np.int8)
    decisions = np.array([[2.0, -1.0, 0.5, -2.0]])
    out_of_fold = metrics.OutOfFold(labels, decisions, np.zeros((1, 4), dtype=np.intp), np.zeros((1, 4)))
    values = performance(out_of_fold)
    assert list(values) == [*(metric.name for metric in metrics.METRICS), "auroc_ci"]
    assert values["auroc"] == 0.75
    assert values["balanced_accuracy"] == 0.5
    assert values["mcc"] == 0.0
