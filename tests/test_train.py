"""The straight line end to end, on a simulated cohort small enough for a test."""

import json
import shutil
import socket
from contextlib import closing

import pytest
import yaml

from responder_ml.build import prepare_job
from responder_ml.config import load_config
from responder_ml.evaluation.label_ceiling import label_ceiling
from responder_ml.progress import Progress
from responder_ml.records.run import TABLES, read_run
from responder_ml.report.card_facts import CardFacts
from responder_ml.report.card_json import render_card_json
from responder_ml.track import track
from responder_ml.train import count_jobs, record, train

JOB = {
    "name": "tiny",
    "cohort": {
        "source": "simulated",
        "where": {"region": "PFC"},
        "params": {"n_genes": 1200, "effect": 2.0},
    },
    "endpoint": {
        "column": "response",
        "positive": "responder",
        "negative": "non_responder",
        "strata": ["drug"],
        "nuisance": ["batch"],
    },
    "builders": [{"kind": "genes", "params": {"max_genes": 60}}],
    "classifiers": [{"kind": "elastic_net", "params": {"l1_ratio": 0.0}}, {"kind": "nearest_centroid"}],
    "search": {"folds": 3, "repeats": 2, "inner_folds": 2, "trials": 3},
    "null": {"permutations": 24},
    "compute": {"workers": 1},
    "seed": 3,
}


def _job(folder, **changes):
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump({**JOB, **changes}))
    return load_config(path)


