import re

from responder_ml.records.run import Run
from responder_ml.report.methods import Methods


def words(run):
    return " ".join(re.sub(r"<[^>]+>", "", Methods().render(run)).split())


def test_it_says_what_ran(typical_run):
    text = words(typical_run)
    assert "10 repeats of 5 outer folds, stratified by class and drug" in text
    assert "3 inner folds and 10 Optuna trials" in text
    assert "200 at random" in text
    assert "A conditional null permuted labels within drug x batch only" in text
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
