"""A graded outcome from a job to its folder: config, search, null, record, page and screen."""

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from responder_ml.build import prepare_job
from responder_ml.cli import app
from responder_ml.config import read_job
from responder_ml.errors import ConfigError, EndpointError, RunError, UnknownNameError
from responder_ml.prepare_graded import prepare_graded
from responder_ml.records.graded import PAGE, TABLES, read_graded

JOB = {
    "name": "ratio",
    "cohort": {
        "source": "simulated",
        "where": {"region": "PFC"},
        "params": {"effect": 3.0, "n_genes": 300, "regions": ["PFC"], "behaviour_effect": 4.0},
    },
    "endpoint": {"kind": "score", "column": "social_interaction_ratio", "nuisance": ["batch"]},
    "builders": ["genes", "all_genes"],
    "regressors": ["ridge", {"kind": "xgboost", "params": {"rounds": 4}}],
    "search": {"repeats": 2, "folds": 3},
    "null": {"permutations": 16},
    "tracking": {"enabled": False},
    "compute": {"workers": 1},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("graded")
    (folder / "job.yaml").write_text(yaml.safe_dump(JOB))
    arguments = ["train", str(folder / "job.yaml"), "--out", str(folder / "run"), "--bundle", str(folder / "model")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return folder, result.output


def test_the_folder_holds_one_answer_with_its_tables_and_page(trained):
    folder, printed = trained
    run = read_graded(folder / "run")
    result = run.result
    assert result.outcome.column == "social_interaction_ratio"
    assert (result.n.subjects, result.n.samples, result.n.genes) == (25, 25, 300)
    assert result.verdict.sentence.startswith("Simulated data: ")
    assert result.null.relabellings == len(run.tables["null"]) == 16
    assert {name: list(table.columns) for name, table in run.tables.items()} == {
        name: list(columns) for name, columns in TABLES.items()
    }
    assert [candidate.name for candidate in result.candidates] == [
        "genes+ridge", "genes+xgboost", "all_genes+ridge", "all_genes+xgboost",
    ]  # fmt: skip
    assert sum(member.weight for member in result.members) == pytest.approx(1.0)
    page = (folder / "run" / PAGE).read_text()
    assert "Predicted against observed" in page
    assert "Simulated data" in page
    assert "concordance" in printed
    assert read_job(run.config, "config").regressors[0].kind == "ridge"


def test_the_headline_can_be_computed_from_the_table_of_predictions(trained):
    folder, _ = trained
    run = read_graded(folder / "run")
    rows = run.tables["predictions"].assign(one=1)
    pairs = rows.merge(rows, on="one", suffixes=("", "_lower"))
    pairs = pairs[pairs["outcome"] > pairs["outcome_lower"]]
    pairs["kind"] = sum(
        (pairs[side] >= run.result.outcome.upper_from).astype(int) for side in ("outcome", "outcome_lower")
    )
    met = pairs[(pairs["repeat"] == pairs["repeat_lower"]) & (pairs["fold"] == pairs["fold_lower"])]
    order = 0.5 * (np.sign(met["prediction"] - met["prediction_lower"]) + 1.0)
    shares, numbers = order.groupby(met["kind"]).mean(), pairs["kind"].value_counts()
    expected = np.average(shares, weights=numbers.loc[shares.index])
    assert run.result.headline.concordance == pytest.approx(expected, abs=1e-9)


def test_contributions_add_up_to_the_predictions_of_linear_models_and_trees(trained):
    from responder_ml.evaluation.graded_procedure import GradedProcedure
    from responder_ml.explanation.attribution import explain_auto
    from responder_ml.search.search_data import SearchData
    from responder_ml.search.workers import Workers

    prepared = prepare_graded(read_job(JOB, "job"))
    graded, feasible = prepared.graded, prepared.feasible
    procedure = GradedProcedure(
        SearchData.of(graded.labelled), feasible.candidates, feasible.plan, Workers(1), graded.cut
    )
    observed = procedure.observe(graded.outcome)
    for explanation in explain_auto(observed.results):
        expected = observed.auto.predictions[explanation.repeat][explanation.rows]
        np.testing.assert_allclose(explanation.base + explanation.values.sum(axis=1), expected, atol=1e-5)


def test_a_damaged_or_foreign_folder_is_named(trained, tmp_path):
    folder, _ = trained
    with pytest.raises(RunError, match="is not a training on a graded outcome"):
        read_graded(tmp_path)
    assert read_graded(folder / "run").result.seed == 7


def test_check_prints_what_the_subjects_allow(trained):
    folder, _ = trained
    result = CliRunner().invoke(app, ["check", str(folder / "job.yaml")])
    assert result.exit_code == 0
    text = " ".join(result.output.split())
    assert "social_interaction_ratio from" in text
    assert "nothing is tuned" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classifiers": ["elastic_net"]}, "name regressors, and no classifiers"),
        ({"regressors": []}, "'regressors' is missing"),
        ({"endpoint": {"kind": "score", "column": "x", "positive": "a"}}, "remove positive, negative and classes"),
        ({"endpoint": {"kind": "score", "column": "x", "rule": {"cut": 1.0}}}, "a rule cuts numbers into two classes"),
        ({"endpoint": {"kind": "score", "column": "x", "pairs": "litter"}}, "write `block` in its place"),
        ({"endpoint": {"column": "x", "positive": "a", "negative": "b"}}, "name classifiers, and no regressors"),
    ],
)
def test_what_does_not_go_together_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        read_job({**JOB, **change}, "job")


