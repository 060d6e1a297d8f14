"""Questions that the files do not answer: asked in a terminal, or refused with what can be answered and how."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from responder_ml.errors import ProposalError, list_names


class Option(NamedTuple):
    """One possible answer.

    Attributes
    ----------
    answer
        As it is typed or given to the flag.
    about
        What speaks for it, such as how many samples have it.
    """

    answer: str
    about: str = ""


@dataclass(frozen=True)
class Question:
    """What only the owner of the data knows.

    Attributes
    ----------
    text
        The question.
    flag
        Option of the command line that answers it.
    options
        Possible answers.
    default
        The answer where nothing is typed; None where one must be given.
    """

    text: str
    flag: str
    options: tuple[Option, ...]
    default: str | None = None

    def read(self, typed: str) -> str:
        """Return the answer that was typed: a number of the list, or the answer itself, capitals or not.

        Raises
        ------
        ProposalError
            It is none of the options.
        """
        answers = [option.answer for option in self.options]
        if typed in answers:
            return typed
        alike = [answer for answer in answers if answer.casefold() == typed.strip().casefold()]
        if len(alike) == 1:
            return alike[0]
        if typed.strip().isdecimal() and 1 <= int(typed) <= len(answers):
            return answers[int(typed) - 1]
        raise ProposalError(f"'{typed}' is no answer to {self.flag}. Possible are: {list_names(answers, 20)}.")


Ask = Callable[[Question], str]
"""Returns the answer to a question."""


def refuse(question: Question) -> str:
    """Refuse a question where nobody can be asked, unless it has a default answer.

    Raises
    ------
    ProposalError
        With the possible answers and the flag that gives one.
    """
    if question.default is not None:
        return question.default
    shown = "\n".join(
        f"  {option.answer}" + (f"   {option.about}" if option.about else "") for option in question.options
    )
    raise ProposalError(
        f"{question.text} The files do not say. Answer with {question.flag} and one of:\n{shown}\n"
        "Or run the command in a terminal, where it asks."
    )


def options_of(answers: Sequence[tuple[str, str]]) -> tuple[Option, ...]:
    """Return pairs of answer and remark as options."""
    return tuple(Option(answer, about) for answer, about in answers)
