import json
from dataclasses import replace

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from responder_ml.records.job_lock import JobLock
from responder_ml.report.card import escape, render_card
from responder_ml.report.card_facts import CardFacts
from responder_ml.report.card_json import render_card_json


def _model(facts):
    (model,) = json.loads(render_card_json(facts))["components"]
    return model


def _metrics(facts):
    return _model(facts)["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]


def test_it_is_what_cyclonedx_1_6_allows(any_facts):
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(render_card_json(any_facts))
    assert problem is None, problem


def test_the_validator_sees_what_is_wrong(typical_run):
    content = json.loads(render_card_json(CardFacts.of(typical_run)))
    content["components"][0]["modelCard"]["modelParameters"]["task_type"] = "none of the schema's"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(content)) is not None


def test_numbers_are_those_of_the_run(typical_run):
    result = typical_run.result
    (auroc,) = (metric for metric in _metrics(CardFacts.of(typical_run)) if metric["type"] == "AUROC")
    assert float(auroc["value"]) == pytest.approx(result.headline.auroc, rel=1e-5)
    ends = auroc["confidenceInterval"]
    assert [float(ends["lowerBound"]), float(ends["upperBound"])] == pytest.approx(result.headline.auroc_ci, rel=1e-5)
    values = [
        metric
        for metric in _metrics(CardFacts.of(typical_run))
        if metric["type"].startswith("p under relabelled subjects")
    ]
    p, conditional = (float(metric["value"]) for metric in values)
    assert p == pytest.approx(result.null.p_value, rel=1e-5)
    assert conditional == pytest.approx(result.null.conditional.p_value, rel=1e-5)
    assert [metric.get("slice") for metric in values] == [None, "among subjects alike in drug, batch"]
    names = [metric["type"] for metric in _metrics(CardFacts.of(typical_run))]
    assert "balanced accuracy" in names
    assert "baseline batch: AUROC gained over it" in names


def test_it_says_what_the_page_says(any_facts):
    card, model = render_card(any_facts), _model(any_facts)
    considerations = model["modelCard"]["considerations"]
    for sentence in considerations["useCases"] + considerations["users"]:
        assert escape(sentence) in card
    for metric in _metrics(any_facts):
        assert f"| {escape(metric['type'])}" in card
    for limit in considerations["technicalLimitations"][1:]:
        assert escape(limit).split(". ", 1)[-1] in card
    assert "discrimination of a state, not prognosis" in " ".join(considerations["technicalLimitations"])


def test_simulated_data_are_called_simulated(typical_run):
    model = _model(CardFacts.of(typical_run))
    assert model["description"].startswith("Simulated data")
    assert model["modelCard"]["considerations"]["technicalLimitations"][0].startswith("Simulated data")
    assert "simulated" in model["tags"]
    real = replace(typical_run, result=typical_run.result.model_copy(update={"simulated": False}))
    assert "imulated data" not in render_card_json(CardFacts.of(real))


def test_the_data_are_known_by_their_digest_and_the_job_by_seed_versions_and_lock(typical_run):
    lock = JobLock(digest="ab" * 32, time="2026-11-29T10:00:00+00:00", before_first_run=True, same_code=True)
    run = replace(typical_run, result=typical_run.result.model_copy(update={"lock": lock}))
    model = _model(CardFacts.of(run))
    (data,) = model["modelCard"]["modelParameters"]["datasets"]
    assert {"name": "responder_ml:sha256", "value": run.result.data_sha256} in data["contents"]["properties"]
    properties = {entry["name"]: entry["value"] for entry in model["properties"]}
    assert properties["responder_ml:seed"] == "7"
    assert properties["responder_ml:version:numpy"] == "2.4.6"
    assert properties["responder_ml:lock:digest"] == lock.digest
    assert model["modelCard"]["modelParameters"]["architectureFamily"] == "elastic_net"
    assert (
        json.loads(render_card_json(CardFacts.of(run)))["serialNumber"]
        != json.loads(render_card_json(CardFacts.of(typical_run)))["serialNumber"]
    )


def test_the_same_facts_give_the_same_bytes(any_facts):
    assert render_card_json(any_facts) == render_card_json(any_facts)
    assert "timestamp" not in json.loads(render_card_json(any_facts))["metadata"]


def test_what_was_not_measured_is_no_number(underpowered_run):
    assert _metrics(CardFacts.of(underpowered_run)) == []
    parameters = _model(CardFacts.of(underpowered_run))["modelCard"]["modelParameters"]
    assert parameters["modelArchitecture"] == "No model was fitted."
    assert parameters["inputs"] == parameters["outputs"] == []
