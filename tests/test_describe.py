import json

import mlcroissant
import pytest
import yaml
from typer.testing import CliRunner

from responder_ml.cli import app
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.cohort.write import write_cohort
from responder_ml.errors import ConfigError, RunError
from responder_ml.records.ownership import digest

# rdflib, with which the validator reads JSON-LD, warns of its own use of an old class.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
JOB = {
    "name": "pfc",
    "cohort": {
        "source": "table",
        "expression": "counts.tsv.gz",
        "samples": "samples.tsv",
        "columns": {"social ratio (µ)": "si_pre"},
        "where": {"region": "PFC"},
        "taken": "after",
    },
    "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder", "strata": ["drug"]},
    "builders": [{"kind": "genes"}],
    "classifiers": [{"kind": "nearest_centroid"}],
}


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(seed=7, n_genes=300, regions=["PFC"])


@pytest.fixture
def folder(cohort, tmp_path):
    write_cohort(cohort, tmp_path)
    return tmp_path


def _check(folder, *options, **changes):
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump({**JOB, **changes}))
    return CliRunner().invoke(app, ["check", str(path), *map(str, options)])


def _described(folder, **changes):
    done = _check(folder, "--croissant", folder / "croissant.json", **changes)
    assert done.exit_code == 0, done.output
    assert "add license, url, citeAs" in " ".join(done.output.split())
    return mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))


def test_the_validator_takes_it_and_reads_the_sheet_by_it(folder, cohort):
    dataset = _described(folder)
    assert not dataset.metadata.issues.errors
    records = list(dataset.records("samples"))
    assert len(records) == cohort.n_obs
    assert {record["samples/sample"].decode() for record in records} == set(cohort.obs["sample"])
    types = {field.name: str(field.data_types[0]) for field in dataset.metadata.record_sets[0].fields}
    assert types["rin"].endswith("Float")
    assert types["library_size"].endswith("Integer")
    assert types["response"].endswith("Text")
    assert "si_pre" not in types
    assert types["social ratio (µ)"].endswith("Float")


def test_files_are_known_by_their_checksums_and_nothing_of_their_content_is_there(folder, cohort):
    _described(folder)
    text = (folder / "croissant.json").read_text()
    content = json.loads(text)
    assert {file["name"]: file["sha256"] for file in content["distribution"]} == {
        name: digest((folder / name).read_bytes()) for name in ("counts.tsv.gz", "samples.tsv")
    }
    assert not [name for name in (*cohort.obs["sample"], *cohort.obs["subject"], *cohort.var_names) if name in text]
    assert "non_responder" not in text
    assert str(folder) not in text
    assert content["description"].startswith("Simulated data")
    assert "not prognosis" in content["description"]
    assert "license" not in content
    assert "url" not in content


def test_an_h5ad_file_and_several_files_are_described(folder, cohort):
    cohort.copy().write_h5ad(folder / "cohort.h5ad")
    source = {"source": "h5ad", "expression": "cohort.h5ad", "where": {"region": "PFC"}}
    dataset = _described(folder, cohort=source)
    assert not dataset.metadata.issues.errors
    assert [file.name for file in dataset.metadata.distribution] == ["cohort.h5ad"]
    half = cohort.n_obs // 2
    for name, part in (("a", cohort[:half]), ("b", cohort[half:])):
        (folder / name).mkdir()
        write_cohort(part.copy(), folder / name)
    source = {**JOB["cohort"], "expression": ["a/counts.tsv.gz", "b/counts.tsv.gz"]}
    dataset = _described(folder, cohort=source)
    content = json.loads((folder / "croissant.json").read_text())
    assert [file["contentUrl"] for file in content["distribution"]] == [
        "a/counts.tsv.gz",
        "b/counts.tsv.gz",
        "samples.tsv",
    ]
    assert [record["@id"] for record in content["recordSet"]] == ["samples", "expression", "expression-2"]


def test_other_peoples_files_are_not_written_over(folder):
    for name in ("job.yaml", "samples.tsv", "counts.tsv.gz", "README.txt"):
        before = (folder / name).read_bytes() if name != "job.yaml" else None
        done = _check(folder, "--croissant", folder / name)
        assert isinstance(done.exception, RunError)
        assert "--croissant" in str(done.exception)
        assert before is None or (folder / name).read_bytes() == before
    _described(folder)
    _described(folder)


def test_a_simulated_cohort_has_no_files_to_describe(folder):
    done = _check(
        folder, "--croissant", folder / "out.json", cohort={"source": "simulated", "where": {"region": "PFC"}}
    )
    assert isinstance(done.exception, ConfigError)
    assert "simulate --out" in str(done.exception)
    assert not (folder / "out.json").exists()
