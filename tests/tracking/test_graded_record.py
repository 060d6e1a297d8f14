from pathlib import Path

import pandas as pd

from responder_ml.records.graded import GradedRecord, GradedRun
from responder_ml.tracking.graded_record import graded_candidate_records, graded_record
from responder_ml.tracking.items import Artifact, Metric, Param, Tag

PART = {"concordance": 0.7, "concordance_ci": (0.5, None), "spearman": 0.4, "r2": None, "mae": 0.3}
RECORD = GradedRecord.model_validate(
    {
        "name": "ratio",
        "simulated": True,
        "units": "counts",
        "where": {"region": "PFC"},
        "n": {"subjects": 25, "samples": 30, "genes": 300},
        "outcome": {"column": "ratio", "mean": 1.0, "sd": 0.4, "low": 0.2, "high": 1.9, "distinct": 25},
        "headline": PART,
        "candidates": [{**PART, "name": "genes+ridge", "builder": "genes", "regressor": "ridge", "chosen_share": 1.0}],
        "alpha": 0.05,
        "verdict": {"level": "evidence", "sentence": "Evidence."},
        "search": {"folds": 5, "repeats": 2, "inner_folds": 3, "inner_repeats": 1, "trials": 0},
        "data_sha256": "0" * 64,
        "seed": 7,
    }
)


def test_the_record_holds_metrics_settings_files_and_the_bundle(tmp_path):
    for name in ("graded.json", "genes.csv", ".responder_ml.json"):
        (tmp_path / name).write_text("x")
    record = graded_record(GradedRun(RECORD, {"genes": pd.DataFrame()}, {}), tmp_path, Path("model"))
    found = {item.key: item.value for item in record.items if isinstance(item, Metric | Param | Tag)}
    assert found["concordance"] == 0.7
    assert "concordance_high" not in found
    assert (found["verdict"], found["region"], found["n_subjects"]) == ("evidence", "PFC", "25")
    files = [(item.path.name, item.folder) for item in record.items if isinstance(item, Artifact)]
    assert files == [("genes.csv", "tables"), ("graded.json", ""), ("model", "bundle")]
    assert "Evidence." in record.description


def test_every_candidate_has_a_record():
    (record,) = graded_candidate_records(GradedRun(RECORD, {}, {}))
    assert record.name == "genes+ridge"
    assert {item.key for item in record.items if isinstance(item, Metric)} == {
        "concordance",
        "concordance_low",
        "spearman",
        "mae",
        "chosen_share",
    }
