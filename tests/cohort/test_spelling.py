"""Words written in several ways."""

import pytest

from responder_ml.cohort.spelling import describe_difference, is_blank, looks_like, match_word, show, skeleton


@pytest.mark.parametrize(
    "word",
    ["Non_responder", "NON-RESPONDER", " non responder ", "n\u043en-responder", "non\u200bresponder", "ｎonresponder"],
)
def test_spellings_of_one_word_share_a_skeleton(word):
    assert skeleton(word) == skeleton("non_responder")
    assert looks_like(word, ["responder", "non_responder"]) == "non_responder"


@pytest.mark.parametrize(
    ("one", "other"), [("1.0", "10"), ("-1", "1"), ("CD4+", "CD4-"), ("m1-2", "m12"), ("R+", "R-"), ("PR", "CR")]
)
def test_words_that_differ_stay_apart(one, other):
    assert skeleton(one) != skeleton(other)
    assert looks_like(one, [other]) == ""


def test_a_word_that_is_like_two_targets_is_like_none():
    assert looks_like("A b", ["ab", "a-b"]) == ""


def test_a_word_of_the_configuration_finds_the_sheets_own():
    assert match_word("1", ["0.0", "1.0"]) == "1.0"
    assert match_word("True", ["Yes", "No"]) == "Yes"
    assert match_word("True", ["Yes", "yes"]) is None
    assert match_word("PFC", ["pfc"]) is None
    assert match_word("01", ["1", "01"]) == "01"


def test_what_cannot_be_seen_is_shown_and_named():
    assert show("PFC\u200b") == "PFC\\u200b"
    assert show("r\u0435sp") == "r\u0435sp (with U+0435)"
    assert describe_difference("PFC\u200b", "PFC") == "letters that look alike or cannot be seen"
    assert describe_difference("pfc", "PFC") == "case"
    assert describe_difference("non-r", "non_r") == "case, blanks or punctuation"


def test_words_for_nothing_are_blank():
    assert all(map(is_blank, ["", " ", "NA", "n/a", float("nan"), None, "\u200b", "?"]))
    assert not any(map(is_blank, ["0", 0, "no", False, "NAc"]))
