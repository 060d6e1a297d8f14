import pytest

from responder_ml.cohort.geo import recipe as recipe_module
from responder_ml.cohort.geo.recipe import find_recipe, full_match, load_recipe, plain
from responder_ml.errors import FetchError


def test_the_founding_study_has_a_recipe_that_says_that_the_animal_is_unknown():
    recipe = find_recipe("GSE81672")
    assert recipe.subject == "unknown"
    assert recipe.samples == 99
    assert any("not be treated as independent" in note for note in recipe.notes)


def test_any_other_series_is_taken_as_it_is():
    assert find_recipe("GSE1").forms == ()


def test_words_are_compared_without_case_and_separators():
    assert plain(" Non-Responder,susceptible  toward ") == plain("non_responder susceptible toward")
    assert plain("responder") != plain("non_responder")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("series: GSE1\nserie: x", "serie: Extra inputs.*\n.*Known keys: series, about"),
        ("series: GSM1", "series: String should match"),
        ("about: x", "series: Field required"),
        ("- a", "holds no keys"),
        ("a: [", "could not be read as YAML"),
        ("series: GSE1\nforms: [{pattern: '(?P<a'}]", "not a regular expression"),
        ("series: GSE1\nforms: [{pattern: 'a'}]", "no named group"),
        ("series: GSE1\nforms: [{field: title}]", "either `pattern` or `columns`"),
        ("series: GSE1\nforms: [{pattern: '(?P<a>.)', columns: {b: c}}]", "either `pattern` or `columns`"),
        ("series: GSE1\nexpression: {sha256: abc}", "expression.sha256"),
        ("series: GSE1\nexpression: {source: ftp}", "expression.source"),
        ("series: GSE1\nwords: {drug: {a: [x], b: [X]}}", "'X' means two things"),
    ],
)
def test_a_wrong_recipe_is_refused_with_its_keys(tmp_path, text, words):
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(FetchError, match=words):
        load_recipe(tmp_path / "r.yaml")


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(FetchError, match="cannot be read"):
        load_recipe(tmp_path / "absent.yaml")


def test_a_pattern_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(recipe_module, "_MATCH_SECONDS", 0.2)
    with pytest.raises(FetchError, match="takes more than"):
        full_match("(?P<region>(a+)+)b", "a" * 60)
    assert full_match("(?P<region>A+)b", "aab")["region"] == "aa"
