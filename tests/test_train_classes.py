"""Several classes from a job to one answer: config, runs of the pairs, the record, the page and the screen."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import responder_ml as rml
from responder_ml.build import build_candidates, build_cohort, build_search_plan, prepare_job
from responder_ml.bundles.bundle import read_bundle
from responder_ml.bundles.class_bundle import read_class_bundle
from responder_ml.class_jobs import label_classes, plan_pairs, prepare_classes
from responder_ml.cli import app
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.config import read_job
from responder_ml.errors import BundleError, ConfigError, EndpointError, FeatureError, ResponderError, RunError
from responder_ml.evaluation.class_pairs import ClassPairs
from responder_ml.evaluation.class_predictions import PROBABILITY
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.several_classes import correct_pairs, judge_classes
from responder_ml.records.classes import ANSWER, PAGE, read_classes
from responder_ml.records.run import CARD, CARD_FILE, read_run
from responder_ml.report.card import render_card
from responder_ml.report.card_json import render_card_json
from responder_ml.report.class_card import describe_classes
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.train_classes import train_classes

NAMES = ("control", "resilient", "susceptible")
JOB = {
    "name": "three",
    "cohort": {
        "source": "simulated",
        "where": {"region": "PFC", "drug": "saline"},
        "params": {"effect": 3.0, "n_genes": 300},
    },
    "endpoint": {"column": "phenotype", "classes": list(NAMES)},
    "builders": [{"kind": "genes"}],
    "classifiers": [{"kind": "nearest_centroid"}],
    "null": {"permutations": 39},
    "tracking": {"enabled": False},
    "compute": {"workers": 1},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training that is interrupted when all pairs are written, and goes on by the next call."""
    folder = tmp_path_factory.mktemp("classes")
    (folder / "job.yaml").write_text(yaml.safe_dump(JOB))
    out, bundle = folder / "runs" / "all", folder / "models" / "all"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("responder_ml.train_classes.write_class_bundle", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_classes(read_job(JOB, "job"), out, bundle)
        with pytest.raises(BundleError):
            read_class_bundle(bundle)
    with pytest.MonkeyPatch.context() as patch:
        # The module by its full name: in the package, its name is that of the public function.
        patch.setattr(import_module("responder_ml.train"), "run_procedure", _interrupt)
        arguments = ["train", str(folder / "job.yaml"), "--out", str(out), "--bundle", str(bundle)]
        result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return folder, result.output


def _interrupt(*_, **__):
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def job_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("job") / "job.yaml"
    path.write_text(yaml.safe_dump(JOB))
    return path


def _refused(*arguments):
    """Return the message of a user's mistake, which `cli.main` prints before it ends with 2."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, ResponderError), result.output
    return str(result.exception)


def test_every_pair_has_a_run_of_its_own_and_all_have_one_answer(trained):
    folder, printed = trained
    run = read_classes(folder / "runs" / "all")
    assert run.result.classes == {"control": 5, "resilient": 4, "susceptible": 3}
    assert [(row.positive, row.negative) for row in run.result.pairs] == [
        (NAMES[0], NAMES[1]),
        (NAMES[0], NAMES[2]),
        (NAMES[1], NAMES[2]),
    ]
    for row in run.result.pairs:
        own = read_run(folder / "runs" / row.run).result
        assert (own.headline.auroc, own.null.p_value) == (row.auroc, row.p_value)
        assert read_bundle(folder / "models" / "all" / row.run.removeprefix("all-")).worth.auroc == row.auroc
        assert row.corrected_p == max(row.p_value, run.result.null.p_value)
    # The same plan and candidates: the mean over pairs is that of their own runs.
    assert run.result.macro_auroc == pytest.approx(np.mean([row.auroc for row in run.result.pairs]), abs=1e-9)
    assert run.result.sentence.startswith("Simulated data: ")
    assert "control against resilient" in " ".join(printed.split())
    page = (folder / "runs" / "all" / PAGE).read_text()
    assert all(f"../{row.run}/report.html" in page for row in run.result.pairs)


def test_every_subject_has_a_probability_of_every_class(trained):
    folder, _ = trained
    run = read_classes(folder / "runs" / "all")
    table, counted = run.tables["predictions"], run.result.prediction
    assert list(table.columns) == ["subject", "observed", "predicted", *(f"{PROBABILITY}{name}" for name in NAMES)]
    probabilities = table.filter(like=PROBABILITY)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-8)
    assert table["predicted"].tolist() == [NAMES[column] for column in probabilities.to_numpy().argmax(axis=1)]
    assert table["observed"].value_counts().to_dict() == run.result.classes
    assert np.sum(counted.confusion, axis=1).tolist() == [5, 4, 3]
    right = np.diag(counted.confusion) / np.sum(counted.confusion, axis=1)
    assert counted.balanced_accuracy == pytest.approx(right.mean())
    page = " ".join((folder / "runs" / "all" / PAGE).read_text().split())
    assert "predicted susceptible" in page
    assert "not tested" in page


def test_the_card_lies_in_the_folder_and_in_the_bundle(trained):
    folder, _ = trained
    out, bundle = folder / "runs" / "all", folder / "models" / "all"
    run = read_classes(out)
    facts = describe_classes(run)
    card = (out / CARD).read_text()
    assert card == render_card(facts)
    assert (out / CARD_FILE).read_text() == render_card_json(facts)
    assert (bundle / CARD).read_text() == card
    assert read_class_bundle(bundle).manifest.training["data_sha256"] == run.result.data_sha256
    assert run.result.data_sha256 in card
    assert "- Expression: 300 genes, counts" in card
    assert "- Rows selected: drug = saline, region = PFC" in card
    assert facts.families == ("nearest_centroid",)
    # What holds for all pairs is said once.
    assert len(set(run.result.findings)) == len(run.result.findings)
    for row in run.result.pairs:
        own = read_run(folder / "runs" / row.run).result
        for finding in own.audit:
            said = [limit for limit in run.result.findings if limit.startswith(f"{finding.code}: {finding.message}")]
            assert bool(said) == (finding.severity != "info")


def test_it_is_read_back_and_a_damaged_answer_is_named(trained, tmp_path):
    folder, _ = trained
    run = read_classes(folder / "runs" / "all")
    assert len(run.tables["null"]) == run.result.null.relabellings
    assert run.config["endpoint"]["classes"] == list(NAMES)
    with pytest.raises(RunError, match="none"):
        read_classes(tmp_path / "none")
    assert (folder / "runs" / "all" / ANSWER).exists()
    # Nothing of the work that was interrupted is there any more.
    assert not list((folder / "runs").glob(".*.units"))


def test_classes_and_their_subjects():
    job = read_job(JOB, "job")
    labelled, classes = label_classes(job, build_cohort(job.cohort, job.seed))
    assert np.bincount(classes).tolist() == [5, 4, 3]
    sheet = labelled.cohort.obs.set_index("subject")
    original = build_cohort(job.cohort, job.seed).obs.set_index("subject")["phenotype"]
    assert [NAMES[code] for code in classes] == original[list(labelled.subjects)].tolist()
    assert len(sheet) == 12


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ({"classes": ["control", "resilient"]}, "three or more"),
        ({"classes": ["a", "b", "b"]}, "three or more different"),
        ({"kind": "classes"}, "has none"),
        ({"classes": ["a", "b", "c"], "positive": "a"}, "neither positive nor negative"),
        ({"classes": ["a", "b", "c"], "pairs": "litter"}, "none of rule, pairs, block and reliability"),
        ({"classes": ["a", "b", "c"], "reliability": 0.8}, "none of rule, pairs, block and reliability"),
        ({"positive": "a"}, "both needed"),
        ({"kind": "two_classes", "classes": ["a", "b", "c"], "positive": "a", "negative": "b"}, "belong to"),
    ],
)
def test_what_an_endpoint_of_classes_cannot_be(endpoint, message):
    with pytest.raises(ConfigError, match=message):
        read_job({**JOB, "endpoint": {"column": "phenotype", **endpoint}}, "job")


def test_names_of_classes_become_names_of_folders(tmp_path):
    job = read_job({**JOB, "endpoint": {"column": "phenotype", "classes": ["a/b", "c d", "e"]}}, "job")
    assert [pair.out.name for pair in plan_pairs(job, tmp_path / "r", tmp_path / "m")] == [
        "r-a_b-c_d",
        "r-a_b-e",
        "r-c_d-e",
    ]
    assert plan_pairs(job, tmp_path / "r", tmp_path / "m")[0].bundle == tmp_path / "m" / "a_b-c_d"
    alike = read_job({**JOB, "endpoint": {"column": "phenotype", "classes": ["a/b", "a b", "e"]}}, "job")
    with pytest.raises(ConfigError, match="one folder"):
        plan_pairs(alike, tmp_path / "r", tmp_path / "m")


def test_correction_over_pairs():
    assert correct_pairs(0.03, [0.01, 0.04, 0.5]) == [0.03, 0.04, 0.5]
    # Four classes have six pairs: Holm's correction comes first.
    assert correct_pairs(0.001, [0.01, 0.5, 0.5, 0.5, 0.5, 0.5])[0] == pytest.approx(0.06)


def _null(p_value, settled=True):
    from responder_ml.evaluation.permutation import NullResult

    values = np.zeros(200)
    return NullResult(0.0, values, p_value, (0.0, 0.2), False, settled, True, 1000, 0.001, aurocs=values + 0.5)


@pytest.mark.parametrize(
    ("null", "levels", "level", "words"),
    [
        (_null(0.2), {}, "no_evidence", "No evidence that expression tells a, b and c apart"),
        (_null(0.01), {"a and b": "evidence"}, "evidence", "Between: a and b."),
        (
            _null(0.01),
            {"a and b": "confounded", "a and c": "no_evidence"},
            "confounded",
            "a nuisance explains it between a and b",
        ),
        (_null(0.01), {"a and b": "not_separable"}, "not_separable", "nearly the same between a and b"),
        (_null(0.01), {"a and b": "no_evidence"}, "evidence", "No single pair"),
        (_null(0.04, settled=False), {}, "undecided", "Allow more"),
        (None, {}, "not_tested", "Not tested"),
    ],
)
def test_verdicts_on_all_classes(null, levels, level, words):
    classes = np.repeat([0, 1, 2], 4)
    verdict = judge_classes("abc", classes, np.zeros(12), null, 0.7, levels, 0.05)
    assert verdict.level == level
    assert words in verdict.sentence


def test_too_few_subjects_for_any_result():
    verdict = judge_classes("abc", np.array([0, 1, 2]), np.zeros(3), _null(0.01), 0.9, {}, 0.05)
    assert verdict.level == "underpowered"


def test_check_shows_every_pair_and_trains_nothing(job_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["check", str(job_file)], env={"COLUMNS": "1000"})
    assert result.exit_code == 0, result.output
    assert "three: control (5), resilient (4), susceptible (3), tested together first" in result.output
    assert "three-resilient-susceptible: resilient (4) against susceptible (3)" in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "command",
    [["selftest"], ["plan", "--config"], ["transfer", "--by", "region"], ["sets"]],
    ids=lambda command: command[0],
)
def test_commands_of_two_classes_refuse_several(command, job_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, *options = command
    arguments = [name, job_file, *options] if name == "transfer" else [name, *options, job_file]
    message = _refused(*arguments)
    assert all(word in message for word in ("endpoint", "classes", "positive", "negative"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_study_of_several_classes_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shared = {key: value for key, value in JOB.items() if key not in ("name", "endpoint")}
    grid = {"regions": {"PFC": {"region": "PFC"}}, "endpoints": {"groups": JOB["endpoint"]}}
    shared["cohort"] = {**shared["cohort"], "where": {"drug": "saline"}}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump({"name": "grid", "job": shared, "grid": grid}))
    assert "endpoint.classes names several classes" in _refused("study", tmp_path / "study.yaml")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["study.yaml"]


def test_a_training_of_several_classes_is_no_run(trained):
    folder, _ = trained
    run = folder / "runs" / "all"
    assert "is a training of several classes and not a run" in _refused("compare", run)
    assert "is a training of several classes and not a run" in _refused("track", run, "--optuna", folder / "optuna.db")


def test_report_writes_the_page_again(trained, tmp_path):
    folder, _ = trained
    run = folder / "runs" / "all"
    before = (run / PAGE).read_bytes()
    (run / PAGE).write_text("")
    assert CliRunner().invoke(app, ["report", str(run)]).exit_code == 0
    assert (run / PAGE).read_bytes() == before
    read_classes(run)
    assert CliRunner().invoke(app, ["report", str(run), "--out", str(tmp_path / "page.html")]).exit_code == 0
    assert (tmp_path / "page.html").read_bytes() == before


def test_new_samples_are_scored_by_the_bundle_that_was_trained(trained, tmp_path):
    folder, _ = trained
    cohort = simulate_cohort(seed=8, n_genes=300, regions=["PFC"], effect=3.0)
    cohort = cohort[cohort.obs["drug"] == "saline"].copy()
    table = pd.DataFrame(np.asarray(cohort.X).T, index=cohort.var_names, columns=cohort.obs_names)
    table.to_csv(tmp_path / "new.csv")
    arguments = ["score", str(folder / "models" / "all"), str(tmp_path / "new.csv"), "--anyway"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "scores.csv")])
    assert result.exit_code == 0, result.output
    scores = pd.read_csv(tmp_path / "scores.csv")
    assert (scores["predicted"].to_numpy() == cohort.obs["phenotype"].to_numpy()).mean() > 0.6
    run = read_classes(folder / "runs" / "all").result
    assert set(scores["verdict"]) == {run.level}
    assert scores["verdict_auroc"][0] == pytest.approx(run.macro_auroc)
    assert scores["verdict_p"][0] == pytest.approx(run.null.p_value)


def test_a_subject_of_two_classes_is_refused_whichever_they_are(tmp_path):
    job = read_job(JOB, "job")
    cohort = build_cohort(job.cohort, job.seed)
    for one, other in ((0, 1), (1, 2)):
        twice = cohort.copy()
        first = [twice.obs["subject"][twice.obs["phenotype"] == NAMES[code]].iloc[0] for code in (one, other)]
        twice.obs["subject"] = twice.obs["subject"].astype(str).replace({first[1]: first[0]})
        with pytest.raises(EndpointError, match="carry both"):
            _prepare(job, twice, tmp_path)


def _prepare(job, cohort, folder):
    for pair in plan_pairs(job, folder / "r", folder / "m"):
        prepare_job(pair.job, cohort)


def test_groups_of_reference_are_refused_where_all_classes_are_exchanged(tmp_path):
    cohort = {**JOB["cohort"], "where": {"region": "PFC"}}
    endpoint = {**JOB["endpoint"], "among": {"drug": "saline"}}
    job = read_job({**JOB, "cohort": cohort, "endpoint": endpoint, "builders": [{"kind": "reference"}]}, "job")
    with pytest.raises(FeatureError, match="'reference' does not go with several classes"):
        prepare_classes(job, plan_pairs(job, tmp_path / "r", tmp_path / "m"))


def test_the_library_returns_all_classes_and_the_run_of_two(trained):
    folder, _ = trained
    classes = rml.load_run(folder / "runs" / "all", folder / "models" / "all")
    assert isinstance(classes, rml.Classes)
    assert classes.verdict.level == classes.result.level
    assert classes.p_value == classes.result.null.p_value
    assert len(classes.predictions) == 12
    one = classes.run("susceptible", "control")
    assert one.headline.auroc == classes.tables["pairs"]["auroc"][1]
    assert one.model.classes == ("control", "susceptible")
    assert classes.model.classes == NAMES
    assert classes.report().is_file()
    assert repr(classes).startswith("Classes 'three' on simulated data: ")
    assert "5 control, 4 resilient, 3 susceptible" in classes._repr_html_()
    with pytest.raises(RunError, match="no pair of 'a' and 'control'"):
        classes.run("a", "control")


def test_folders_of_others_are_refused(tmp_path):
    job = read_job(JOB, "job")
    with pytest.raises(RunError, match="overlap"):
        train_classes(job, tmp_path / "x", tmp_path / "x" / "models")
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"notes\.txt"):
        train_classes(job, tmp_path / "run", stranger)
    with pytest.raises(RunError, match="not empty"):
        train_classes(job, stranger, tmp_path / "models")
    # A pair's run folder that holds something else stops all before anything is trained.
    (tmp_path / "run-control-resilient").mkdir()
    (tmp_path / "run-control-resilient" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="run-control-resilient"):
        train_classes(job, tmp_path / "run", tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_covariates_are_held_constant_in_every_pair_as_in_its_own_job(tmp_path):
    cohort = {**JOB["cohort"], "params": {**JOB["cohort"]["params"], "covariate_effect": 0.5}}
    job = read_job({**JOB, "cohort": cohort, "endpoint": {**JOB["endpoint"], "adjust": ["rin"]}}, "job")
    prepared = prepare_classes(job, plan_pairs(job, tmp_path / "r", tmp_path / "m"))
    data, classes = SearchData.of(prepared.labelled), prepared.classes
    pairs = ClassPairs(data, classes, build_candidates(job), build_search_plan(job), Workers(1))
    for row, own in zip(pairs.measure(classes).values(), prepared.pairs, strict=True):
        feasible = own.feasible
        alone = Procedure(SearchData.of(own.labelled), feasible.candidates, feasible.plan, Workers(1))
        expected = alone.observe(own.labelled.labels).measured(alone.cells)
        np.testing.assert_allclose(row, expected, atol=1e-9)
    without = ClassPairs(
        replace(data, context=None), classes, build_candidates(job), build_search_plan(job), Workers(1)
    )
    assert any(not np.allclose(without.measure(classes)[pair], row) for pair, row in pairs.measure(classes).items())
    np.testing.assert_allclose(pairs.probabilities(classes).sum(axis=1), 1.0)
