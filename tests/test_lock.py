"""The command `lock`: nothing is trained, and the verdict of the training names the lock."""

import pytest
import yaml
from typer.testing import CliRunner

from responder_ml.cli import app
from responder_ml.config import load_config
from responder_ml.errors import ConfigError
from responder_ml.lock import lock
from responder_ml.train import train

JOB = {
    "name": "tiny",
    "cohort": {"source": "simulated", "where": {"region": "PFC"}, "params": {"n_genes": 300, "effect": 2.0}},
    "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"},
    "builders": [{"kind": "genes"}],
    "classifiers": [{"kind": "nearest_centroid"}],
    "search": {"folds": 3, "repeats": 1, "trials": 0},
    "null": {"permutations": 19},
    "compute": {"workers": 1},
}


def _file(folder, **changes):
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(JOB | changes))
    return path


def test_a_locked_job_says_so_and_another_one_does_not(tmp_path):
    printed = CliRunner().invoke(app, ["lock", str(_file(tmp_path)), "--runs", str(tmp_path / "runs")])
    assert printed.exit_code == 0, printed.output
    assert "Deposit this digest" in printed.output
    assert [path.name for path in (tmp_path / "runs").iterdir() if not path.name.startswith(".")] == []
    run = train(load_config(_file(tmp_path)), tmp_path / "runs" / "run", tmp_path / "bundle")
    assert run.result.lock.digest in printed.output.replace("\n", "")
    assert run.result.lock.before_first_run
    assert run.result.verdict.sentence.endswith(f"Locked on {run.result.lock.time[:10]}, before it first ran.")
    for page in ("report.html", "card.md"):
        assert run.result.lock.digest[:16] in (tmp_path / "runs" / "run" / page).read_text()
    other = train(load_config(_file(tmp_path, seed=8)), tmp_path / "runs" / "other", tmp_path / "other")
    assert other.result.lock is None
    assert "Locked" not in other.result.verdict.sentence
    late = CliRunner().invoke(app, ["lock", str(_file(tmp_path, seed=8)), "--runs", str(tmp_path / "runs")])
    assert "had already run" in late.output


def test_only_two_classes_are_locked(tmp_path):
    endpoint = {"column": "phenotype", "classes": ["control", "resilient", "susceptible"]}
    with pytest.raises(ConfigError, match=r"A lock needs two classes\. endpoint.classes names several"):
        lock(load_config(_file(tmp_path, endpoint=endpoint)), tmp_path / "runs")
