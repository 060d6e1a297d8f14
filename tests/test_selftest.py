"""A self-test clears an honest procedure, and names a leaking one."""

import io
import json

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as some
from rich.console import Console
from scipy.stats import binomtest, ttest_1samp

from responder_ml import build
from responder_ml import selftest as module
from responder_ml.commands.selftest import show_selftest
from responder_ml.config import load_config
from responder_ml.errors import ConfigError, EndpointError, RunError
from responder_ml.features.builders import BUILDERS
from responder_ml.features.builders.genes import Genes, SharedGenes
from responder_ml.registry import Registry
from responder_ml.selftest import NegativeControl, SelfTest, selftest, shuffle_genes, write_selftest
from responder_ml.selftest_size import SelfTestSize
from responder_ml.statistics.training_sets import TrainingSets

SMALL = SelfTestSize(cohorts=6, permutations=19)


class SharedLeak(SharedGenes):
    """Ranks genes on every row of the cohort, the held-out ones included."""

    def rank(self, sets):
        return super().rank(TrainingSets(np.ones_like(sets.rows), sets.labels))


class LeakingGenes(Genes):
    """What people do who choose genes before they cross-validate."""

    name = "leaking_genes"

    def share(self, X, genes, context=None):
        return SharedLeak(self, X, genes)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")

    def load(builder="genes", **changes):
        content = {
            "name": "small",
            "cohort": {
                "source": "simulated",
                "where": {"region": "PFC", "response": ["responder", "non_responder"]},
                "params": {"n_genes": 600},
            },
            "endpoint": {
                "column": "response",
                "positive": "responder",
                "negative": "non_responder",
                "strata": ["drug"],
            },
            "builders": [{"kind": builder, "params": {"max_genes": 40}}],
            "classifiers": [{"kind": "nearest_centroid"}],
            "search": {"folds": 3, "repeats": 2, "inner_folds": 2, "trials": 1},
            "compute": {"workers": 1},
            "seed": 1,
            **changes,
        }
        (folder / "job.yaml").write_text(yaml.safe_dump(content))
        return load_config(folder / "job.yaml")

    return load


@pytest.fixture(scope="module")
def honest(job):
    return selftest(job(), SMALL)


def _control(aurocs, p_values=(0.3, 0.6, 0.9, 1.0, 0.5), kind="noise"):
    return NegativeControl(kind, np.array(aurocs, dtype=float), np.array(p_values, dtype=float), 0.05)


def _printed(result):
    written = io.StringIO()
    show_selftest(Console(width=80, file=written), result)
    return written.getvalue()


def test_an_honest_procedure_is_cleared(honest):
    assert not honest.leaks
    assert "No leak found" in honest.sentence
    assert "No leak found" in _printed(honest)
    assert [control.kind for control in honest.controls] == ["relabelled", "noise"]
    for control in honest.controls:
        assert control.aurocs.shape == control.p_values.shape == (6,)
        assert len(set(control.aurocs)) > 1
        assert 0.2 < control.mean < 0.8


def test_genes_chosen_on_all_subjects_are_caught(job, monkeypatch):
    monkeypatch.setattr(build, "BUILDERS", Registry("builder", (*BUILDERS, LeakingGenes)))
    result = selftest(job("leaking_genes"), SMALL)
    assert result.leaks
    assert all(control.auroc_leaks and control.mean > 0.8 for control in result.controls)
    # The null leaks alike, so p alone would have said that all is well.
    assert not any(control.p_leaks for control in result.controls)
    assert "The procedure leaks" in result.sentence
    assert "The procedure leaks" in _printed(result).replace("\n", " ")


def test_an_observed_search_that_knows_more_than_its_null_is_caught_by_p(job, monkeypatch):
    class Cheat(module.Procedure):
        def observe(self, labels, repeats=None, on_progress=None):
            result = super().observe(labels, repeats, on_progress)
            result.auto.decisions[:] = 20.0 * labels - 10.0
            return result

    monkeypatch.setattr(module, "Procedure", Cheat)
    result = selftest(job(), SMALL)
    assert all(control.p_leaks for control in result.controls)
    assert "p is at most 0.05 in 6 of 6" in result.sentence


def test_the_same_seed_gives_the_same_cohorts(job, honest):
    for control, again in zip(honest.controls, selftest(job(), SMALL).controls, strict=True):
        np.testing.assert_array_equal(control.aurocs, again.aurocs)
        np.testing.assert_array_equal(control.p_values, again.p_values)


