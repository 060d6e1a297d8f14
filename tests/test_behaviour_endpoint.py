"""A job whose classes are cut from a measured behaviour, end to end."""

import json

import pytest
import yaml

from responder_ml.config import load_config
from responder_ml.errors import ConfigError
from responder_ml.report.html import render_report
from responder_ml.train import train

JOB = {
    "name": "si",
    "cohort": {"source": "simulated", "where": {"region": "PFC"}, "params": {"n_genes": 600, "effect": 2.0}},
    "endpoint": {
        "column": "si_post",
        "positive": "approaching",
        "negative": "avoiding",
        "strata": ["drug"],
        "rule": {"cut": 1.0, "margin": 0.05},
        "among": {"drug": ["imipramine", "ketamine"]},
    },
    "builders": [
        {"kind": "genes", "params": {"max_genes": 40}},
        {"kind": "reference", "params": {"signatures": ["stress_axis"]}},
    ],
    "classifiers": [{"kind": "nearest_centroid"}],
    "search": {"folds": 3, "repeats": 2, "inner_folds": 2, "trials": 2},
    "null": {"permutations": 9},
    "compute": {"workers": 1},
}


def _job(folder, **endpoint):
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump({**JOB, "endpoint": JOB["endpoint"] | endpoint}))
    return load_config(path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("si")
    return folder, train(_job(folder), folder / "run", folder / "bundle")


@pytest.fixture(scope="module")
def page(trained):
    return render_report(trained[1])


def test_subjects_at_the_margin_are_left_out_and_counted(trained):
    folder, run = trained
    sheet = run.tables["samples"]
    assert ((sheet["si_post"] - 1.0).abs() >= 0.05 - 1e-9).all()
    assert (sheet["si_post_class"] == (sheet["si_post"] >= 1.0).map({True: "approaching", False: "avoiding"})).all()
    said = json.loads((folder / "run" / "result.json").read_text())["behaviour"]
    # Thirteen treated animals have a response in the simulated cohort.
    assert run.result.n.subjects + said["left_out"] == 13
    assert any(finding.code == "RML17" for finding in run.result.audit)


def test_predictions_are_compared_with_the_behaviour_itself(trained, page):
    behaviour = trained[1].result.behaviour
    assert (behaviour.column, behaviour.cut, behaviour.margin, behaviour.above) == ("si_post", 1.0, 0.05, "positive")
    assert -1 <= behaviour.agreement.within <= 1
    assert 0 < behaviour.agreement.within_p <= 1
    assert "Comparison with the measured behaviour" in page
    assert "Held-out log-odds of approaching against si_post" in page


def test_the_headline_is_shown_without_immediate_early_genes(trained, page):
    (without,) = trained[1].result.without
    assert set(without.genes) == {"Fos", "Arc", "Egr1", "Junb", "Npas4", "Dusp1"}
    assert 0 <= without.auroc <= 1
    assert "With and without immediate-early genes (" in page


def test_the_report_says_of_whom_it_was_asked(trained, page):
    assert trained[1].result.endpoint.among == {"drug": ["imipramine", "ketamine"]}
    assert "drug = imipramine or ketamine; other rows serve as references" in page


def test_cell_types_alone_are_a_baseline(trained):
    assert "cell-type markers" in [baseline.name for baseline in trained[1].result.baselines]


def test_a_wrong_key_of_the_rule_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"unknown key 'endpoint\.rule\.cutoff'\. Did you mean 'cut'"):
        _job(tmp_path, rule={"cutoff": 1.0})
