"""A whole study on a small simulated cohort: every job has a row, one correction, one folder."""

import io
import json
import os
import signal
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient
from rich.console import Console

from responder_ml.build import prepare_job
from responder_ml.commands.study import show_study
from responder_ml.commands.study import study as study_command
from responder_ml.errors import EndpointError, RunError, TrackingError
from responder_ml.progress import Progress
from responder_ml.records.ownership import FILE_LIST
from responder_ml.records.study import PAGE, TABLES, read_study
from responder_ml.search import dask_workers
from responder_ml.search.workers import Workers
from responder_ml.study import default_folder, record_study, study, train_jobs
from responder_ml.study_config import load_study
from responder_ml.track import track
from responder_ml.tracking.study_record import send_study
from responder_ml.train import count_jobs

CELLS = {
    "susceptible/imipramine/responder": 6,
    "susceptible/imipramine/non_responder": 6,
    "susceptible/ketamine/responder": 3,
    "susceptible/ketamine/non_responder": 2,
    "susceptible/saline/none": 3,
    "resilient/saline/none": 3,
}


@pytest.fixture(scope="module")
def make_study(tmp_path_factory):
    def make(effect=4.0, name="small", **changes):
        content = {
            "name": name,
            "job": {
                "cohort": {
                    "source": "simulated",
                    "params": {"n_genes": 400, "effect": effect, "cells": CELLS, "regions": ["PFC", "NAc"]},
                },
                "builders": [{"kind": "genes", "params": {"max_genes": 50}}],
                "classifiers": [{"kind": "nearest_centroid"}],
                "search": {"folds": 4, "repeats": 2, "inner_folds": 2, "trials": 2},
                "null": {"permutations": 79},
                "compute": {"workers": 1},
                "tracking": {"enabled": False},
            },
            "grid": {
                "regions": {"PFC": {"region": "PFC"}, "NAc": {"region": "NAc"}},
                "endpoints": {
                    "resilience": {
                        "column": "phenotype",
                        "positive": "susceptible",
                        "negative": "resilient",
                        "where": {"drug": "saline"},
                    },
                    "response": {
                        "column": "response",
                        "positive": "responder",
                        "negative": "non_responder",
                        "strata": ["drug"],
                        "subsets": {"both drugs": {}, "ketamine": {"drug": "ketamine"}},
                    },
                },
            },
            "transfer": {"permutations": 9},
            **changes,
        }
        path = tmp_path_factory.mktemp("studies") / "study.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return load_study(path)

    return make


