"""What ``result.json`` says of the data."""

import json
from pathlib import Path

import pytest

from responder_ml.errors import RunError
from responder_ml.records.result import Result


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


@pytest.mark.parametrize("value", [[], "0.8", {"a": 1}, 10**400])
def test_what_is_no_number_is_damage_and_no_bug(value, make_result):
    content = make_result(name="tiny", headline={}, n={}, endpoint={}, verdict={}, search={}, null=None).content()
    with pytest.raises(RunError, match=r"is damaged: headline.*number"):
        Result.read({**content, "headline": {**content["headline"], "auroc": value}}, "run")
