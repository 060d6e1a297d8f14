import re

import pytest

from responder_ml.records.run import Run
from responder_ml.report.guidelines import GUIDELINES
from responder_ml.report.guidelines.facts import Facts
from responder_ml.report.methods import Checklist, Methods

# Entries of the published guidelines, sub-items counted.
ENTRIES = {"REFORMS": 32, "TRIPOD+AI": 52, "PROBAST+AI": 11, "DOME": 21, "Leakage taxonomy": 8}


def words(run):
    return " ".join(re.sub(r"<[^>]+>", "", Methods().render(run)).split())


def test_it_says_what_ran(typical_run):
    text = words(typical_run)
    assert "10 repeats of 5 outer folds, stratified by class and drug" in text
    assert "3 inner folds decided whether" in text
    assert "200 at random" in text
    assert "A conditional null permuted labels only between subjects alike in drug, batch, and gave" in text
    assert "scaled by TMM" in text
    for reference in ("10.2202/1544-6115.1027", "10.1111/j.1467-9868.2005.00503.x", "10.1145/2939672.2939785"):
        assert f"doi:{reference}" in text


def test_it_says_nothing_that_did_not_run(no_null_run, underpowered_run, one_candidate_run):
    assert "No null was run" in words(no_null_run)
    assert "Besag" not in words(no_null_run)
    assert "called out" not in words(no_null_run)
    assert "Nothing was trained" in words(underpowered_run)
    assert "Optuna" not in words(underpowered_run)
    assert "for trees" not in words(one_candidate_run)


def test_references_are_numbered_in_reading_order(typical_run):
    cited = [int(number) for number in re.findall(r"\[(\d+)\]", Methods().render(typical_run))]
    first = list(dict.fromkeys(cited))
    assert first == list(range(1, len(first) + 1))


def test_scorers_are_cited_by_name_or_default(typical_run):
    def with_builder(**params):
        config = typical_run.config | {"builders": [{"kind": "gene_sets", "params": params}]}
        return words(Run(typical_run.result, typical_run.tables, config))

    assert "scored by mean_z" in with_builder(scorer="mean_z", path="/home/me/sets.gmt")
    assert "path = sets.gmt" in with_builder(scorer="mean_z", path="/home/me/sets.gmt")
    assert "scored by singscore" in with_builder()


def test_a_kind_this_version_does_not_know_is_said_so(typical_run):
    config = typical_run.config | {
        "classifiers": [{"kind": "quantum", "params": {"q": 1}}],
        "builders": [{"kind": "tea"}],
    }
    text = words(Run(typical_run.result, typical_run.tables, config))
    assert "quantum, not described by this version with q = 1" in text


@pytest.mark.parametrize("guideline", GUIDELINES, ids=lambda guideline: guideline.name)
def test_a_guideline_is_whole(guideline, typical_run):
    items = guideline.items(Facts.of(typical_run))
    codes = [item.code for item in items]
    assert len(codes) == len(set(codes)) == ENTRIES[guideline.name]
    assert {item.status for item in items} <= {"filled", "not applicable", "needs author"}
    assert all(item.answer for item in items)


@pytest.mark.parametrize("guideline", GUIDELINES, ids=lambda guideline: guideline.name)
def test_every_answer_of_every_run_is_complete(guideline, any_run):
    for item in guideline.items(Facts.of(any_run)):
        assert len(item.answer) > 8, item
        assert not re.search(r"[{}]|\bNone\b(?! (is|was|in))|\bnan\b(?!:)|  ", item.answer), item
        asks_more = item.status == "needs author"
        assert asks_more or "Author:" not in item.answer, item


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
    assert "8 entries: 4 filled, 0 not applicable, <strong>4 need the author</strong>" in Checklist().render(
        typical_run
    )