@pytest.fixture(scope="module")
def finished(make_study, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "study"
    return study(make_study(), out), out


def test_every_job_of_the_grid_has_a_row_and_a_verdict(finished):
    jobs = finished[0].tables["jobs"].set_index("job")
    assert jobs["verdict"].to_dict() == {
        "PFC: resilience": "underpowered",
        "NAc: resilience": "underpowered",
        "PFC: response, both drugs": "evidence",
        "NAc: response, both drugs": "evidence",
        "PFC: response, ketamine": "refused",
        "NAc: response, ketamine": "refused",
    }
    refused = jobs.loc["PFC: response, ketamine"]
    assert (refused["n_positive"], refused["n_negative"]) == (3, 2)
    assert "at least 3" in refused["sentence"]
    assert jobs.loc["PFC: resilience", "attainable_p"] == pytest.approx(2 / 20)


def test_the_corrected_p_is_never_below_the_jobs_own_and_names_the_jobs_that_count(finished):
    result, jobs = finished[0].result.content(), finished[0].tables["jobs"].dropna(subset=["auroc"])
    assert (jobs["corrected_p"] >= jobs["p_value"]).all()
    assert result["correction"]["jobs"] == 4
    assert not result["correction"]["exact"]
    assert result["correction"]["draws"] == 79
    assert result["sentence"].startswith("Simulated data: 2 of 4 jobs tested together show evidence after correction")
    assert "corrected p" in jobs.set_index("job").loc["PFC: response, both drugs", "sentence"]


def test_the_folder_is_whole_and_says_what_the_study_says(finished):
    record, out = finished
    assert {path.name for path in out.iterdir()} == {"study.json", "study.html", "config.yaml", FILE_LIST} | {
        f"{name}.csv" for name in TABLES
    }
    assert json.loads((out / "study.json").read_text()) == record.result.content()
    assert list(pd.read_csv(out / "jobs.csv").columns) == list(TABLES["jobs"])
    assert record.result.sentence in (out / PAGE).read_text()
    assert load_study(out / "config.yaml").resolved() == record.config


def test_every_job_of_the_grid_is_entered_once_and_a_train_of_it_is_no_other_job(make_study, finished):
    result, out = finished
    jobs = result.tables["jobs"].query("verdict != 'refused'")
    assert jobs["run_on_data"].tolist() == jobs["jobs_on_data"].tolist() == [1.0] * len(jobs)
    register = out.parent / ".register.jsonl"
    lines = len(register.read_text().splitlines())
    assert lines == len(jobs)
    planned = next(planned for planned in make_study().planned_jobs() if planned.name in set(jobs["job"]))
    labelled = prepare_job(planned.config).labelled
    assert count_jobs(planned.config, labelled, out.parent, Progress()).jobs == 1
    assert len(register.read_text().splitlines()) == lines


def test_without_effect_nothing_is_called_out(make_study, tmp_path):
    nothing = study(make_study(effect=0.0), tmp_path / "nothing")
    assert not (nothing.tables["jobs"]["verdict"] == "evidence").any()
    assert "None of 4 jobs tested together shows evidence" in nothing.result.sentence


def test_fusions_are_corrected_with_the_other_jobs_and_compared_on_the_same_folds(make_study, tmp_path):
    endpoints = {"response": make_study().grid.endpoints["response"].model_dump(mode="json") | {"subsets": {"all": {}}}}
    grid = make_study().grid.model_dump(mode="json") | {"endpoints": endpoints}
    config = make_study(grid=grid, fusion=["late", "early"])
    fused = study(config, tmp_path / "fused")
    jobs = fused.tables["jobs"].set_index("job")
    assert list(jobs.index) == [
        "PFC: response",
        "NAc: response",
        "late fusion: response",
        "early fusion: response",
    ]
    assert fused.result.correction.jobs == 4
    pairs = fused.tables["fusion"][["first", "second"]].to_numpy().tolist()
    assert pairs == [
        ["late fusion", "early fusion"],
        ["late fusion", "best single region"],
        ["early fusion", "best single region"],
    ]
    assert fused.tables["fusion"]["low"].notna().all()
    (notes,) = fused.result.fused
    assert notes.missing == {"PFC": 0, "NAc": 0}
    assert sum(notes.weights.values()) == pytest.approx(1, abs=1e-3)


def test_a_study_of_which_no_job_can_be_tested_says_why(make_study, tmp_path):
    grid = make_study().grid.model_dump(mode="json")
    endpoints = {"response": grid["endpoints"]["response"] | {"subsets": {"ketamine": {"drug": "ketamine"}}}}
    with pytest.raises(EndpointError, match="No job of the grid"):
        study(make_study(grid=grid | {"endpoints": endpoints}), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_another_folder_is_left_alone(make_study, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="not a study"):
        study(make_study(), tmp_path)


def test_the_terminal_says_the_answer_and_a_line_for_every_job(finished):
    written = io.StringIO()
    show_study(Console(file=written, width=100), *finished)
    text = written.getvalue()
    assert finished[0].result.sentence in text
    for job in finished[0].tables["jobs"]["job"]:
        assert job in text
    assert "refused" in text
    assert str(finished[1] / PAGE) in text


def test_a_study_and_its_jobs_reach_mlflow_once(finished, tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    one = send_study(*finished, uri=uri, experiment="regions")
    assert track(finished[1], uri=uri, experiment="regions").run_id == one
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("regions").experiment_id
    runs = client.search_runs([experiment])
    parent = client.get_run(one)
    assert parent.data.metrics["jobs_evidence"] == 2
    assert parent.data.params["jobs"] == "4"
    children = {run.data.tags["job"]: run for run in runs if run.data.tags.get("mlflow.parentRunId") == one}
    assert len(runs) == 1 + len(children) == 7
    row = finished[0].tables["jobs"].set_index("job").loc["PFC: response, both drugs"]
    sent = children["PFC: response, both drugs"].data
    assert sent.metrics["p_value"] == pytest.approx(row["corrected_p"], abs=1e-4)
    assert sent.tags["verdict"] == "evidence"
    assert children["PFC: response, ketamine"].data.tags["verdict"] == "refused"
    assert {artifact.path for artifact in client.list_artifacts(one)} >= {"study.html", "study.json", "tables"}


def test_a_store_that_fails_loses_nothing(make_study, finished, monkeypatch):
    def fail(*_, **__):
        raise TrackingError("It is away.")

    monkeypatch.setattr(import_module("responder_ml.study"), "send_study", fail)
    said = []
    config = make_study()
    sent = config.model_copy(update={"job": {**config.job, "tracking": {"enabled": True}}})
    assert record_study(sent, *finished, SimpleNamespace(say=said.append)) is None
    assert said == [f"Not tracked: It is away.\nTo send it later: python -m responder_ml track {finished[1]}"]
    assert record_study(config, *finished, SimpleNamespace(say=said.append)) is None
    assert len(said) == 1


def test_models_are_transferred_between_regions_and_a_job_tested_on_itself_is_the_job(finished):
    transfers = finished[0].tables["transfer"]
    assert set(transfers["axis"]) == {"region"}  # both drugs hold ketamine's animals, and ketamine alone was refused
    response = transfers[transfers["endpoint"] == "response"].set_index(["train", "test"])
    assert list(response.index) == [("PFC", "PFC"), ("PFC", "NAc"), ("NAc", "PFC"), ("NAc", "NAc")]
    jobs = finished[0].tables["jobs"].set_index("job")
    own = response.loc[("PFC", "PFC")]
    assert own["auroc"] == jobs.loc["PFC: response, both drugs", "auroc"]
    assert own["p_value"] == jobs.loc["PFC: response, both drugs", "p_value"]
    away = response.loc[("PFC", "NAc")]
    assert away["shared_subjects"] == own["subjects_train"] == 17
    assert away["auroc"] > 0.8
    assert away["p_holm"] >= away["p_value"] >= away["min_attainable_p"] > 0
    resilience = transfers[(transfers["endpoint"] == "resilience") & (transfers["train"] != transfers["test"])]
    assert resilience["auroc"].notna().all()
    assert resilience["p_value"].isna().all()  # a job without evidence has no effect to transfer


def test_an_interrupted_study_continues_where_it_stopped(make_study, finished, tmp_path, monkeypatch):
    class Stop(Progress):
        def stage(self, title):
            if title == "Transfer":
                raise KeyboardInterrupt
            return super().stage(title)

    out = tmp_path / "again"
    with pytest.raises(KeyboardInterrupt):
        study(make_study(), out, Stop())
    assert not out.exists()
    assert list(tmp_path.glob(".again.units/*.unit"))
    computed = []
    compute = Workers._compute
    monkeypatch.setattr(
        Workers, "_compute", lambda self, function, units: computed.extend(units) or compute(self, function, units)
    )
    again = study(make_study(), out)
    assert not list(tmp_path.glob(".again.units*"))
    # Only the transfers remain: each region tested on the other, for two endpoints.
    assert 0 < len(computed) < 60
    for name, table in finished[0].tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table)
    assert again.result.model_copy(update={"timings": {}}) == finished[0].result.model_copy(update={"timings": {}})


def test_units_stay_until_the_study_has_been_tracked(finished, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    path, out = finished[1] / "config.yaml", tmp_path / "study"
    monkeypatch.setattr(import_module("responder_ml.study"), "record_study", interrupt)
    with pytest.raises(KeyboardInterrupt):
        study_command(path, out)
    assert (out / "study.json").is_file()
    assert list(tmp_path.glob(".study.units/*.unit"))
    monkeypatch.setattr(import_module("responder_ml.study"), "record_study", lambda *_: None)
    study_command(path, out)
    assert not list(tmp_path.glob(".study.units*"))


@pytest.fixture
def scheduler():
    """The address of a cluster of two worker processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address
        dask_workers._connect(cluster.scheduler_address).close()
        dask_workers._connect.cache_clear()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed.*", "ignore:Sending large graph:UserWarning")
def test_a_study_on_a_cluster_that_loses_a_worker_is_the_local_study(make_study, finished, tmp_path, scheduler):
    client = dask_workers._connect(scheduler)
    killed = []

    class Kill(Progress):
        """Kills a worker while it computes a unit of the null."""

        @contextmanager
        def stage(self, title):
            def on_progress(*_):
                busy = [worker for worker, units in client.processing().items() if units]
                if title == "Null of all jobs" and busy and not killed:
                    killed.append(client.run(os.getpid)[busy[0]])
                    os.kill(killed[0], signal.SIGKILL)

            yield on_progress

    config = make_study()
    on_cluster = config.model_copy(update={"job": {**config.job, "compute": {"scheduler": scheduler}}})
    out = tmp_path / "cluster"
    lost = study(on_cluster, out, Kill())
    alive = set(client.run(os.getpid).values())
    assert len(killed) == 1
    assert killed[0] not in alive
    for name, table in finished[0].tables.items():
        pd.testing.assert_frame_equal(lost.tables[name], table, check_exact=True)
    local = json.loads((finished[1] / "study.json").read_text())
    assert {**json.loads((out / "study.json").read_text()), "timings": 0} == {**local, "timings": 0}


def test_jobs_that_were_not_refused_are_trained(make_study, finished, monkeypatch):
    trained = []
    registers = set()

    def note(job, run, bundle, progress, register):
        trained.append((job.name, run))
        registers.add(register)

    monkeypatch.setattr(import_module("responder_ml.study"), "train", note)
    folders = train_jobs(make_study(), *finished, Progress())
    assert [name for name, _ in trained] == [
        "small-PFC-resilience-all",
        "small-NAc-resilience-all",
        "small-PFC-response-both_drugs",
        "small-NAc-response-both_drugs",
    ]
    assert folders == [run for _, run in trained]
    assert folders[0] == finished[1] / "runs" / "small-PFC-resilience-all"
    assert registers == {finished[1].parent}


def test_a_study_read_back_is_the_study(finished):
    again = read_study(finished[1])
    assert again.result == finished[0].result
    assert again.config == finished[0].config
    for name, table in finished[0].tables.items():
        assert len(again.tables[name]) == len(table)


def test_the_folder_is_named_after_the_configuration(make_study):
    one, other = default_folder(make_study()), default_folder(make_study(effect=1.0))
    assert one.parent.name == "studies"
    assert one.name.startswith("small-")
    assert one != other
