from collections import Counter

import pytest

from responder_ml.proposal.two_classes import ask_for_class, order_two


@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        ("responder", "non_responder"),
        ("Responder", "Non-responder"),
        ("1", "0"),
        ("YES", "NO"),
        ("MDD", "CTRL"),
        ("CSS", "Control"),
        ("stress_CVS", "control"),
        ("R", "N"),
        ("ketamine", "saline"),
        ("resilient", "susceptible"),
        ("Tumor", "Normal"),
        ("True", "False"),
    ],
)
def test_words_say_which_class_is_positive_whatever_their_order_and_number(positive, negative):
    for values in (
        Counter({positive: 9, negative: 4}),
        Counter({negative: 4, positive: 9}),
        Counter({positive: 2, negative: 7}),
    ):
        assert order_two(values)[:2] == (positive, negative)


def test_without_such_words_the_rarer_class_is_positive_and_the_reason_says_so():
    positive, negative, reason = order_two(Counter({"ALL": 47, "AML": 25}))
    assert (positive, negative) == ("AML", "ALL")
    assert "rarer" in reason


def test_a_question_for_the_second_class_leaves_out_the_first():
    question = ask_for_class(Counter({"CR": 3, "PD": 9, "SD": 4}), "response", "negative", ("CR",))
    assert [option.answer for option in question.options] == ["PD", "SD"]
    assert question.flag == "--negative"
    assert "CR" in question.text
