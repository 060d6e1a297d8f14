"""What ``result.json`` says of the data."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.errors import RunError
from responder_ml.records.outcome import data_digest
from responder_ml.records.result import Result


@pytest.fixture(scope="module")
def labelled():
    cohort = simulate_cohort(seed=1, n_genes=300, regions=["PFC"])
    return label_cohort(cohort, Endpoint("response", "responder", "non_responder", ("drug",), ("batch",)))


def test_digest_is_that_of_equal_data(labelled):
    assert data_digest(labelled) == data_digest(replace(labelled, cohort=labelled.cohort.copy()))


@pytest.mark.parametrize("part", ["cohort", "outside"])
def test_digest_changes_with_expression_and_sheet_of_every_sample_used(labelled, part):
    counts, sheet = getattr(labelled, part).copy(), getattr(labelled, part).copy()
    counts.X[0, 0] += 1
    sheet.obs.iloc[0, sheet.obs.columns.get_loc("batch")] = "another"
    digests = {
        data_digest(item) for item in (labelled, *(replace(labelled, **{part: changed}) for changed in (counts, sheet)))
    }
    assert len(digests) == 3


def test_digest_changes_with_a_label(labelled):
    labels = labelled.labels.copy()
    labels[0] = 1 - labels[0]
    assert data_digest(replace(labelled, labels=labels)) != data_digest(labelled)


def test_the_published_schema_is_that_of_the_classes():
    published = Path(__file__).resolve().parents[2] / "docs" / "result.schema.json"
    assert json.loads(published.read_text()) == Result.schema_of_file(), "run `make schema`"


def test_a_number_that_is_not_finite_is_null_and_digits_end_at_the_tenth(make_result):
    headline = {"auroc": float("nan"), "auroc_ci": [0.1234567890123, float("inf")], "brier": 0.25000000000001}
    content = make_result(headline=headline).content()["headline"]
    assert (content["auroc"], content["auroc_ci"], content["brier"]) == (None, [0.123456789, None], 0.25)


def test_a_damaged_result_is_named_by_its_key(make_result):
    content = make_result().content()
    content["n"]["subjects"] = "many"
    with pytest.raises(RunError, match=r"result\.json of runs/pfc is damaged: n\.subjects"):
        Result.read(content, "runs/pfc")


def test_what_is_written_reads_back_equal(make_result):
    result = make_result(null={"p_value": 0.04}, without=[{"name": "immediate-early genes", "genes": ["Fos"]}])
    assert Result.read(json.loads(json.dumps(result.content())), "run") == result
