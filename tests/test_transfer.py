"""The command `transfer`: cohorts cut by a column or from two jobs, and what is written."""

import json
import sys

import pandas as pd
import pytest
import yaml

from responder_ml import cli
from responder_ml.build import build_workers
from responder_ml.config import load_config
from responder_ml.errors import ConfigError, EndpointError, SampleSheetError
from responder_ml.job_sections import ComputeConfig
from responder_ml.report.transfer import render_transfer
from responder_ml.transfer import PAGE, RECORD, TABLE, transfer

JOB = {
    "name": "sim",
    "cohort": {
        "source": "simulated",
        "where": {"region": "PFC"},
        "params": {"n_genes": 300, "regions": ["PFC", "NAc"], "seed": 3},
    },
    "endpoint": {
        "column": "response",
        "positive": "responder",
        "negative": "non_responder",
        "strata": ["drug"],
    },
    "builders": [{"kind": "genes", "params": {"max_genes": 20}}],
    "classifiers": [{"kind": "nearest_centroid"}],
    "search": {"folds": 3, "repeats": 1, "inner_folds": 2, "trials": 2},
    "null": {"permutations": 4},
    "compute": {"workers": 1},
}


def _job(folder, file="job.yaml", **changes):
    path = folder / file
    path.write_text(yaml.safe_dump(JOB | changes))
    return path


def test_by_region_every_animal_is_in_both_and_the_files_agree(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    arguments = ["transfer", str(_job(tmp_path)), "--by", "region", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["responder-ml", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    printed = capsys.readouterr().out
    table = pd.read_csv(tmp_path / "out" / TABLE)
    record = json.loads((tmp_path / "out" / RECORD).read_text())
    page = (tmp_path / "out" / PAGE).read_text()
    assert table[["train", "test"]].to_numpy().tolist() == [
        ["PFC", "PFC"], ["PFC", "NAc"], ["NAc", "PFC"], ["NAc", "NAc"]
    ]  # fmt: skip
    assert (table["shared_subjects"] == 13).all()
    assert table["p_holm"].isna().tolist() == [True, False, False, True]
    assert record["rows"][0]["p_holm"] is None
    assert record["rows"][1]["auroc"] == pytest.approx(table["auroc"][1])
    assert record["simulated"] is True
    assert "Simulated data" in printed
    assert "does not restrict region" in printed
    for row in table.itertuples():
        assert f"{row.auroc:.2f}" in printed
        assert f"{row.auroc:.2f}" in page
    assert "Simulated data." in page
    assert "src=" not in page


def test_by_drug_no_animal_is_in_both_and_parts_without_both_classes_are_reported(tmp_path):
    record = transfer(load_config(_job(tmp_path)), by="drug")
    assert [(row.train, row.shared_subjects) for row in record.rows if row.train != row.test] == [
        ("imipramine", 0),
        ("ketamine", 0),
    ]
    assert any("saline is left out" in note for note in record.notes)
    assert record.between == "drug"


def test_another_job_is_the_other_side_and_animals_of_one_name_are_one(tmp_path):
    other = _job(tmp_path, "other.yaml", name="nac", cohort={**JOB["cohort"], "where": {"region": "NAc"}})
    record = transfer(load_config(_job(tmp_path)), to=load_config(other))
    assert [(row.train, row.test) for row in record.rows][1:3] == [("sim", "nac"), ("nac", "sim")]
    assert record.rows[1].shared_subjects == 13
    params = {**JOB["cohort"]["params"], "seed": 4}
    unrelated = _job(tmp_path, "unrelated.yaml", name="later", cohort={**JOB["cohort"], "params": params})
    with pytest.raises(EndpointError, match="give them different names"):
        transfer(load_config(_job(tmp_path)), to=load_config(unrelated))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({}, ConfigError, "--by"),
        ({"by": "mood"}, SampleSheetError, "no column 'mood'"),
        ({"by": "response"}, EndpointError, "two or more"),
        ({"to": JOB}, ConfigError, "own `name`"),
    ],
)
def test_what_cannot_be_compared_is_refused(options, error, words, tmp_path):
    job = load_config(_job(tmp_path))
    options = {**options, **({"to": job} if "to" in options else {})}
    with pytest.raises(error, match=words):
        transfer(job, **options)


def test_names_are_escaped_on_the_page(tmp_path):
    record = transfer(load_config(_job(tmp_path, null={"permutations": 0})), by="drug")
    page = render_transfer("<b>job</b>", record.question, record.between, record.rows, ("<i>note</i>",), False)
    assert "<b>job</b>" not in page
    assert "<i>note</i>" not in page
    assert "Simulated data." not in page


def test_the_workers_that_the_job_names_do_the_work(tmp_path, monkeypatch):
    computes = []

    def build(compute, store):
        computes.append(compute)
        return build_workers(ComputeConfig(workers=1))

    monkeypatch.setattr("responder_ml.transfer.build_workers", build)
    compute = {"scheduler": "tcp://cluster:8786"}
    transfer(load_config(_job(tmp_path, compute=compute, null={"permutations": 0})), by="drug")
    assert [config.scheduler for config in computes] == ["tcp://cluster:8786"]
