"""The whole job on real public data: a real difference, two traps, and no signal where there is none."""

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from responder_ml.build import prepare_job
from responder_ml.config import load_config
from responder_ml.score import score
from responder_ml.train import train

pytestmark = pytest.mark.shared


@pytest.fixture
def run_job(tmp_path):
    def run(
        name,
        cohort,
        endpoint,
        classifiers=("elastic_net", "nearest_centroid"),
        permutations="auto",
        repeats=2,
        trials=0,
    ):
        job = {
            "name": name,
            "cohort": {"source": "table", **cohort},
            "endpoint": endpoint,
            "builders": [{"kind": "genes"}],
            "classifiers": [{"kind": kind} for kind in classifiers],
            "search": {"folds": 5, "repeats": repeats, "inner_folds": 3, "trials": trials},
            "null": {"permutations": permutations},
            "compute": {"workers": 1},
        }
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(job))
        loaded = load_config(path)
        return train(loaded, tmp_path / name, tmp_path / f"{name}-bundle"), prepare_job(loaded)

    return run


def _cvs(shared_data, region):
    folder = shared_data / "gse102556_mouse_cvs"
    return {
        "expression": str(folder / "expression_counts.tsv.gz"),
        "samples": str(folder / "samples.tsv"),
        "units": "counts",
        "columns": {"sample": "sample_id"},
        "where": {"region": region},
    }


STRESS = {"column": "group", "positive": "stress_CVS", "negative": "control", "strata": ["sex"]}


def test_stress_in_nucleus_accumbens_is_evidence(shared_data, run_job):
    run, _ = run_job("nac", _cvs(shared_data, "NAc"), STRESS)
    assert run.result.headline.auroc >= 0.90
    assert run.result.verdict.level == "evidence"


def test_stress_in_prefrontal_cortex_cannot_be_told_from_read_length(shared_data, run_job):
    run, prepared = run_job("pfc", _cvs(shared_data, "PFC"), {**STRESS, "nuisance": ["avg_spot_len"]})
    # Read length nearly is the class: all but four controls were sequenced at 100 bases, and no stressed animal was.
    assert run.result.verdict.level == "not_separable"
    assert "avg_spot_len" in run.result.verdict.sentence
    assert any("avg_spot_len" in finding.message for finding in prepared.findings)


def test_duloxetine_response_before_treatment_shows_nothing(shared_data, run_job):
    folder = shared_data / "gse146446_duloxetine"
    cohort = {
        "expression": str(folder / "expression_vst.tsv.gz"),
        "samples": str(folder / "samples.tsv"),
        "units": "log2",
        "columns": {"sample": "sample_id", "subject": "subject_id"},
    }
    run, _ = run_job("duloxetine", cohort, {"column": "response", "positive": "1", "negative": "0"})
    assert 0.35 <= run.result.headline.auroc <= 0.65
    assert run.result.verdict.level == "no_evidence"


def test_repeated_samples_of_a_patient_do_not_leak(shared_data, run_job):
    folder = shared_data / "gse224705_pathmed"
    cohort = {
        "expression": str(folder / "expression_log2.tsv.gz"),
        "samples": str(folder / "samples.tsv"),
        "units": "log2",
        "columns": {"sample": "sample_id", "subject": "patient_key"},
    }
    run, prepared = run_job("pathmed", cohort, {"column": "Response", "positive": "YES", "negative": "NO"}, repeats=5)
    assert run.result.n.subjects == 15
    assert run.result.headline.auroc <= 0.70
    assert run.result.verdict.level != "evidence"
    assert any("subject" in finding.message for finding in prepared.findings)


def test_golub_trained_on_its_training_split_scores_its_test_split(shared_data, run_job, tmp_path):
    folder = shared_data / "microarray" / "golub"
    raw = pd.read_csv(folder / "expression.tsv.gz", sep="\t", index_col=0)
    # Raw scanner intensities with negatives: the customary floor, then log2.
    np.log2(raw.clip(lower=20)).to_csv(tmp_path / "log2.tsv", sep="\t")
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype={"sample_id": str})
    cohort = {
        "expression": str(tmp_path / "log2.tsv"),
        "samples": str(folder / "samples.tsv"),
        "units": "log2",
        "columns": {"sample": "sample_id"},
        "where": {"split": "train"},
    }
    run_job("golub", cohort, {"column": "label", "positive": "AML", "negative": "ALL"}, permutations=0, trials=6)
    test = sheet[sheet["split"] == "test"].set_index("sample_id")["label"]
    table = score(tmp_path / "golub-bundle", tmp_path / "log2.tsv", anyway=True).set_index("sample").loc[test.index]
    assert np.mean(table["predicted"] == test) >= 0.90
    assert roc_auc_score(test == "AML", table["log_odds"]) >= 0.95
