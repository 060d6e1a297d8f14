import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from responder_ml import memory
from responder_ml.cli import app
from responder_ml.config import JobConfig
from responder_ml.job_size import size_note
from responder_ml.progress import Progress
from responder_ml.train import train


@pytest.fixture
def job(tmp_path, rng):
    genes, samples = [f"Gene{index}" for index in range(200)], [f"s{index}" for index in range(16)]
    counts = rng.poisson(100, (200, 16))
    pd.DataFrame(counts, index=genes, columns=samples).to_csv(tmp_path / "counts.tsv", sep="\t", index_label="gene")
    sheet = pd.DataFrame({"sample": samples, "response": np.tile(["yes", "no"], 8)})
    sheet.to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    return JobConfig.model_validate(
        {
            "name": "sized",
            "cohort": {
                "source": "table",
                "expression": tmp_path / "counts.tsv",
                "samples": tmp_path / "samples.tsv",
                "units": "counts",
            },
            "endpoint": {"column": "response", "positive": "yes", "negative": "no"},
            "builders": [{"kind": "genes"}],
            "classifiers": [{"kind": "nearest_centroid"}],
            "tracking": {"enabled": False},
            "compute": {"workers": 1},
        }
    )


@pytest.fixture
def little(monkeypatch):
    """A machine on which every cohort is large."""
    monkeypatch.setattr(memory, "free_bytes", lambda: 10**6)


class Heard(Progress):
    def __init__(self):
        self.sentences = []

    def say(self, text):
        self.sentences.append(text)


def _interrupt(*arguments, **options):
    raise InterruptedError


def test_training_says_what_it_needs_before_it_reads(job, little, tmp_path, monkeypatch):
    monkeypatch.setattr("responder_ml.cohort.read.read_table", _interrupt)
    heard = Heard()
    with pytest.raises(InterruptedError):
        train(job, tmp_path / "run", tmp_path / "bundle", heard)
    [note] = heard.sentences
    assert note.startswith(
        "About 201 x 16 values with 1 process(es) at work need up to 0.6 GB of memory, but only 0.0 GB"
    )


def test_check_says_it_too_and_once(job, little, tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(job.model_dump_json())
    answer = CliRunner().invoke(app, ["check", str(path)], catch_exceptions=False)
    assert answer.output.count("at work need up to") == 1
    assert answer.output.startswith("About 201 x 16 values")


def test_what_files_do_not_tell_is_said_after_reading(job, little, tmp_path, monkeypatch):
    simulated = {"source": "simulated", "params": {"n_genes": 300, "regions": ["PFC"]}}
    endpoint = {"column": "response", "positive": "responder", "negative": "non_responder"}
    content = {**job.model_dump(mode="json"), "cohort": simulated, "endpoint": endpoint}
    job = JobConfig.model_validate(content)
    path = tmp_path / "job.json"
    path.write_text(job.model_dump_json())
    answer = CliRunner().invoke(app, ["check", str(path)], catch_exceptions=False)
    assert answer.output.count("samples x 300 genes with 1 process(es) at work need up to") == 1
    # The package shows the function in place of the module of the same name.
    monkeypatch.setattr(sys.modules[train.__module__], "run_procedure", _interrupt)
    heard = Heard()
    with pytest.raises(InterruptedError):
        train(job, tmp_path / "run", tmp_path / "bundle", heard)
    assert "samples x 300 genes with 1 process(es)" in heard.sentences[-1]


def test_a_cluster_has_its_own_memory(job, little):
    assert size_note(job)
    on_cluster = job.model_copy(update={"compute": job.compute.model_copy(update={"scheduler": "tcp://head:8786"})})
    assert size_note(on_cluster) == ""