def test_builders_and_regressors_that_cannot_be_used_are_named():
    with pytest.raises(ConfigError, match=r"'derived' needs two classes.*genes, all_genes, gene_sets"):
        prepare_graded(read_job({**JOB, "builders": ["derived"]}, "job"))
    with pytest.raises(UnknownNameError, match="no regressor 'nearest_centroid'"):
        prepare_graded(read_job({**JOB, "regressors": ["nearest_centroid"]}, "job"))
    with pytest.raises(ConfigError, match="Two regressors are called 'ridge'"):
        prepare_graded(read_job({**JOB, "regressors": ["ridge", "ridge"]}, "job"))
    few = {**JOB["cohort"], "params": {**JOB["cohort"]["params"], "cells": {"control/saline/none": 8}}}
    with pytest.raises(EndpointError, match="Add ridge to `regressors`"):
        prepare_graded(read_job({**JOB, "cohort": few, "regressors": ["xgboost"]}, "job"))


def test_what_is_made_for_two_classes_says_so():
    with pytest.raises(
        ConfigError, match=r"A graded outcome .* is for `check`, `train`, `score`, `report`, `compare` and `track` only"
    ):
        prepare_job(read_job(JOB, "job"))


@pytest.mark.parametrize("command", ["plan", "selftest"])
def test_other_commands_refuse_with_one_message(trained, command):
    folder, _ = trained
    arguments = {"plan": ["plan", "--config"], "selftest": ["selftest"]}[command]
    result = CliRunner().invoke(app, [*arguments, str(folder / "job.yaml")])
    assert isinstance(result.exception, ConfigError)
    assert "needs two classes" in str(result.exception)


def test_a_text_column_and_a_missing_one_are_one_message():
    for column, message in (("phenotype", "needs numbers in 'phenotype'"), ("mood", "does not have")):
        with pytest.raises(Exception, match=message):
            prepare_graded(read_job({**JOB, "endpoint": {"kind": "score", "column": column}}, "job"))


@pytest.fixture(scope="module")
def cohort_files(tmp_path_factory):
    """Return expression and sheet of the training cohort as files."""
    from responder_ml.build import simulate_to

    folder = tmp_path_factory.mktemp("files")
    simulate_to(folder, read_job(JOB, "job"))
    return folder


def _files(folder):
    names = sorted(path.name for path in folder.iterdir())
    return folder / next(n for n in names if "counts" in n or "expression" in n), folder / next(
        n for n in names if "sample" in n
    )


def test_the_bundle_predicts_what_the_final_model_predicts_and_says_what_that_is_worth(trained, cohort_files):
    from responder_ml.bundles.graded_bundle import read_graded_bundle
    from responder_ml.score import score

    folder, _ = trained
    expression, sheet = _files(cohort_files)
    bundle = read_graded_bundle(folder / "model")
    table = score(folder / "model", expression, samples=sheet, anyway=True, out=folder / "scores.csv")
    prepared = prepare_graded(read_job(JOB, "job"))
    labelled = prepared.graded.labelled
    expected = dict(zip(labelled.cohort.obs["sample"], bundle.model.predict(labelled.expression), strict=True))
    assert {row.sample: pytest.approx(row.predicted, abs=1e-9) for row in table.itertuples()} == expected
    result = read_graded(folder / "run").result
    assert (table["verdict_concordance"] == result.headline.concordance).all()
    assert (table["verdict_p"] == result.null.p_value).all()
    assert table.attrs["summary"]["evaluation"]["subjects"] == 25
    assert table.attrs["summary"]["evaluation"]["concordance"] > 0.7
    assert (folder / "scores.summary.json").exists()
    alone = score(folder / "model", expression, anyway=True)
    np.testing.assert_array_equal(alone["predicted"], table["predicted"])


def test_a_prediction_without_evidence_is_refused_and_options_of_classes_too(trained, cohort_files):
    from responder_ml.errors import BundleError
    from responder_ml.score import score

    folder, _ = trained
    expression, _ = _files(cohort_files)
    level = read_graded(folder / "run").result.verdict.level
    if level != "evidence":
        with pytest.raises(BundleError, match="add --anyway"):
            score(folder / "model", expression)
    with pytest.raises(BundleError, match="--prior is for models of two classes"):
        score(folder / "model", expression, prior=0.3, anyway=True)


