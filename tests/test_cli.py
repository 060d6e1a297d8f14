"""The command line: what a user's mistake looks like, and that nothing is left behind by one."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import typer
import yaml

from responder_ml import build, cli

GENES = ("Gad1", "Sst", "Bdnf", "Fos", "Egr1", "Arc", "Npas4", "Vgf")
COMMANDS = sorted(typer.main.get_command(cli.app).commands)


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run a command as a user does, in an empty folder; return exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["responder-ml", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return call


class Job:
    """A small cohort as files; a test spoils one thing."""

    def __init__(self, folder):
        rng = np.random.default_rng(5)
        self.folder = folder
        samples = [f"s{index:02d}" for index in range(16)]
        self.counts = pd.DataFrame(rng.poisson(200, (len(GENES), 16)), index=list(GENES), columns=samples).astype(
            object
        )
        self.sheet = pd.DataFrame(
            {
                "sample_id": samples,
                "animal": [f"m{index % 8}" for index in range(16)],
                "region": ["PFC"] * 8 + ["NAc"] * 8,
                "response": [("responder", "non_responder")[index % 2] for index in range(16)],
                "batch": ["run1", "run2"] * 8,
            }
        )
        self.content = {
            "name": "pfc",
            "cohort": {
                "source": "table",
                "expression": "counts.tsv",
                "samples": "samples.csv",
                "units": "counts",
                "columns": {"sample": "sample_id", "subject": "animal"},
                "where": {"region": "PFC"},
            },
            "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"},
            "builders": [{"kind": "genes"}],
            "classifiers": [{"kind": "nearest_centroid"}],
            "search": {"folds": 2, "repeats": 1, "inner_folds": 2, "trials": 1},
            "null": {"permutations": 19},
            "tracking": {"enabled": False},
            "compute": {"workers": 1},
        }

    @property
    def cohort(self):
        return self.content["cohort"]

    @property
    def endpoint(self):
        return self.content["endpoint"]

    def write(self):
        self.folder.mkdir()
        self.counts.to_csv(self.folder / "counts.tsv", sep="\t", index_label="gene")
        self.sheet.to_csv(self.folder / "samples.csv", index=False)
        (self.folder / "job.yaml").write_text(yaml.safe_dump(self.content))
        return self.folder / "job.yaml"


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path / "data")


def _unknown_key(job):
    job.content["serach"] = job.content.pop("search")


def _unknown_nested_key(job):
    job.content["search"] = {"fold": 3}


def _unknown_builder(job):
    job.content["builders"] = [{"kind": "gene"}]


def _unknown_parameter(job):
    job.content["builders"] = [{"kind": "genes", "params": {"max_gene": 5}}]


def _impossible_value(job):
    job.content["search"]["folds"] = 1


def _missing_file(job):
    job.cohort["expression"] = "lost.tsv"


def _missing_sheet_column(job):
    job.cohort["columns"]["subject"] = "animal_id"


def _missing_endpoint_column(job):
    job.endpoint["column"] = "outcome"


def _missing_nuisance_column(job):
    job.endpoint["nuisance"] = ["rin"]


def _unmatched_samples(job):
    job.sheet.loc[2, "sample_id"] = "S02"
    job.sheet.loc[4, "sample_id"] = "S04"


def _no_sample_matches(job):
    job.sheet["sample_id"] = [f"library{index}" for index in range(16)]


def _duplicate_samples_in_the_sheet(job):
    job.sheet.loc[3, "sample_id"] = "s02"


def _duplicate_samples_in_the_matrix(job):
    job.counts.columns = [*job.counts.columns[:-1], "s03"]
    job.sheet = job.sheet.iloc[:-1]


def _genes_turned_into_dates(job):
    job.counts.index = ["1-Mar", "2-Sep", *GENES[2:]]


def _duplicate_genes(job):
    job.counts.index = ["Gad1", "Gad1", *GENES[2:]]


def _text_in_the_matrix(job):
    job.counts.iloc[2, 3] = "low"


def _negative_counts(job):
    job.counts.iloc[1, 2] = -4


def _fractions_for_counts(job):
    job.counts = job.counts + 0.5


def _value_that_does_not_occur(job):
    job.endpoint["positive"] = "Responder"


def _class_missing_from_a_region(job):
    job.sheet.loc[job.sheet["region"] == "NAc", "response"] = "responder"
    job.sheet["animal"] = [f"m{index}" for index in range(16)]
    job.cohort["where"] = {"region": "NAc"}


def _region_that_does_not_occur(job):
    job.cohort["where"] = {"region": "AMY"}


def _too_few_subjects(job):
    job.sheet.loc[[1, 3], "response"] = "undefined"


def _subject_in_both_classes(job):
    job.sheet["animal"] = ["m0", "m0", *job.sheet["animal"][2:]]


def _subject_unknown(job):
    job.sheet.loc[1, "animal"] = "unknown"


def _null_repeats(job):
    job.content["null"] = {"permutations": 19, "repeats": 1}


def _null_stop_after(job):
    job.content["null"] = {"stop_after": 20}


def _null_of_some(job):
    job.content["null"] = {"permutations": "some"}


def _null_below_none(job):
    job.content["null"] = {"permutations": -1}


MISTAKES = [
    (_unknown_key, ["unknown key 'serach'", "Did you mean 'search'?"]),
    (_null_repeats, ["'null.repeats' is a key of earlier versions", "runs all repeats of the search"]),
    (_null_stop_after, ["'null.stop_after' is a key of earlier versions", "null.permutations (a number, or auto)"]),
    (_null_of_some, ["'null.permutations' is 'some'", "write auto, or the most relabellings"]),
    (_null_below_none, ["'null.permutations' is -1", "write auto, or the most relabellings"]),
    (_unknown_nested_key, ["unknown key 'search.fold'", "Did you mean 'folds'?"]),
    (_unknown_builder, ["no builder 'gene'", "Did you mean 'genes'?"]),
    (_unknown_parameter, ["no parameter 'max_gene'", "Did you mean 'max_genes'?"]),
    (_impossible_value, ["'search.folds' is 1", "greater than or equal to 2"]),
    (_missing_file, ["lost.tsv", "no such file"]),
    (_missing_sheet_column, ["no column 'animal_id'", "Did you mean 'animal'?"]),
    (_missing_endpoint_column, ["outcome", "It has: ", "response"]),
    (_missing_nuisance_column, ["rin", "batch"]),
    (_unmatched_samples, ["no library in the matrix for a row of the sheet", "S02", "S04"]),
    (_no_sample_matches, ["library0", "s00"]),
    (_duplicate_samples_in_the_sheet, ["1 sample id(s) occur more than once", "s02"]),
    (_duplicate_samples_in_the_matrix, ["1 sample(s) occur more than once", "s03"]),
    (_genes_turned_into_dates, ["2 gene name(s)", "1-Mar", "2-Sep", "Export the matrix"]),
    (_duplicate_genes, ["1 gene name(s) occur more than once", "Gad1"]),
    (_text_in_the_matrix, ["low", "Bdnf", "s03"]),
    (_negative_counts, ["1 value(s) are negative", "gene 'Sst', sample 's02', -4"]),
    (_fractions_for_counts, ["not whole numbers", "look normalised"]),
    (_value_that_does_not_occur, ["No sample has 'Responder' in 'response'", "non_responder"]),
    (_class_missing_from_a_region, ["No sample has 'non_responder' in 'response'", "occur: responder"]),
    (_region_that_does_not_occur, ["AMY", "NAc", "PFC"]),
    (_too_few_subjects, ["4 positive and 2 negative subjects", "at least 3"]),
    (_subject_in_both_classes, ["1 subject(s) carry both", "m0"]),
    (_subject_unknown, ["have no subject", "unknown"]),
]


def _files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize(("spoil", "words"), MISTAKES, ids=[spoil.__name__[1:] for spoil, _ in MISTAKES])
def test_a_mistake_ends_in_one_message_and_nothing_written(run, job, tmp_path, spoil, words):
    spoil(job)
    config = job.write()
    before = _files(tmp_path)
    code, out, err = run("train", config)
    assert (code, out) == (2, "")
    assert err.count("Error:") == 1
    assert err.startswith("Error: ")
    assert "Traceback" not in err
    for word in words:
        assert word in err
    assert _files(tmp_path) == before


def test_check_and_train_refuse_alike(run, job):
    _negative_counts(job)
    config = job.write()
    assert run("check", config) == run("train", config)


def test_the_unspoilt_job_passes(run, job, tmp_path):
    config = job.write()
    before = _files(tmp_path)
    code, out, err = run("check", config)
    assert (code, err) == (0, "")
    assert "pfc: responder (4) against non_responder (4), 8 subjects" in out
    assert _files(tmp_path) == before


def test_a_null_without_quotes_is_the_null(run, job):
    config = job.write()
    config.write_text(config.read_text().replace("'null':", "null:"))
    code, out, _ = run("check", config)
    assert code == 0
    assert "of which null.permutations allows 19" in out


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no file"), ("name: [", "could not be read as YAML"), ("", "holds no keys"), ("- a", "holds no keys")],
)
def test_a_broken_configuration_is_a_mistake(run, tmp_path, content, words):
    if content is not None:
        (tmp_path / "job.yaml").write_text(content)
    code, out, err = run("check", tmp_path / "job.yaml")
    assert (code, out) == (2, "")
    assert words in err


def test_every_finding_of_a_configuration_comes_at_once(run, job):
    _unknown_key(job)
    job.endpoint.pop("column")
    _, _, err = run("check", job.write())
    assert "serach" in err
    assert "'endpoint.column' is missing" in err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run, command):
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert f"{command} [OPTIONS]" in out


def test_the_commands_are_those_of_the_design():
    assert set(COMMANDS) >= {
        "check",
        "train",
        "compare",
        "plan",
        "selftest",
        "simulate",
        "list",
        "ui",
        "report",
        "track",
    }


def test_help_tells_the_defaults_where_they_live(run):
    from responder_ml.selftest_size import SelfTestSize

    _, out, _ = run("selftest", "--help")
    for value in (SelfTestSize.cohorts, SelfTestSize.permutations):
        assert f"(default: {value})" in " ".join(out.replace("│", " ").split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("trian", "job.yaml"),
        ("plan", "--positive", "six"),
        ("compare",),
        ("selftest", "job.yaml", "--cohort", "4x"),
    ],
)
def test_a_command_that_cannot_be_read_is_a_mistake(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan",), "nothing to plan with"),
        (("plan", "--positive", "3", "--negative", "4", "--strata", "3-4"), "such as 3/3,3/4"),
        (("plan", "--config", "data/job.yaml", "--positive", "3"), "Leave out --positive"),
        (("selftest", "data/job.yaml", "--cohorts", "2"), "cohorts is 2, but a self-test needs at least 5"),
        (("compare", "nowhere"), "nowhere is not a run"),
        (("report", "nowhere"), "nowhere is not a run"),
        (("track", "nowhere"), "nowhere is not a run"),
        (("simulate", "--out", "data"), "data"),
    ],
)
def test_mistakes_of_the_other_commands(run, job, tmp_path, arguments, words):
    job.write()
    before = _files(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.count("Error:") == 1
    assert words in err
    assert _files(tmp_path) == before


def test_words_in_brackets_are_not_markup(run, job):
    job.endpoint["positive"] = "[bold]"
    _, _, err = run("check", job.write())
    assert "No sample has '[bold]'" in err


def test_a_bug_keeps_its_traceback(run, job, monkeypatch):
    def broken(job):
        raise RuntimeError("a bug")

    monkeypatch.setattr(build, "prepare_job", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        run("check", job.write())


def test_list_names_every_family(run):
    code, out, _ = run("list")
    assert code == 0
    for name in ("genes", "singscore", "elastic_net", "doi:"):
        assert name in out


def _cohort_without_effect(*arguments):
    return 0.4 + 0.04 * arguments[-1], 0.5


def test_selftest_through_the_command(run, job, monkeypatch, tmp_path):
    from responder_ml import selftest

    monkeypatch.setattr(selftest, "_run_cohort", _cohort_without_effect)
    code, out, err = run("selftest", job.write(), "--cohorts", "6", "--permutations", "39", "--out", "found.json")
    assert (code, err) == (0, "")
    assert "pfc: 6 cohorts without effect of each kind, at most 39 relabellings" in out
    assert "No leak found" in out
    assert json.loads((tmp_path / "found.json").read_text())["effort"]["cohorts"] == 6


def test_the_version_is_printed(run):
    from responder_ml import __version__

    assert run("--version") == (0, f"responder-ml {__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("job.yaml", "--example", "pfc")])
def test_train_takes_a_file_or_an_example(run, arguments):
    code, _, err = run("train", *arguments)
    assert code == 2
    assert "not both. Examples: amy" in err
