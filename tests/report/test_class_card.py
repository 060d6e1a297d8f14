"""The card of several classes: the answer on all of them, the numbers of every pair, and nothing that is not known."""

import json

import yaml
from tests.report.conftest import CLASSES_RUNS, make_classes_run

from responder_ml.report.card import render_card
from responder_ml.report.card_json import render_card_json
from responder_ml.report.class_card import describe_classes


def _metrics(facts):
    (model,) = json.loads(render_card_json(facts))["components"]
    return [
        (metric["type"], metric.get("slice"), metric["value"])
        for metric in model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    ]


def test_it_has_the_numbers_of_all_classes_and_of_every_pair():
    run = make_classes_run()
    card = render_card(describe_classes(run))
    assert "- Question: control, resilient and susceptible compared two by two, column phenotype" in card
    assert "- Subjects: 21 (7 control, 7 resilient, 7 susceptible); samples: 30" in card
    assert "- Rows selected: region = PFC or NAc" in card
    assert "| mean AUROC of every two classes | 0.80 |" in card
    assert "| p under relabelled subjects (999 relabellings, smallest attainable p 0.001) | 0.01 |" in card
    assert "| AUROC, control against susceptible | 0.80 (95 % interval 0.60 to 0.99) |" in card
    assert "| p corrected over the pairs, resilient against susceptible | 0.01 |" in card
    assert "discrimination of a state, not prognosis" in card
    assert "- RML08: batch goes with the class (control against resilient)" in card
    metrics = _metrics(describe_classes(run))
    assert ("AUROC", "control against resilient", "0.9") in metrics
    assert ("balanced accuracy of the predicted class", None, "0.62") in metrics
    keys = yaml.safe_load(card.split("---\n")[1])
    (result,) = keys["model-index"][0]["results"]
    assert result["task"]["name"] == "control, resilient or susceptible"
    assert result["dataset"] == {"type": "simulated", "name": "three", "revision": "ab" * 32}
    assert [(metric["type"], metric["value"]) for metric in result["metrics"]] == [
        ("roc_auc", 0.8), ("balanced_accuracy", 0.62),
    ]  # fmt: skip


def test_what_was_not_run_or_is_not_known_is_not_there():
    untested = describe_classes(make_classes_run(**CLASSES_RUNS["no null"]))
    assert "| p under relabelled subjects | not run |" in render_card(untested)
    assert not [name for name, _, _ in _metrics(untested) if name.startswith("p ")]
    card = render_card(describe_classes(make_classes_run(**CLASSES_RUNS["of a version that knew less"])))
    for label in ("samples:", "Rows selected", "Expression", "SHA-256", "None"):
        assert label not in card
    assert "\n\n\n" not in card
    real = describe_classes(make_classes_run(**CLASSES_RUNS["real"]))
    assert "imulated data" not in render_card(real) + render_card_json(real)


def test_names_stay_text():
    card = render_card(describe_classes(make_classes_run(**CLASSES_RUNS["awkward"])))
    assert "<b>" not in card.split("---\n")[2]
    assert r"\_x\_" in card
