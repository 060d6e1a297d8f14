"""A job under several seeds: the same data, the verdict that ``train`` reaches, and whether a seed turns it."""

import io

import pytest
import yaml
from rich.console import Console

from responder_ml import selftest_seeds
from responder_ml.build import prepare_job
from responder_ml.commands.selftest import _show_seeds
from responder_ml.config import load_config
from responder_ml.errors import ConfigError
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.verdict import Verdict
from responder_ml.progress import Clock, Progress
from responder_ml.search.workers import Workers
from responder_ml.selftest_seeds import SeedVerdict, describe_seeds, judge_seeds
from responder_ml.selftest_size import SelfTestSize
from responder_ml.train import run_procedure

JOB = {
    "name": "small",
    "cohort": {"source": "simulated", "where": {"region": "PFC"}, "params": {"n_genes": 300}},
    "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"},
    "builders": [{"kind": "genes"}],
    "classifiers": [{"kind": "nearest_centroid"}],
    "search": {"folds": 3, "repeats": 2, "trials": 0},
    "null": {"permutations": 30},
    "tracking": {"enabled": False},
    "compute": {"workers": 1},
    "seed": 4,
}


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    path = tmp_path_factory.mktemp("job") / "job.yaml"
    path.write_text(yaml.safe_dump(JOB))
    return load_config(path)


@pytest.fixture(scope="module")
def verdicts(job):
    return judge_seeds(job, 3, Progress())


def test_the_jobs_own_seed_comes_first_and_gives_what_train_gives(job, verdicts):
    assert [verdict.seed for verdict in verdicts] == [4, 5, 6]
    outcome = run_procedure(job, prepare_job(job), Workers(1), Progress(), Clock())
    assert verdicts[0].auroc == auroc(outcome.observed.auto)
    assert verdicts[0].p_value == outcome.evidence.null.p_value
    assert verdicts[0].verdict == outcome.evidence.verdict


def test_every_seed_sees_the_cohort_of_the_jobs_own_seed(job, monkeypatch):
    seen = []
    prepare_job = selftest_seeds.prepare_job

    def spy(job, cohort):
        seen.append((job.seed, cohort.X.sum()))
        return prepare_job(job, cohort)

    monkeypatch.setattr(selftest_seeds, "prepare_job", spy)
    judge_seeds(job.model_copy(update={"null": job.null.model_copy(update={"permutations": 0})}), 2, Progress())
    assert [seed for seed, _ in seen] == [4, 5]
    assert len({total for _, total in seen}) == 1


def test_splits_differ_between_seeds(verdicts):
    assert len({verdict.auroc for verdict in verdicts}) > 1


def _verdicts(*levels):
    return tuple(SeedVerdict(seed, 0.7, None, Verdict(level, ".")) for seed, level in enumerate(levels))


def test_the_sentence_says_whether_the_seed_turns_the_verdict():
    assert describe_seeds(_verdicts("no_evidence", "no_evidence")) == "All 2 seeds give the same verdict: no evidence."
    assert "turns the verdict: evidence (2), no evidence (1)" in describe_seeds(
        _verdicts("evidence", "no_evidence", "evidence")
    )


def test_the_console_shows_a_row_for_every_seed():
    text = io.StringIO()
    _show_seeds(Console(file=text, width=100), _verdicts("evidence", "no_evidence"))
    assert "no evidence" in text.getvalue()
    assert "not run" in text.getvalue()


def test_one_seed_is_refused():
    with pytest.raises(ConfigError, match="seeds is 1"):
        SelfTestSize(seeds=1)
