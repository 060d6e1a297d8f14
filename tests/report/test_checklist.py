import pytest

from responder_ml.report.checklist import Checklist
from responder_ml.report.guidelines import GUIDELINES
from responder_ml.report.guidelines.facts import Facts

# Entries of the published guidelines, sub-items counted.
ENTRIES = {"REFORMS": 32, "TRIPOD+AI": 52, "DOME": 21, "Leakage taxonomy": 8}


@pytest.mark.parametrize("guideline", GUIDELINES, ids=lambda guideline: guideline.name)
def test_a_guideline_is_whole(guideline, typical_run):
    items = guideline.items(Facts.of(typical_run))
    codes = [item.code for item in items]
    assert len(codes) == len(set(codes)) == ENTRIES[guideline.name]
    assert {item.status for item in items} <= {"filled", "not applicable", "needs author"}
    assert all(item.answer for item in items if item.status != "needs author")


def test_tripod_has_27_items(typical_run):
    tripod = next(guideline for guideline in GUIDELINES if guideline.name == "TRIPOD+AI")
    numbers = {int(item.code.rstrip("abcdefg")) for item in tripod.items(Facts.of(typical_run))}
    assert numbers == set(range(1, 28))


def test_answers_are_of_this_run(typical_run, underpowered_run, no_null_run):
    facts = Facts.of(typical_run)
    assert "13 subjects: 6 responder, 7 non_responder" in facts.classes
    assert f"AUROC {typical_run.result.headline.auroc:.2f}" in facts.performance
    assert "10 repeats of 5" in facts.validation
    assert Facts.of(underpowered_run).models == "Nothing was trained."
    assert Facts.of(no_null_run).null == "No null was run."


def test_the_section_counts_what_is_left_to_the_author(typical_run):
    assert "8 entries: 5 filled, 0 not applicable, <strong>3 need the author</strong>" in Checklist().render(
        typical_run
    )
