"""Replication of a job: the folder, who is the same animal, what is refused, and what a user reads."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from anndata import AnnData
from rich.console import Console
from typer.testing import CliRunner

import responder_ml
from responder_ml.cli import app
from responder_ml.commands.replicate import show_replication
from responder_ml.config import load_config
from responder_ml.contrasts.called_again import CallRule
from responder_ml.errors import ConfigError, GeneNameError, RunError
from responder_ml.records.replication import PAGE, read_replication
from responder_ml.replicate import (
    PreparedStudy,
    SecondPlan,
    StudySource,
    check_options,
    default_folder,
    match_animals,
    read_size,
    replicate,
)

GENES = 200


def _job(
    folder: Path, name: str, seed: int, *, effect=1.0, n=(6, 7), units="log2", subjects="m", where=None, **endpoint
):
    """Write a study whose true changes are the same for every seed, and its job."""
    true = effect * np.random.default_rng(0).normal(size=GENES)
    rng = np.random.default_rng(seed)
    positive = np.arange(sum(n)) < n[0]
    values = 8.0 + rng.normal(0.0, 0.8, (sum(n), GENES)) + np.outer(positive, true)
    if units == "counts":
        values = rng.poisson(2.0 ** (values + 2.0)).astype(float)
    obs = pd.DataFrame({
        "sample": [f"s{row:02d}" for row in range(sum(n))],
        "subject": [f"{subjects}{row:02d}" for row in range(sum(n))],
        "group": np.where(positive, "stress", "control"),
    }).set_index("sample")  # fmt: skip
    path = folder / f"{name}.h5ad"
    AnnData(values, obs=obs, var=pd.DataFrame(index=[f"g{gene:03d}" for gene in range(GENES)])).write_h5ad(path)
    return _write(folder, name, path, units, where, **endpoint)


def _write(folder, name, path, units="log2", where=None, **endpoint):
    job = {
        "name": name,
        "cohort": {"source": "h5ad", "expression": str(path), "units": units, "where": where or {}},
        "endpoint": {"column": "group", "positive": "stress", "negative": "control"} | endpoint,
        "builders": ["genes"],
        "classifiers": ["nearest_centroid"],
        "search": {"folds": 3, "repeats": 1, "trials": 0},
        "null": {"permutations": 19},
        "tracking": {"uri": f"sqlite:///{folder}/mlflow.db"},
        "compute": {"workers": 1},
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(job))
    return load_config(folder / f"{name}.yaml")


@pytest.fixture
def first(tmp_path):
    return StudySource(_job(tmp_path, "first", 1))


def test_a_study_that_has_not_been_done_is_told_and_the_folder_reads_back(first, tmp_path):
    run = replicate(first, None, tmp_path / "out", planned=SecondPlan((8, 8)))
    result = run.result
    assert (result.level, result.second, result.second_size) == ("expected", None, (8, 8))
    assert "a second study of 8 v 8" in result.sentence
    assert 0.5 < result.quantities[0].same_changes < 1.0
    assert result.quantities[0].no_effect == 0.0
    assert result.called.by_chance < result.called.expected <= result.called.first
    again = read_replication(tmp_path / "out")
    assert again.result == result
    assert [row["quantity"] for row in again.tables["replication"].to_dict("records")] == [
        row.quantity for row in result.quantities
    ]
    assert len(again.tables["genes"]) == result.genes == GENES
    page = (tmp_path / "out" / PAGE).read_text()
    assert "There is something to replicate" in page
    assert "not verified" in page


def test_a_second_study_is_compared_and_equal_seeds_give_equal_bytes(first, tmp_path):
    second = _job(tmp_path, "second", 2, n=(8, 8))
    for name in ("one", "other"):
        run = replicate(first, second, tmp_path / name, rule=CallRule(0.05, 0.5))
    for file in ("replication.csv", "genes.csv", "replication.json", PAGE):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()
    result = run.result
    assert result.level == "replicated"
    assert result.quantities[1].low > 0.7
    assert result.called.observed > result.called.by_chance
    assert result.called.chosen
    # Different data: one name is no sign of one animal, and the reader is told.
    assert result.shared_subjects == 0
    assert any("taken for different animals" in note for note in result.notes)
    assert "not verified" not in (tmp_path / "one" / PAGE).read_text()


def test_without_effect_there_is_nothing_to_replicate_and_it_says_so(tmp_path):
    quiet = StudySource(_job(tmp_path, "quiet", 3, effect=0.0))
    run = replicate(quiet, _job(tmp_path, "second", 2), tmp_path / "out")
    assert run.result.level == "nothing_to_replicate"
    assert run.result.sentence.startswith("There is nothing to replicate yet")
    assert "There is nothing to replicate yet." in (tmp_path / "out" / PAGE).read_text()


def test_subjects_of_the_same_file_are_recognised_by_name_and_copies_by_their_values(first, tmp_path):
    path = tmp_path / "first.h5ad"
    # Two contrasts of one file that share the controls.
    three = tmp_path / "three.h5ad"
    rng = np.random.default_rng(5)
    groups = np.repeat(["stress", "other", "control"], [5, 5, 6])
    obs = pd.DataFrame(
        {"subject": [f"a{row}" for row in range(16)], "group": groups}, index=[f"s{row}" for row in range(16)]
    )
    AnnData(rng.normal(8, 1, (16, GENES)), obs=obs, var=pd.DataFrame(index=[f"g{g}" for g in range(GENES)])).write_h5ad(
        three
    )
    stress = PreparedStudy.read(_write(tmp_path, "stress", three))
    other = PreparedStudy.read(_write(tmp_path, "other", three, positive="other"))
    partner, notes = match_animals(stress, other)
    assert int((partner >= 0).sum()) == 6
    assert "6 subjects are in both studies" in notes[0]
    run = replicate(StudySource(stress.job), other.job, tmp_path / "out")
    assert run.result.quantities[0].no_effect == pytest.approx(5 / 11, abs=0.1)
    assert run.result.quantities[0].p_value is None
    # The same values under other names, in another file.
    from anndata import read_h5ad

    renamed = read_h5ad(path)
    renamed.obs["subject"] = [f"x{row:02d}" for row in range(13)]
    renamed.obs_names = [f"t{row:02d}" for row in range(13)]
    renamed.write_h5ad(tmp_path / "copy.h5ad")
    copy = PreparedStudy.read(_write(tmp_path, "copy", tmp_path / "copy.h5ad"))
    partner, _ = match_animals(PreparedStudy.read(first.job), copy)
    np.testing.assert_array_equal(partner, np.arange(13))


def test_the_same_job_twice_is_refused(first, tmp_path):
    with pytest.raises(ConfigError, match="does not replicate itself"):
        replicate(first, first.job, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("planned", "rule", "message"),
    [
        (SecondPlan((2, 8)), CallRule(), "at least 3 subjects"),
        (SecondPlan(None, -1), CallRule(), "Give 0 or more"),
        (None, CallRule(0.0), "--call-p"),
        (None, CallRule(0.05, float("nan")), "--least-change"),
        (None, CallRule(0.05, -1.0), "--least-change"),
    ],
)
def test_options_out_of_range_are_refused_before_data_are_read(first, planned, rule, message):
    with pytest.raises(ConfigError, match=message):
        check_options(first.job, None, planned, rule)


def test_options_that_contradict_and_jobs_of_other_kinds_are_refused(first, tmp_path):
    with pytest.raises(ConfigError, match="has not been done"):
        check_options(first.job, first.job, SecondPlan(), CallRule())
    with pytest.raises(ConfigError, match="no more than either has"):
        replicate(first, None, tmp_path / "out", planned=SecondPlan((8, 5), 6))
    with pytest.raises(ConfigError, match="such as 8,8"):
        read_size("8")
    content = yaml.safe_load((tmp_path / "first.yaml").read_text())
    content["endpoint"] = {"column": "group", "classes": ["stress", "control", "third"]}
    (tmp_path / "classes.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match="two classes"):
        check_options(load_config(tmp_path / "classes.yaml"), None, None, CallRule())


def test_studies_of_other_identifiers_are_refused_and_other_units_are_not(first, tmp_path):
    from anndata import read_h5ad

    second = _job(tmp_path, "counts", 2, units="counts")
    run = replicate(first, second, tmp_path / "out")
    assert run.result.level == "replicated"
    foreign = read_h5ad(tmp_path / "counts.h5ad")
    foreign.var_names = ["g000", *[f"ENSG{gene:011d}" for gene in range(GENES - 1)]]
    foreign.write_h5ad(tmp_path / "foreign.h5ad")
    with pytest.raises(GeneNameError, match="orthologs"):
        replicate(first, _write(tmp_path, "foreign", tmp_path / "foreign.h5ad", "counts"), tmp_path / "none")


def test_three_a_class_and_extreme_scales_are_answered_honestly(tmp_path):
    small = StudySource(_job(tmp_path, "small", 1, n=(3, 3), effect=3.0))
    run = replicate(small, _job(tmp_path, "other", 2, n=(3, 3), effect=3.0, subjects="k"), tmp_path / "out")
    assert run.result.level == "undecided"
    assert "no p can be below 0.1" in run.result.sentence


def test_strata_with_one_subject_of_a_class_survive_the_jackknife(tmp_path):
    from anndata import read_h5ad

    for name, seed in (("a", 1), ("b", 2)):
        _job(tmp_path, name, seed)
        cohort = read_h5ad(tmp_path / f"{name}.h5ad")
        # The last stratum has one animal of each class: without one of them it says nothing.
        cohort.obs["litter"] = ["x", "x", "x", "x", "x", "y", "x", "x", "x", "x", "x", "x", "y"]
        cohort.write_h5ad(tmp_path / f"{name}.h5ad")
    jobs = [_write(tmp_path, name, tmp_path / f"{name}.h5ad", strata=["litter"]) for name in ("a", "b")]
    result = replicate(StudySource(jobs[0]), jobs[1], tmp_path / "out").result
    assert result.level == "replicated"
    assert result.first.adjusted == ("litter",)
    assert -1.0 < result.quantities[1].low < result.quantities[1].high <= 1.0


def test_a_run_brings_its_model_and_a_run_of_other_data_is_refused(tmp_path):
    runner = CliRunner()
    _job(tmp_path, "first", 1)
    _job(tmp_path, "second", 2, subjects="k")
    where = ["--out", str(tmp_path / "run"), "--bundle", str(tmp_path / "bundle")]
    trained = runner.invoke(app, ["train", str(tmp_path / "first.yaml"), *where])
    assert trained.exit_code == 0, trained.output
    arguments = [str(tmp_path / "run"), str(tmp_path / "second.yaml"), "--out", str(tmp_path / "out")]
    done = runner.invoke(app, ["replicate", *arguments])
    assert done.exit_code == 0, done.output
    model = read_replication(tmp_path / "out").result.model
    assert model.observed == 1.0
    assert 0.0 < model.low < model.high <= 1.0
    assert "none of which is in second study" in model.note
    _job(tmp_path, "first", 9)
    with pytest.raises(RunError, match="not those of its run"):
        replicate(StudySource.read(tmp_path / "run"), None, tmp_path / "other")


def test_the_command_prints_the_conclusion_and_where_to_look(first, tmp_path):
    arguments = ["--second-size", "8,8", "--shared-control", "7", "--least-change", "0.6", "--call-p", "0.01"]
    result = CliRunner().invoke(
        app, ["replicate", str(tmp_path / "first.yaml"), *arguments, "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "If the true changes are the same" in text
    assert PAGE in text
    told = read_replication(tmp_path / "out").result
    assert told.quantities[0].no_effect == pytest.approx((7 / 7 / 8) / np.sqrt((1 / 6 + 1 / 7) * (1 / 8 + 1 / 8)))
    assert (told.called.p, told.called.least_change) == (0.01, 0.6)
    refused = CliRunner().invoke(app, ["replicate", str(tmp_path / "none.yaml")])
    assert refused.exit_code != 0


def test_names_are_shown_and_never_obeyed(first, tmp_path):
    run = replicate(first, None, tmp_path / "out")
    text = io.StringIO()
    shown = run.result.model_copy(update={"sentence": "[red]x[/red]", "notes": ("[b]y[/b]",)})
    show_replication(Console(file=text, width=200), type(run)(shown, run.tables, run.config))
    assert "[red]x[/red]" in text.getvalue()
    assert "[b]y[/b]" in text.getvalue()


def test_the_default_folder_names_the_job_and_depends_on_what_was_asked(first):
    one, other = default_folder(first, None), default_folder(first, None, SecondPlan((9, 9)))
    assert one.parent.name == "replications"
    assert one.name.startswith("first-")
    assert one != other


def test_from_python_it_gives_what_the_command_gives(first, tmp_path):
    second = _job(tmp_path, "second", 2, n=(8, 8))
    expected = replicate(first, second, tmp_path / "command", rule=CallRule(0.01, 0.5))
    jobs = tmp_path / "first.yaml", tmp_path / "second.yaml"
    run = responder_ml.replicate(*jobs, p=0.01, least_change=0.5, out=tmp_path / "python")
    assert run.result == expected.result
    planned = responder_ml.replicate(first.job, second_size=(9, 7), shared_control=2, out=tmp_path / "planned")
    assert planned.result.second_size == (9, 7)
    assert planned.result.quantities[0].no_effect > 0.0


def test_from_python_a_run_brings_its_model(tmp_path):
    job, second = _job(tmp_path, "first", 1), _job(tmp_path, "second", 2, subjects="k")
    run = responder_ml.train(job, out=tmp_path / "run", bundle=tmp_path / "bundle", track=False)
    assert responder_ml.replicate(run, second, out=tmp_path / "out").result.model.observed == 1.0