def _without_times(folder):
    result = json.loads((folder / "result.json").read_text())
    return {key: value for key, value in result.items() if key != "timings"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job")
    run = train(_job(folder), folder / "run", folder / "bundle")
    return folder, run


def test_train_writes_everything_the_design_lists(trained):
    folder, run = trained
    written = {path.name for path in (folder / "run").iterdir()}
    assert {
        "result.json",
        "config.yaml",
        "report.html",
        "card.md",
        "card.json",
        *(f"{name}.csv" for name in TABLES),
    } <= written
    assert {"manifest.json", "model.skops", "card.md"} <= {path.name for path in (folder / "bundle").iterdir()}
    assert set(run.result.content()) >= {
        "schema_version", "name", "endpoint", "n", "headline", "null", "baselines", "candidates", "audit", "verdict",
        "stability", "timings", "versions", "data_sha256", "seed",
    }  # fmt: skip
    assert run.result.simulated
    assert run.result.verdict.level in {"undecided", "evidence", "confounded", "no_evidence"}
    for name, columns in TABLES.items():
        # No builder of this job has signatures, nothing is tuned on so few subjects nor adjusted for, no learning curve is asked
        # for, and a table without rows is left out.
        assert name in {"signatures", "trials", "rivals", "learning_curve"} or set(columns) <= set(
            run.tables[name].columns
        ), name


def test_a_run_of_a_version_without_a_card_for_programs_is_read(trained, tmp_path):
    folder, run = trained
    former = tmp_path / "run"
    shutil.copytree(folder / "run", former)
    (former / "card.json").unlink()
    listed = json.loads((former / ".responder_ml.json").read_text())
    del listed["files"]["card.json"]
    (former / ".responder_ml.json").write_text(json.dumps(listed))
    assert read_run(former).result == run.result


def test_the_card_for_programs_is_that_of_the_run_read_back(trained):
    folder, run = trained
    assert (folder / "run" / "card.json").read_text() == render_card_json(CardFacts.of(run))
    assert render_card_json(CardFacts.of(read_run(folder / "run"))) == render_card_json(CardFacts.of(run))


def test_stability_of_leading_genes_is_reported(trained):
    _, run = trained
    assert run.result.stability.leading.repeats == 2
    assert run.result.stability.leading.nogueira <= 1


def test_the_global_test_stands_beside_the_verdict_everywhere(trained):
    folder, run = trained
    test, sentence = run.result.global_test, run.result.verdict.sentence
    assert test.name == "energy"
    assert test.labellings == run.result.null.labellings
    assert test.exact
    assert test.permutations == test.labellings
    assert 0 < test.genes <= run.result.n.genes
    assert 1 / test.labellings <= test.p_value <= 1
    assert f"(energy of {test.genes:,} genes, no part of this verdict): p = {test.p_value:.2g}" in sentence
    assert "p of any difference at all" in (folder / "run" / "card.md").read_text()
    report = (folder / "run" / "report.html").read_text()
    assert "Any difference at all" in report
    assert "Energy statistics." in report


def test_halves_of_the_repeats_are_recorded_and_reported(trained):
    folder, run = trained
    sensitivity = run.result.split_sensitivity
    assert (sensitivity.halves, sensitivity.repeats) == (2, 1)
    low, high = sensitivity.auroc
    assert low <= run.result.headline.auroc <= high
    card = (folder / "run" / "card.md").read_text()
    assert f"| smallest AUROC when only half of the repeats count (2 halves) | {low:.2f} |" in card
    assert f"| largest AUROC when only half of the repeats count (2 halves) | {high:.2f} |" in card
    report = (folder / "run" / "report.html").read_text()
    assert "With half of the repeats" in report
    # One job alone on its data needs no words.
    assert (run.result.jobs_on_data.run, run.result.jobs_on_data.jobs) == (1, 1)
    assert "Jobs on these data" not in report
    assert "on these data" not in run.result.verdict.sentence


def test_a_learning_curve_and_a_label_ceiling_are_recorded_and_reported_where_they_are_asked_for(trained, tmp_path):
    assert trained[1].result.learning_curve is None
    assert "learning_curve" not in trained[1].tables
    search = {**JOB["search"], "trials": 0, "learning_curve": 3}
    endpoint = {**JOB["endpoint"], "reliability": {"value": 0.8, "source": "a retest"}}
    job = _job(tmp_path, search=search, endpoint=endpoint, null={"permutations": 0})
    run = train(job, tmp_path / "run", tmp_path / "bundle")
    points = read_run(tmp_path / "run").tables["learning_curve"]
    assert points["trained"].is_monotonic_increasing
    assert points["auroc"].iloc[-1] == pytest.approx(run.result.headline.auroc)
    assert "cannot be extrapolated" in run.result.learning_curve.sentence
    assert run.result.learning_curve.sentence in (tmp_path / "run" / "report.html").read_text()
    assert "curve_s" in run.result.timings
    # Six responders and seven others.
    assert read_run(tmp_path / "run").result.label_ceiling.auroc == pytest.approx(label_ceiling(0.8, 6 / 13, 7 / 13))
    assert trained[1].result.label_ceiling is None


def test_a_second_seed_is_a_second_run_on_the_same_data_and_says_so(tmp_path):
    small = {
        **JOB,
        "search": {**JOB["search"], "trials": 0},
        "null": {"permutations": 0},
        "builders": [{"kind": "genes"}],
    }
    small["classifiers"] = [{"kind": "nearest_centroid"}]
    # The seed of the simulator is the job's unless it has its own.
    small["cohort"] = {**JOB["cohort"], "params": {"n_genes": 300, "seed": 1}}
    first, second = (_job(tmp_path, **{**small, "seed": seed}) for seed in (3, 4))
    assert count_jobs(first, prepare_job(first).labelled, tmp_path, Progress()).jobs == 1
    run = train(second, tmp_path / "run", tmp_path / "bundle")
    assert (run.result.jobs_on_data.run, run.result.jobs_on_data.jobs) == (2, 2)
    assert run.result.verdict.sentence.endswith(". Run 2 on these data.")
    assert "Jobs on these data" in (tmp_path / "run" / "report.html").read_text()
    assert "2 different jobs were asked of these data" in (tmp_path / "run" / "card.md").read_text()
    # The first one asked again is no third job, but is told of the second.
    count = count_jobs(first, prepare_job(first).labelled, tmp_path, Progress())
    assert (count.run, count.jobs) == (1, 2)


def test_a_register_that_cannot_be_used_or_is_damaged_is_reported_and_stops_nothing(tmp_path):
    said = []
    progress = Progress()
    progress.say = said.append
    job = _job(tmp_path)
    labelled = prepare_job(job).labelled
    (tmp_path / "file").write_text("")
    assert count_jobs(job, labelled, tmp_path / "file", progress) is None
    assert "were not counted" in said[-1]
    (tmp_path / ".register.jsonl").write_text("{torn")
    assert count_jobs(job, labelled, tmp_path, progress).jobs == 1
    assert said[-1].startswith("1 damaged line(s)")


def test_out_of_fold_table_scores_every_sample_once_per_repeat_and_candidate(trained):
    table = trained[1].tables["out_of_fold"]
    counts = table.groupby(["candidate", "repeat"])["sample"].agg(["size", "nunique"])
    assert (counts["size"] == 13).all()
    assert (counts["nunique"] == 13).all()
    assert len(counts) == 3 * 2


def test_a_run_read_back_is_the_run(trained):
    folder, run = trained
    again = read_run(folder / "run")
    assert again.result == run.result
    assert again.config == run.config
    assert again.tables["genes"]["gene"].tolist() == run.tables["genes"]["gene"].tolist()


def test_the_resolved_configuration_is_itself_a_job(trained, tmp_path):
    folder, run = trained
    job = load_config(folder / "run" / "config.yaml")
    assert job.resolved() == run.config


def test_a_lost_tracking_server_is_said_and_track_sends_the_run_afterwards(trained, tmp_path):
    from mlflow import MlflowClient

    folder, run = trained
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    said, progress = [], Progress()
    progress.say = said.append
    job = _job(tmp_path, tracking={"uri": nobody, "experiment": "later"})
    assert record(job, run, folder / "run", folder / "bundle", progress) is None
    assert "Not tracked" in said[0]
    assert nobody in said[0]
    assert f"track {folder / 'run'} --bundle {folder / 'bundle'}" in said[0]
    assert "Max retries" not in said[0]
    store = f"sqlite:///{tmp_path / 'later.db'}"
    sent = track(folder / "run", folder / "bundle", uri=store, experiment="later", register=True, anyway=True)
    client = MlflowClient(store)
    tracked = client.get_run(sent.run_id)
    assert (tracked.info.run_name, tracked.info.status) == ("tiny", "FINISHED")
    assert tracked.data.metrics["p_value"] == pytest.approx(run.result.null.p_value, abs=1e-4)
    assert tracked.inputs.dataset_inputs[0].dataset.digest == run.result.data_sha256[:16]
    assert "report.html" in {artifact.path for artifact in client.list_artifacts(sent.run_id)}
    assert [int(version.version) for version in client.search_model_versions("name = 'tiny'")] == [1]


@pytest.mark.parametrize("workers", [1, 2])
def test_one_seed_gives_one_result_whatever_the_number_of_workers(trained, tmp_path, workers):
    again = train(_job(tmp_path, compute={"workers": workers}), tmp_path / "run", tmp_path / "bundle")
    assert again.result.verdict == trained[1].result.verdict
    assert _without_times(tmp_path / "run") == _without_times(trained[0] / "run")


def test_two_strata_too_small_are_underpowered_and_that_is_said_before_training(tmp_path):
    # 1 v 2 with one drug, 2 v 1 with the other: nine labellings.
    cells = {
        "susceptible/ketamine/responder": 1,
        "susceptible/ketamine/non_responder": 2,
        "susceptible/imipramine/responder": 2,
        "susceptible/imipramine/non_responder": 1,
    }
    job = _job(
        tmp_path,
        cohort={**JOB["cohort"], "params": {"n_genes": 600, "cells": cells}},
        classifiers=[{"kind": "nearest_centroid"}, {"kind": "elastic_net"}],
    )
    prepared = prepare_job(job)
    assert prepared.power_note.startswith("Underpowered")
    assert "0.11" in prepared.power_note
    assert prepared.feasible.plan.trials == 0
    run = train(job, tmp_path / "run", tmp_path / "bundle")
    assert run.result.verdict.level == "underpowered"
    assert [candidate.classifier for candidate in run.result.candidates] == ["nearest_centroid"]


def test_a_gpu_that_is_not_there_is_said_once_and_stands_in_the_report(tmp_path, monkeypatch, capfd):
    class Said(Progress):
        def __init__(self):
            self.said = []

        def say(self, text):
            self.said.append(text)

    monkeypatch.setattr("responder_ml.classifiers.xgboost.usable_device", lambda device: "cpu")
    trees = {"kind": "xgboost", "params": {"device": "cuda", "rounds": 2}}
    builders = [*JOB["builders"], {"kind": "genes", "name": "few", "params": {"max_genes": 20}}]
    job = _job(tmp_path, classifiers=[trees], builders=builders, null={"permutations": 4})
    progress = Said()
    run = train(job, tmp_path / "run", tmp_path / "bundle", progress)
    message = "xgboost: device is cuda, but xgboost sees no such GPU here; the processor is used."
    assert progress.said.count(message) == 1
    assert [finding.message for finding in run.result.audit].count(message) == 1
    assert message in (tmp_path / "run" / "report.html").read_text()
    assert capfd.readouterr() == ("", "")
