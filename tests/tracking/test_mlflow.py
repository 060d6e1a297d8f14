import json
import logging
import os
import shutil
import socket
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from responder_ml.errors import BundleError, TrackingError
from responder_ml.tracking.mlflow import send
from responder_ml.tracking.views import FIRST_VIEW, saved_views

LOADER = "loader_of_a_tracking_test"
LOADER_CODE = """
import json
from pathlib import Path
import pandas as pd

class Served:
    def __init__(self, path):
        self.manifest = json.loads((Path(path) / "manifest.json").read_text())
    def predict(self, table):
        return pd.DataFrame({"sample": table.index, "probability": table["Fos"] / 10})

def _load_pyfunc(path):
    return Served(path)
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A store with nothing in it: MLflow takes seconds to make one, a copy takes none."""
    from mlflow import MlflowClient

    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def uri(empty_store, tmp_path):
    file = tmp_path / "store" / "mlflow.db"
    file.parent.mkdir()
    shutil.copy(empty_store, file)
    return f"sqlite:///{file}"


@pytest.fixture
def client(uri):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


def _names(client, run_id, folder=None):
    return {artifact.path for artifact in client.list_artifacts(run_id, folder)}


def test_a_run_is_one_parent_and_one_child_for_each_candidate(run, folder, uri, client, tmp_path):
    run_id = send(run, folder, None, loader=LOADER, uri=uri)
    experiment = client.get_experiment_by_name("responder_ml")
    parent = client.get_run(run_id)
    ordered = client.search_runs([experiment.experiment_id], order_by=["metrics.auroc DESC"])
    assert [child.info.run_name for child in ordered] == [
        "stress_sets+nearest_centroid",
        "pfc-response",
        "genes+elastic_net",
        "genes+xgboost",
    ]
    children = client.search_runs([experiment.experiment_id], f"tags.mlflow.parentRunId = '{run_id}'")
    assert len(children) == 3
    assert parent.info.status == "FINISHED"
    assert parent.info.end_time - parent.info.start_time == 60_500
    assert parent.data.metrics["p_value"] == 0.014
    runs = client.search_runs(
        [experiment.experiment_id], "params.classifier = 'xgboost' and tags.region = 'PFC' and metrics.auroc > 0.7"
    )
    assert [child.info.run_name for child in runs] == ["genes+xgboost"]
    history = client.get_metric_history(run_id, "each_fold/auroc")
    assert sorted(child.step for child in history) == [0, 2, 3, 4, 5, 6, 7, 8, 9]
    assert list(Path().iterdir()) == []  # nothing falls into the current folder
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == [
        ".mlflow.db.lock",
        "mlartifacts",
        "mlflow.db",
    ]


def test_every_file_and_the_dataset_are_there(run, folder, uri, client):
    run_id = send(run, folder, None, loader=LOADER, uri=uri)
    assert {"report.html", "card.md", "config.yaml", "result.json", "tables", "figures"} == _names(client, run_id)
    assert "tables/out_of_fold.csv" in _names(client, run_id, "tables")
    assert _names(client, run_id, "figures") == {"figures/roc.svg"}
    (dataset,) = client.get_run(run_id).inputs.dataset_inputs
    assert run.result.data_sha256.startswith(dataset.dataset.digest)
    assert dataset.tags[0].value == "training"


