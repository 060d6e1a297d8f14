import json

import pytest
from pydantic import BaseModel

from responder_ml.errors import RunError
from responder_ml.records.ownership import FILE_LIST
from responder_ml.records.study import (
    ANSWER,
    STUDY_FOLDER,
    TABLES,
    Correction,
    FusedRegions,
    JobRow,
    Study,
    StudyResult,
    read_study,
    write_study,
)

CONTENT = {
    "schema_version": 1,
    "name": "s",
    "simulated": False,
    "sentence": "None of 1 job tested together shows evidence.",
    "correction": {
        "method": "smallest p over jobs",
        "alpha": 0.05,
        "jobs": 1,
        "draws": 99,
        "labellings": str(10**30),
        "blocks": 2,
        "exact": False,
    },
    "jobs": [
        {
            **dict.fromkeys(TABLES["jobs"]),
            **dict.fromkeys(["job", "region"], "NA"),
            "endpoint": "null",
            "subset": "all",
            "positive": "responder",
            "negative": "non_responder",
            "n_positive": 6,
            "n_negative": 7,
            "auroc": 1,
            "null_mean": 0.5123456789,
            "labellings": 10**20,
            "verdict": "no_evidence",
            "sentence": "No evidence.",
        }
    ],
    "transfer": [],
    "fusion": [],
    "fused": [
        {
            "endpoint": "null",
            "subset": "all",
            "subjects": 13,
            "missing": {"PFC": 0, "HIP": 2},
            "weights": {"PFC": 0.7, "HIP": 0.3},
            "single_auroc": 0.8,
        }
    ],
    "timings": {"search_s": 1.0, "total_s": 2.5},
    "versions": {"python": "3.11.7"},
    "seed": 7,
}


@pytest.fixture
def folder(tmp_path):
    tables = {name: STUDY_FOLDER.table(name, CONTENT["jobs"] if name == "jobs" else []) for name in TABLES}
    write_study(Study(StudyResult.model_validate(CONTENT), tables, {"name": "s"}), "<p>page</p>", tmp_path / "s")
    return tmp_path / "s"


def test_names_that_look_like_gaps_come_back_as_names(folder):
    job = read_study(folder).tables["jobs"].iloc[0]
    assert job["job"] == job["region"] == "NA"
    assert job["endpoint"] == "null"
    assert job["auroc"] == 1
    assert job.isna()["gain"]


def test_the_json_of_earlier_versions_is_read_and_written_byte_for_byte(folder):
    text = json.dumps(CONTENT, indent=2) + "\n"
    assert (folder / ANSWER).read_text() == text
    assert json.dumps(read_study(folder).result.content(), indent=2) + "\n" == text


def test_a_damaged_result_is_refused_with_the_key(folder):
    (folder / FILE_LIST).unlink()  # as of a version that wrote none
    (folder / ANSWER).write_text(json.dumps({**CONTENT, "correction": {**CONTENT["correction"], "jobs": "many"}}))
    with pytest.raises(RunError, match=r"study\.json is damaged: correction\.jobs"):
        read_study(folder)


@pytest.mark.parametrize("model", [StudyResult, Correction, FusedRegions, JobRow])
def test_the_schema_describes_every_key(model: type[BaseModel]):
    properties = model.model_json_schema()["properties"]
    assert list(properties) == list(model.model_fields)
    assert all(entry["description"] for entry in properties.values())
