"""Fusion on real animals of which some lack a subfield of the hippocampus."""

import pandas as pd
import pytest
import yaml

from responder_ml.study import study
from responder_ml.study_config import load_study

pytestmark = pytest.mark.shared


def test_mice_that_lack_a_subfield_are_fused_and_counted(shared_data, tmp_path):
    folder = shared_data / "mouse_hippocampus_subfields"
    subfields = ("CA1", "CA3", "DG")
    content = {
        "name": "subfields",
        "job": {
            "cohort": {
                "source": "table",
                "expression": str(folder / "expression_counts.tsv.gz"),
                "samples": str(folder / "samples.tsv"),
                "units": "counts",
                "columns": {"sample": "sample_id", "subject": "animal_id"},
            },
            "builders": [{"kind": "genes"}],
            "classifiers": [{"kind": "nearest_centroid"}],
            "search": {"folds": 4, "repeats": 3, "inner_folds": 2, "trials": 2},
            "null": {"permutations": 19},
            "compute": {"workers": 1},
        },
        "grid": {
            "regions": {name: {"region": name} for name in subfields},
            "endpoints": {"avoidance": {"column": "training", "positive": "trained", "negative": "yoked"}},
        },
        "fusion": ["late", "early"],
        "transfer": {"permutations": 0},
    }
    path = tmp_path / "subfields.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    outcome = study(load_study(path), tmp_path / "out")
    jobs = outcome.tables["jobs"].set_index("job")
    assert list(jobs.index) == [f"{name}: avoidance" for name in (*subfields, "late fusion", "early fusion")]
    assert jobs["auroc"].between(0, 1).all()
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t")
    mice = set(sheet["animal_id"])
    lacking = {name: len(mice - set(sheet["animal_id"][sheet["region"] == name])) for name in subfields}
    assert outcome.result.fused[0].missing == lacking
    assert min(lacking.values()) > 0
    assert outcome.result.fused[0].subjects == len(mice) == 18
    assert jobs.loc["late fusion: avoidance", ["n_positive", "n_negative"]].sum() == 18
    compared = outcome.tables["fusion"]
    assert compared["low"].lt(compared["high"]).all()
    page = (tmp_path / "out" / "study.html").read_text()
    assert "of 18 subjects" in " ".join(page.split())
