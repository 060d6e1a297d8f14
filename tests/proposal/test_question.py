import pytest

from responder_ml.errors import ProposalError
from responder_ml.proposal.question import Option, Question, refuse

QUESTION = Question("Which column?", "--column", (Option("group", "a 3, b 3"), Option("Label"), Option("2")))


@pytest.mark.parametrize(
    ("typed", "answer"), [("group", "group"), ("label", "Label"), ("1", "group"), (" 3 ", "2"), ("2", "2")]
)
def test_an_answer_is_a_name_or_a_number_of_the_list_and_a_name_first(typed, answer):
    assert QUESTION.read(typed) == answer


@pytest.mark.parametrize("typed", ["", "0", "4", "grp", "-1", "²"])
def test_anything_else_is_refused_with_the_possible_answers(typed):
    with pytest.raises(ProposalError, match=r"no answer to --column.*group"):
        QUESTION.read(typed)


def test_where_nobody_can_be_asked_candidates_and_flag_are_named():
    with pytest.raises(ProposalError) as refusal:
        refuse(QUESTION)
    assert "--column" in str(refusal.value)
    assert "group   a 3, b 3" in str(refusal.value)


def test_a_question_with_a_default_is_not_refused():
    assert refuse(Question("When?", "--taken", QUESTION.options, "unknown")) == "unknown"
