"""What is sent to the store, and whose bundle goes with it."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest
from typer.testing import CliRunner

from responder_ml import track as module
from responder_ml.bundles.manifest import describe_training
from responder_ml.cli import app
from responder_ml.errors import BundleError, RunError
from responder_ml.records.ownership import FILE_LIST
from responder_ml.records.run import Run, write_run
from responder_ml.track import track


@pytest.fixture
def sent(monkeypatch, tmp_path):
    calls = []

    def send(run, folder, bundle, **options):
        calls.append({"name": run.name, "folder": folder, "bundle": bundle, **options})
        return "abc"

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "send", send)
    # A bundle here is a folder with the two keys of its manifest that say whose it is.
    monkeypatch.setattr(
        module, "read_manifest", lambda folder: SimpleNamespace(**json.loads((folder / "manifest.json").read_text()))
    )
    return calls


@pytest.fixture
def run_folder(tmp_path, make_result):
    result = make_result(data_sha256="1", null={"p_value": 0.25})
    write_run(Run(result, {}, {"tracking": {"uri": "sqlite:///own.db", "experiment": "pfc-study"}}), tmp_path / "run")
    return tmp_path / "run"


def _write_bundle(folder, run_folder, **changes):
    result = {**json.loads((run_folder / "result.json").read_text()), **changes}
    folder.mkdir(parents=True)
    manifest = {"name": result["name"], "training": describe_training(result)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_the_jobs_own_store_is_used(sent, run_folder):
    assert track(run_folder).run_id == "abc"
    (call,) = sent
    assert (call["uri"], call["experiment"], call["register"]) == ("sqlite:///own.db", "pfc-study", False)
    assert (call["name"], call["folder"], call["loader"]) == ("pfc", run_folder, "responder_ml.serve")


def test_what_the_user_says_goes_first(sent, run_folder):
    track(run_folder, uri="http://elsewhere", experiment="other", register=True)
    (call,) = sent
    assert (call["uri"], call["experiment"], call["register"]) == ("http://elsewhere", "other", True)


def test_a_job_without_an_experiment_goes_where_all_jobs_can_be_compared(sent, tmp_path, run_folder):
    (run_folder / FILE_LIST).unlink()  # as of a version that wrote none
    (run_folder / "config.yaml").write_text("name: pfc\n")
    track(run_folder)
    assert (sent[0]["uri"], sent[0]["experiment"]) == (None, None)


def test_the_usual_bundle_goes_along_if_it_is_this_runs(sent, tmp_path, run_folder):
    _write_bundle(tmp_path / "models" / "pfc", run_folder)
    tracked = track(run_folder)
    assert tracked.bundle == sent[0]["bundle"]
    assert not tracked.lacks_bundle
    assert sent[0]["bundle"].resolve() == tmp_path / "models" / "pfc"


@pytest.mark.parametrize("changes", [{"seed": 8}, {"data_sha256": "2"}, {"null": {"p_value": 0.5}}])
def test_the_bundle_of_a_later_run_stays_behind(sent, tmp_path, run_folder, changes):
    _write_bundle(tmp_path / "models" / "pfc", run_folder, **changes)
    tracked = track(run_folder)
    assert (tracked.bundle, sent[0]["bundle"]) == (None, None)
    assert tracked.lacks_bundle


def test_a_bundle_elsewhere_is_named_and_another_runs_is_refused(sent, tmp_path, run_folder):
    mine = _write_bundle(tmp_path / "mine", run_folder)
    assert track(run_folder, mine).bundle == mine
    with pytest.raises(BundleError, match="another run"):
        track(run_folder, _write_bundle(tmp_path / "other", run_folder, name="nac"))
    assert len(sent) == 1


def test_a_folder_that_is_no_run_is_refused(sent, tmp_path):
    with pytest.raises(RunError, match="is not a run"):
        track(tmp_path)
    assert not sent


def test_the_tuning_of_a_run_is_written_on_request_and_nothing_is_sent(tmp_path, make_result, monkeypatch):
    run = Run(make_result(name="tuned"), {}, {})
    trials = [["a+b", 0, 0, number, 0.5 + number / 10, f'{{"C": {number + 1}.5}}'] for number in range(3)]
    columns = ["candidate", "repeat", "fold", "trial", "value", "params"]
    run.tables["trials"] = pd.DataFrame(trials, columns=columns)
    write_run(run, tmp_path / "run")
    monkeypatch.setattr(module, "send", lambda *_, **__: pytest.fail("sent"))
    done = CliRunner().invoke(app, ["track", str(tmp_path / "run"), "--optuna", str(tmp_path / "studies.log")])
    assert done.exit_code == 0
    assert f"Optuna studies in {tmp_path / 'studies.log'}: a+b" in done.output
    assert (tmp_path / "studies.log").is_file()


def test_a_graded_outcome_is_sent_with_its_own_bundle_and_as_train_sends_it(graded_training, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    from responder_ml.tracking.graded_record import send_graded

    monkeypatch.chdir(tmp_path)
    store = {"uri": f"sqlite:///{tmp_path / 'store.db'}", "experiment": "graded"}
    tracked = track(graded_training.folder, graded_training.bundle, **store)
    assert not tracked.lacks_bundle
    # What train sends is the same row, so nothing is added.
    record = graded_training._record
    assert send_graded(record, graded_training.folder, graded_training.bundle, **store) == tracked.run_id
    client = MlflowClient(store["uri"])
    (experiment,) = [one for one in client.search_experiments() if one.name == "graded"]
    rows = client.search_runs([experiment.experiment_id])
    assert len(rows) == 1 + len(graded_training.result.candidates)
    row = client.get_run(tracked.run_id)
    assert row.data.tags["kind"] == "graded outcome"
    assert row.data.metrics["concordance"] == pytest.approx(graded_training.headline.concordance, abs=1e-4)
    names = {artifact.path for artifact in client.list_artifacts(tracked.run_id)}
    assert {"graded.json", "graded.html", "tables", "bundle"} <= names
    assert track(graded_training.folder, **store).lacks_bundle


def test_a_graded_outcome_is_not_registered_and_a_bundle_of_another_stays_behind(
    graded_training, tmp_path, make_result
):
    from responder_ml.errors import TrackingError
    from responder_ml.records.graded import GradedRun, write_graded

    with pytest.raises(TrackingError, match="Leave out --register"):
        track(graded_training.folder, register=True)
    other = graded_training.result.model_copy(update={"seed": 8})
    write_graded(GradedRun(other, graded_training.tables, graded_training.config), "<!DOCTYPE html>", tmp_path / "run")
    with pytest.raises(BundleError, match="belongs to another training"):
        track(tmp_path / "run", graded_training.bundle, uri="sqlite:///none.db")