def test_the_bundle_is_a_model_that_can_be_loaded_registered_and_asked(
    run, folder, bundle, uri, client, tmp_path, monkeypatch
):
    (tmp_path / f"{LOADER}.py").write_text(LOADER_CODE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    run_id = send(run, folder, bundle, loader=LOADER, uri=uri, register=True)
    (output,) = client.get_run(run_id).outputs.model_outputs
    (version,) = client.search_model_versions("name = 'pfc-response'")
    assert version.source == f"models:/{output.model_id}"
    assert version.run_id == run_id
    assert version.tags["verdict"] == run.result.verdict.level
    assert run.result.verdict.sentence in version.description
    model = client.get_logged_model(output.model_id)
    assert model.status == "READY"
    assert model.params == {"candidate": "genes+elastic_net", "n_features": "50", "C": "0.1"}

    from mlflow import pyfunc

    loaded = pyfunc.load_model(model.artifact_location)
    assert loaded.metadata.signature is None
    answer = loaded.predict(pd.DataFrame({"Fos": [1.0, 5.0]}, index=["a", "b"]))
    assert answer["probability"].tolist() == [0.1, 0.5]
    sys.modules.pop(LOADER)


def test_runs_of_one_name_are_told_apart(make_run, write, uri, client, tmp_path):
    for seed in (7, 8, 9):
        run = make_run(seed=seed)
        send(run, write(run, tmp_path / "runs" / f"seed-{seed}"), None, loader=LOADER, uri=uri)
    experiment = client.get_experiment_by_name("responder_ml")
    jobs = client.search_runs([experiment.experiment_id], "params.candidate = 'auto'")
    assert sorted(job.info.run_name for job in jobs) == ["pfc-response", "pfc-response (2)", "pfc-response (3)"]


def test_a_run_without_evidence_is_registered_only_when_asked_twice(run, folder, bundle, uri, client):
    verdict = replace(run.result.verdict, level="no_evidence")
    weak = replace(run, result=run.result.model_copy(update={"verdict": verdict}))
    with pytest.raises(BundleError, match="--anyway"):
        send(weak, folder, bundle, loader=LOADER, uri=uri, register=True)
    assert client.get_experiment_by_name("responder_ml") is None
    run_id = send(weak, folder, bundle, loader=LOADER, uri=uri, register=True, anyway=True)
    (version,) = client.search_model_versions("name = 'pfc-response'")
    assert version.tags["verdict"] == "no_evidence"
    assert "may be no more than chance" in version.description
    (output,) = client.get_run(run_id).outputs.model_outputs
    assert client.get_logged_model(output.model_id).tags["verdict"] == "no_evidence"


def test_sending_again_does_not_double_anything_but_brings_the_new_report(run, folder, bundle, uri, client):
    first = send(run, folder, bundle, loader=LOADER, uri=uri)
    (folder / "report.html").write_text("<h1>New</h1>", encoding="utf-8")
    assert send(run, folder, bundle, loader=LOADER, uri=uri, register=True) == first
    assert send(run, folder, bundle, loader=LOADER, uri=uri, register=True) == first
    experiment = client.get_experiment_by_name("responder_ml").experiment_id
    assert len(client.search_runs([experiment])) == 4
    assert len(client.get_run(first).outputs.model_outputs) == 1
    assert len(client.search_model_versions("name = 'pfc-response'")) == 1
    assert len(client.get_metric_history(first, "each_fold/auroc")) == 9
    report = Path(client.download_artifacts(first, "report.html"))
    assert report.read_text(encoding="utf-8") == "<h1>New</h1>"


def test_a_copy_that_was_not_finished_is_replaced(run, folder, uri, client, monkeypatch):
    from mlflow import MlflowClient

    def fail(*args, **kwargs):
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "log_artifact", fail)
        with pytest.raises(TrackingError, match=r"No space left on device\. The run folder is complete"):
            send(run, folder, None, loader=LOADER, uri=uri)
    run_id = send(run, folder, None, loader=LOADER, uri=uri)
    experiment = client.get_experiment_by_name("responder_ml").experiment_id
    rows = client.search_runs([experiment])
    assert len(rows) == 4
    assert {row.info.status for row in rows} == {"FINISHED"}
    assert run_id in {row.info.run_id for row in rows}


def test_two_jobs_stand_in_one_experiment(make_run, write, uri, client, tmp_path):
    for region in ("PFC", "NAc"):
        run = make_run(region=region)
        send(run, write(run, tmp_path / "runs" / region), None, loader=LOADER, uri=uri, experiment="stress")
    experiment = client.get_experiment_by_name("stress")
    jobs = client.search_runs([experiment.experiment_id], "params.candidate = 'auto'")
    assert {run.data.tags["region"] for run in jobs} == {"PFC", "NAc"}
    assert "p_value" in experiment.tags["mlflow.note.content"]