@settings(max_examples=30, deadline=None)
@given(some.integers(2, 9), some.integers(1, 6), some.integers(0, 2**31))
def test_noise_keeps_every_genes_values(samples, genes, seed):
    counts = np.random.default_rng(seed).poisson(5, (samples, genes)).astype(float)
    shuffled = shuffle_genes(counts, np.random.default_rng(seed + 1))
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(counts, axis=0))


def test_noise_breaks_genes_apart(rng):
    together = np.repeat(rng.normal(size=(200, 1)), 2, axis=1)
    shuffled = shuffle_genes(together, rng)
    assert abs(np.corrcoef(shuffled.T)[0, 1]) < 0.3
    assert not np.array_equal(shuffled, together)


@pytest.mark.parametrize("aurocs", [[0.5, 0.6, 0.7, 0.65, 0.8], [0.5, 0.6, 0.4, 0.45, 0.55], [0.9, 0.4, 0.7, 0.5, 0.6]])
def test_the_band_is_a_one_sided_t_test_at_one_percent(aurocs):
    expected = ttest_1samp(aurocs, 0.5, alternative="greater").pvalue < 0.01
    assert _control(aurocs).auroc_leaks == expected


def test_perfect_scores_without_any_spread_are_a_leak_and_plain_chance_is_none():
    assert _control([1.0] * 5).auroc_leaks
    assert not _control([0.5] * 5).auroc_leaks


def test_small_p_are_counted_against_the_binomial():
    size = 20
    limit = next(k for k in range(size) if binomtest(k, size, 0.05, alternative="greater").pvalue < 0.01) - 1
    for count in (limit, limit + 1):
        control = _control([0.5] * size, [0.05] * count + [0.8] * (size - count))
        assert control.most_small == limit
        assert control.small == count
        assert control.p_leaks is (count > limit)
        interval = binomtest(count, size).proportion_ci(method="exact")
        assert control.small_interval == pytest.approx((interval.low, interval.high))


def test_the_interval_reaches_the_ends():
    assert _control([0.5] * 5, [0.01] * 5).small_interval[1] == 1.0
    assert _control([0.5] * 5).small_interval[0] == 0.0


def test_worse_than_a_coin_is_said_and_is_no_leak():
    low = _control([0.2, 0.22, 0.18, 0.2, 0.21])
    result = SelfTest("job", 1, SMALL, (low, _control([0.4, 0.6, 0.5, 0.45, 0.55], kind="relabelled")))
    assert not result.leaks
    assert "mean AUROC of noise cohorts is below" in result.sentence


def test_what_is_written_is_what_was_found(tmp_path):
    result = SelfTest("job", 1, SMALL, (_control([0.4, 0.6, 0.5, 0.45, 0.55]), _control([1.0] * 5)))
    write_selftest(result, tmp_path / "new" / "selftest.json")
    record = json.loads((tmp_path / "new" / "selftest.json").read_text())
    assert record["leaks"] is True
    assert record["sentence"] == result.sentence
    assert record["challenges"][0]["aurocs"] == [0.4, 0.6, 0.5, 0.45, 0.55]
    assert [challenge["leaks"] for challenge in record["challenges"]] == [False, True]
    with pytest.raises(RunError, match="could not be written"):
        write_selftest(result, tmp_path)


@pytest.mark.parametrize("options", [{"cohorts": 4}, {"permutations": 0}])
def test_too_little_work_is_refused(options):
    with pytest.raises(ConfigError, match="needs at least"):
        SelfTestSize(**options)


def test_relabellings_too_few_for_the_level_are_refused(job):
    with pytest.raises(ConfigError, match="at least 19"):
        selftest(job(), SelfTestSize(permutations=18))
    with pytest.raises(ConfigError, match="at least 99"):
        selftest(job(null={"alpha": 0.01}), SMALL)


def test_a_class_too_small_is_refused_as_in_train(job):
    endpoint = {"column": "phenotype", "positive": "resilient", "negative": "control"}
    cohort = {
        "source": "simulated",
        "where": {"region": "PFC", "drug": "saline"},
        "params": {"n_genes": 300, "cells": {"resilient/saline/none": 2, "control/saline/none": 4}},
    }
    with pytest.raises(EndpointError, match="at least 3"):
        selftest(job(endpoint=endpoint, cohort=cohort), SMALL)
