"""The card of a graded outcome: its numbers, what it is not for, and nothing that is not known."""

import json

import pytest
import yaml
from tests.report.conftest import GRADED_RUNS, make_graded_run

from responder_ml.bundles.graded_bundle import read_graded_bundle
from responder_ml.records.graded import read_graded
from responder_ml.records.ownership import damaged_files
from responder_ml.report.card import render_card
from responder_ml.report.card_json import render_card_json
from responder_ml.report.graded_card import describe_graded


def test_it_has_the_numbers_of_the_headline_and_of_both_nulls():
    card = render_card(describe_graded(make_graded_run()))
    assert "**Verdict: evidence.** Simulated data: A sentence on si\\_ratio." in card
    assert "| concordance | 0.81 (95 % interval 0.60 to 0.95) |" in card
    assert "| p under relabelled subjects (999 relabellings, smallest attainable p 0.001) | 0.004 |" in card
    assert "| p under relabelled subjects, among subjects alike in drug, batch, library size | 0.004 |" in card
    assert "- Outcome: si\\_ratio: 0.4 to 1.6, mean 1.04, standard deviation 0.3, 24 different values" in card
    assert "- Nuisances, which must not explain the result: batch, library size" in card
    assert "Arc, Fos." in card
    assert "RML08: batch goes with it" in card
    assert "A note." not in card
    for word in ("probabilit", "class", "AUROC"):
        assert word not in card.split("---\n", 2)[2]
    keys = yaml.safe_load(card.split("---\n")[1])
    (result,) = keys["model-index"][0]["results"]
    assert (keys["pipeline_tag"], result["task"]["name"]) == ("tabular-regression", "order of si_ratio")
    assert [(metric["type"], metric["value"]) for metric in result["metrics"]] == [
        ("concordance", 0.81), ("spearmanr", 0.55), ("r_squared", 0.2), ("mae", 0.31),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        ("after", "discrimination of a state, not prognosis: it does not show"),
        ("unknown", "If after, this is discrimination of a state, not prognosis."),
        ("before", "prediction is possible in principle"),
    ],
)
def test_when_tissue_was_taken_is_said_for_people_and_programs(taken, words):
    facts = describe_graded(make_graded_run(taken=taken))
    assert words in render_card(facts)
    assert words in render_card_json(facts)


def test_what_was_not_run_or_is_not_known_is_not_there():
    untested = describe_graded(make_graded_run(**GRADED_RUNS["graded, no null"]))
    assert "| p under relabelled subjects | not run |" in render_card(untested)
    (model,) = json.loads(render_card_json(untested))["components"]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert not [metric for metric in metrics if metric["type"].startswith("p ")]
    empty = render_card(describe_graded(make_graded_run(**GRADED_RUNS["graded, nothing measured"])))
    assert "| concordance | not estimated |" in empty
    assert "No model was fitted." in empty
    assert "None" not in empty
    awkward = render_card(describe_graded(make_graded_run(**GRADED_RUNS["graded, awkward"])))
    assert "<b>" not in awkward.split("---\n", 2)[2]
    assert "<img" not in awkward


def test_training_writes_it_into_folder_and_bundle_which_stay_readable(graded_training):
    facts = describe_graded(read_graded(graded_training.folder))
    card = render_card(facts)
    assert (graded_training.folder / "card.md").read_text() == card
    assert (graded_training.bundle / "card.md").read_text() == card
    assert (graded_training.folder / "card.json").read_text() == render_card_json(facts)
    assert not damaged_files(graded_training.folder)
    assert read_graded_bundle(graded_training.bundle).manifest.name == "ratio"
    assert "discrimination of a state, not prognosis" in card