def test_an_experiment_made_by_hand_gets_the_views_and_keeps_those_people_changed(run, folder, uri, client):
    first = f"mlflow.sharedViewState.{FIRST_VIEW}"
    experiment_id = client.create_experiment("by hand", tags={first: "mine"})
    send(run, folder, None, loader=LOADER, uri=uri, experiment="by hand")
    tags = client.get_experiment(experiment_id).tags
    assert tags[first] == "mine"
    assert {key: tags[key] for key in saved_views() if key != first} == {
        key: view for key, view in saved_views().items() if key != first
    }


def test_nothing_is_printed_and_nothing_left_behind(run, folder, uri, capfd):
    logger = logging.getLogger("mlflow")
    before = dict(os.environ), logger.level
    send(run, folder, None, loader=LOADER, uri=uri)
    assert (dict(os.environ), logger.level) == before
    assert capfd.readouterr() == ("", "")


def test_a_full_run_is_sent_in_seconds_to_a_store_that_is_not_there_yet(make_run, write, bundle, tmp_path):
    run = make_run(folds=5, repeats=10, trials=25)
    folder = write(run, tmp_path / "runs" / "full")
    start = time.process_time()  # the machine may be busy with something else
    send(run, folder, bundle, loader=LOADER, uri=f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}")
    assert time.process_time() - start < 5
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [".mlflow.db.lock", "mlartifacts", "mlflow.db"]


def test_a_lost_server_is_named_within_ten_seconds(run, folder):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    before = json.loads((folder / "result.json").read_text())
    start = time.perf_counter()
    with pytest.raises(TrackingError, match=f"could not be sent to http://127.0.0.1:{port}.*`track`"):
        send(run, folder, None, loader=LOADER, uri=f"http://127.0.0.1:{port}")
    assert time.perf_counter() - start < 10
    assert json.loads((folder / "result.json").read_text()) == before


def test_a_server_that_never_answers_is_given_up(run, folder, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")  # the user's own patience, shorter than ours
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        start = time.perf_counter()
        with pytest.raises(TrackingError, match="could not be sent"):
            send(run, folder, None, loader=LOADER, uri=f"http://127.0.0.1:{port}")
        assert time.perf_counter() - start < 6


def test_a_server_that_answers_nonsense_is_named(run, folder):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=_answer_nonsense, args=(server,), daemon=True)
        thread.start()
        with pytest.raises(TrackingError, match="could not be sent"):
            send(run, folder, None, loader=LOADER, uri=f"http://127.0.0.1:{port}")


def _answer_nonsense(server):
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")


@pytest.mark.parametrize("most_bytes", [0, 2_000, 100_000])
def test_a_full_disk_loses_nothing_and_the_run_is_sent_later(run, folder, bundle, uri, client, full_disk, most_bytes):
    (bundle / "model.skops").write_bytes(b"x" * 200_000)
    before = {path: path.read_bytes() for path in (*folder.rglob("*"), *bundle.rglob("*")) if path.is_file()}
    with (
        full_disk(most_bytes),
        pytest.raises(TrackingError, match=r"could not be sent to sqlite.*send it with `track`"),
    ):
        send(run, folder, bundle, loader=LOADER, uri=uri)
    assert {path: path.read_bytes() for path in before} == before
    run_id = send(run, folder, bundle, loader=LOADER, uri=uri)
    runs = client.search_runs([client.get_experiment_by_name("responder_ml").experiment_id])
    assert [each.info.status for each in runs] == ["FINISHED"] * 4
    assert run_id in {each.info.run_id for each in runs}


def test_a_deleted_experiment_is_named(run, folder, uri, client):
    send(run, folder, None, loader=LOADER, uri=uri, experiment="old")
    client.delete_experiment(client.get_experiment_by_name("old").experiment_id)
    with pytest.raises(TrackingError, match="'old' was deleted"):
        send(run, folder, None, loader=LOADER, uri=uri, experiment="old")


def test_a_folder_store_is_refused_with_mlflows_own_words(run, folder, tmp_path):
    with pytest.raises(TrackingError, match="could not be sent to file"):
        send(run, folder, None, loader=LOADER, uri=(tmp_path / "mlruns").as_uri())


def test_there_is_nothing_to_register_without_a_bundle(run, folder, uri):
    with pytest.raises(TrackingError, match="nothing to register"):
        send(run, folder, None, loader=LOADER, uri=uri, register=True)
