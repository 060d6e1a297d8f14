import re

import yaml

from responder_ml.report.card import escape, render_card
from responder_ml.report.card_facts import CardFacts


def test_the_card_says_what_matters(typical_run):
    card = render_card(CardFacts.of(typical_run))
    headline, null = typical_run.result.headline, typical_run.result.null
    low, high = headline.auroc_ci
    assert "\n# Model card: pfc-response\n\n**Simulated data" in card
    assert f"| AUROC | {headline.auroc:.2f} (95 % interval {low:.2f} to {high:.2f}) |" in card
    assert (
        f"| p under relabelled subjects (200 relabellings, smallest attainable p 0.005) | {null.p_value:.2g} |" in card
    )
    assert "discrimination of a state, not prognosis" in card
    assert "python -m responder_ml score BUNDLE EXPRESSION" in card
    for heading in ("Intended use", "Data", "Performance", "Model", "Limits", "How to score new samples"):
        assert f"\n## {heading}\n" in card
    assert "\n\n\n" not in card


def _keys(card):
    opening, keys, body = card.split("---\n", 2)
    assert opening == ""
    assert body.startswith("\n# Model card")
    return yaml.safe_load(keys)


def test_it_begins_with_what_the_hugging_face_hub_reads(any_facts):
    """Kinds and required keys as in the Hub's documentation of model cards (hub-docs, modelcard.md)."""
    keys = _keys(render_card(any_facts))
    assert set(keys) <= {"library_name", "pipeline_tag", "tags", "model-index"}
    assert all(isinstance(tag, str) for tag in keys["tags"])
    assert f"verdict:{any_facts.verdict.lower().replace(' ', '_')}" in keys["tags"]
    assert ("simulated" in keys["tags"]) == bool(any_facts.warning)
    for entry in keys.get("model-index", []):
        assert entry["name"] == any_facts.name
        (evaluation,) = entry["results"]
        assert evaluation["task"]["type"] == keys["pipeline_tag"] == any_facts.task
        assert {"type", "name"} <= set(evaluation["dataset"])
        assert evaluation["metrics"]
        for metric in evaluation["metrics"]:
            assert isinstance(metric["type"], str)
            assert isinstance(metric["value"], float)


def test_its_keys_have_the_numbers_of_the_run(typical_run, underpowered_run):
    (entry,) = _keys(render_card(CardFacts.of(typical_run)))["model-index"]
    values = {metric["type"]: metric["value"] for metric in entry["results"][0]["metrics"]}
    assert values["roc_auc"] == round(typical_run.result.headline.auroc, 6)
    assert "model-index" not in _keys(render_card(CardFacts.of(underpowered_run)))


def test_tables_are_whole(any_facts):
    rows = re.findall(r"^\|.*$", render_card(any_facts), flags=re.M)
    assert rows[1] == "|---|---|"
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in rows)


def test_nothing_was_run(no_null_run, underpowered_run):
    assert "| p under relabelled subjects | not run |" in render_card(CardFacts.of(no_null_run))
    card = render_card(CardFacts.of(underpowered_run))
    assert "| AUROC | not estimated |" in card
    assert "No model was fitted." in card


def test_names_stay_text(awkward_run):
    card = render_card(CardFacts.of(awkward_run))
    assert "<script>" not in card
    assert "<img" not in card
    assert r"\_x\_" in card


def test_escape():
    assert escape("a|b_*c*\n<i>") == r"a\|b\_\*c\* &lt;i&gt;"