def test_a_bundle_is_refused_where_two_classes_are_needed_and_when_it_is_damaged(trained, tmp_path):
    import shutil

    from responder_ml.bundles.bundle import read_bundle
    from responder_ml.bundles.graded_bundle import read_graded_bundle
    from responder_ml.errors import BundleError

    folder, _ = trained
    with pytest.raises(BundleError, match="predicts a graded outcome"):
        read_bundle(folder / "model")
    for name, change, message in (
        (
            "manifest.json",
            lambda text: text.replace(b'"kind": "score"', b'"kind": "other"'),
            "no bundle of a graded outcome",
        ),
        ("manifest.json", lambda text: text.replace(b'"concordance": 0.', b'"concordance": 1.'), "altered"),
        ("reference.npz", lambda text: text[:-7] + b"damaged", "checksum"),
        ("model.skops", lambda text: text[: len(text) // 2], "checksum"),
    ):
        copy = tmp_path / f"{name}-{len(message)}"
        shutil.copytree(folder / "model", copy)
        (copy / name).write_bytes(change((copy / name).read_bytes()))
        with pytest.raises(BundleError, match=message):
            read_graded_bundle(copy)


def test_the_second_job_on_the_same_data_says_so_everywhere(trained, tmp_path):
    from responder_ml.report.card import render_card
    from responder_ml.report.graded_card import describe_graded
    from responder_ml.tracking.graded_record import graded_record
    from responder_ml.tracking.items import Tag

    folder, _ = trained
    first = read_graded(folder / "run").result
    assert (first.jobs_on_data.run, first.jobs_on_data.jobs) == (1, 1)
    assert "on these data" not in first.verdict.sentence
    job = {**JOB, "regressors": ["ridge"], "builders": ["genes"]}
    for seed, run, jobs in ((7, 1, 1), (8, 2, 2), (7, 1, 2)):
        (tmp_path / "job.yaml").write_text(yaml.safe_dump({**job, "seed": seed, "cohort": _same_data(job, 7)}))
        arguments = ["train", str(tmp_path / "job.yaml"), "--out", str(tmp_path / "runs" / f"of-{seed}")]
        done = CliRunner().invoke(app, [*arguments, "--bundle", str(tmp_path / "model")])
        assert done.exit_code == 0, done.output
        trained_run = read_graded(tmp_path / "runs" / f"of-{seed}")
        counted = trained_run.result.jobs_on_data
        assert (counted.run, counted.jobs) == (run, jobs)
    sentence = trained_run.result.verdict.sentence
    assert sentence.endswith("Run 1 of 2 on these data.")
    assert trained_run.result.p_for_jobs == min(1.0, 2 * trained_run.result.null.p_value)
    assert "2 different jobs were asked of these data" in render_card(describe_graded(trained_run))
    assert "</data> different jobs were asked of these data" in (tmp_path / "runs" / "of-7" / PAGE).read_text()
    record = graded_record(trained_run, tmp_path / "runs" / "of-7", None)
    assert {item.key: item.value for item in record.items if isinstance(item, Tag)}["run_on_these_data"] == "1 of 2"


def _same_data(job, seed):
    """Return the section of a simulated cohort that does not change with the job's seed."""
    return {**job["cohort"], "params": {**job["cohort"]["params"], "seed": seed}}


def test_a_register_that_cannot_be_used_stops_nothing(tmp_path):
    from responder_ml.progress import Progress
    from responder_ml.train import count_jobs

    class Said(Progress):
        lines = ()

        def say(self, text):
            self.lines += (text,)

    (tmp_path / "file").write_text("")
    job, said = read_job(JOB, "job"), Said()
    graded = prepare_graded(job).graded
    assert count_jobs(job, graded.labelled, tmp_path / "file", said, graded.outcome) is None
    assert "were not counted" in said.lines[0]


def test_cages_are_kept_together_from_the_job_to_the_page(tmp_path):
    from responder_ml.report.card import render_card
    from responder_ml.report.graded_card import describe_graded

    params = {**JOB["cohort"]["params"], "cage_effect": 2.0}
    endpoint = {**JOB["endpoint"], "block": "cage"}
    job = {**JOB, "cohort": {**JOB["cohort"], "params": params}, "endpoint": endpoint, "regressors": ["ridge"]}
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
    arguments = [
        "train",
        str(tmp_path / "job.yaml"),
        "--out",
        str(tmp_path / "run"),
        "--bundle",
        str(tmp_path / "model"),
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    run = read_graded(tmp_path / "run")
    assert run.result.block == "cage"
    assert "cage" in run.result.strata
    assert any("stay together in every fold" in finding.message for finding in run.result.audit)
    predictions = run.tables["predictions"]
    # A stratum is a drug in a cage, or a cage, and lies in one fold of every repeat.
    assert (predictions.groupby(["repeat", "stratum"])["fold"].nunique() == 1).all()
    assert "Subjects of one cage stay together" in (tmp_path / "run" / PAGE).read_text()
    assert "- Kept together in every fold: cage" in render_card(describe_graded(run))
