"""What MLflow is sent of several classes: one row for the answer, the runs of the pairs below it."""

from itertools import combinations

import pandas as pd
import pytest
from mlflow import MlflowClient

from responder_ml.config import read_job
from responder_ml.errors import BundleError, TrackingError
from responder_ml.progress import Progress
from responder_ml.records.classes import ClassesNull, ClassesResult, ClassesRun, ClassPrediction, PairRow, write_classes
from responder_ml.records.run import Run, write_run
from responder_ml.track import track
from responder_ml.tracking import classes_record as module
from responder_ml.tracking.classes_record import send_classes
from responder_ml.train_classes import record_classes

NAMES = ("control", "resilient", "susceptible")
PAIRS = list(combinations(NAMES, 2))


@pytest.fixture
def trained(make_result, tmp_path):
    """The folders of a training of three classes that never was."""
    rows = []
    for one, other in PAIRS:
        name = f"all-{one}-{other}"
        write_run(Run(make_result(name=f"three-{one}-{other}", data_sha256=name), {}, {}), tmp_path / name)
        words = {"verdict": "evidence", "sentence": "Evidence.", "run": name}
        rows.append(PairRow(positive=one, negative=other, n_positive=4, n_negative=4, auroc=0.8, **words))
    null = ClassesNull(
        statistic="s",
        p_value=0.01,
        p_interval=(0.0, 0.02),
        labellings="34650",
        relabellings=999,
        exact=False,
        settled=True,
        null_mean=0.5,
        min_attainable_p=0.001,
    )
    result = ClassesResult(
        name="three",
        simulated=True,
        column="phenotype",
        classes=dict.fromkeys(NAMES, 4),
        macro_auroc=0.8,
        null=null,
        alpha=0.05,
        level="evidence",
        sentence="Simulated data: Evidence.",
        pairs=tuple(rows),
        prediction=ClassPrediction(balanced_accuracy=0.75, confusion=((3, 1, 0), (0, 3, 1), (1, 0, 3))),
        timings={"total_s": 2.0},
        seed=7,
    )
    pairs = pd.DataFrame([row.model_dump() for row in rows])
    run = ClassesRun(result, {"pairs": pairs}, {"name": "three", "cohort": {"where": {"region": "PFC"}}})
    write_classes(run, "<!DOCTYPE html>", tmp_path / "all")
    return run, tmp_path / "all"


def test_the_answer_is_a_row_and_the_runs_of_pairs_are_below_it(trained, tmp_path):
    run, folder = trained
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    run_id = send_classes(run, folder, None, loader="none", uri=uri)
    client = MlflowClient(tracking_uri=uri)
    row = client.get_run(run_id)
    assert row.info.run_name == "three"
    assert row.data.tags["verdict"] == "evidence"
    assert row.data.tags["endpoint"] == "control vs resilient vs susceptible"
    assert row.data.tags["region"] == "PFC"
    expected = {"auroc": 0.8, "p_value": 0.01, "null_mean": 0.5, "balanced_accuracy": 0.75}
    assert {key: row.data.metrics[key] for key in expected} == expected
    assert row.data.params["n_control"] == "4"
    assert {"classes.html", "classes.json", "config.yaml", "tables"} <= {
        file.path for file in client.list_artifacts(run_id)
    }
    query = f"tags.mlflow.parentRunId = '{run_id}'"
    below = client.search_runs([row.info.experiment_id], query)
    assert {child.info.run_name for child in below} == {f"three-{one}-{other}" for one, other in PAIRS}
    # Sent again, nothing is there twice.
    tracked = track(folder, uri=uri)
    assert (tracked.run_id, tracked.lacks_bundle) == (run_id, True)
    assert len(client.search_runs([row.info.experiment_id], query)) == 3


def test_the_bundle_of_a_pair_goes_with_its_run(trained, tmp_path, monkeypatch):
    run, folder = trained
    sent = []
    monkeypatch.setattr(module, "send_answer", lambda *_, **__: "abc")
    monkeypatch.setattr(module, "send", lambda of_pair, *folders, **options: sent.append((*folders, options["parent"])))
    send_classes(run, folder, tmp_path / "models", loader="none")
    assert sent == [
        (tmp_path / f"all-{one}-{other}", tmp_path / "models" / f"{one}-{other}", "abc") for one, other in PAIRS
    ]


def test_a_store_that_fails_loses_nothing_and_says_how_to_go_on(trained, tmp_path, monkeypatch):
    run, folder = trained

    def fail(*_, **__):
        raise TrackingError("It is away.")

    said = []
    progress = Progress()
    monkeypatch.setattr(progress, "say", said.append)
    monkeypatch.setattr("responder_ml.train_classes.send_classes", fail)
    content = {
        "name": "three",
        "cohort": {"source": "simulated"},
        "endpoint": {"column": "phenotype", "classes": list(NAMES)},
        "builders": ["genes"],
        "classifiers": ["nearest_centroid"],
    }
    job = read_job(content, "job")
    assert record_classes(job, run, folder, tmp_path / "models", progress) is None
    assert "It is away." in said[0]
    assert f"track {folder} --bundle {tmp_path / 'models'}" in said[0]
    untracked = job.model_copy(update={"tracking": job.tracking.model_copy(update={"enabled": False})})
    assert record_classes(untracked, run, folder, tmp_path / "models", progress) is None
    assert len(said) == 1


def test_what_cannot_be_sent_is_refused(trained, tmp_path):
    _, folder = trained
    with pytest.raises(TrackingError, match="Register that of two"):
        track(folder, register=True)
    with pytest.raises(BundleError, match="damaged"):
        track(folder, tmp_path / "none")
