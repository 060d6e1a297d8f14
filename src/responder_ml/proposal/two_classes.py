"""The two classes among the values of a column: which is positive by its word, or what to ask."""

from collections import Counter

from responder_ml.proposal.question import Question, options_of
from responder_ml.proposal.sheet_columns import vocabulary, words_of

_NEGATIVE = vocabulary(
    "control controls ctrl ctl con cont no non not none negative neg healthy normal nonresponder nr untreated vehicle saline sham "
    "placebo wt wildtype susceptible false 0 n naive yoked died dead unaffected unresponsive"
)
_POSITIVE = vocabulary(
    "responder responders response yes positive pos case cases patient disease diseased stress stressed treated r true 1 y "
    "resilient tumor tumour cancer mdd css csds cvs trained survived alive affected responsive"
)


def order_two(values: Counter[str]) -> tuple[str, str, str]:
    """Return the positive and the negative one of two values, and the reason.

    The order turns the sign of scores and no verdict, so that the rarer one is positive where words do not tell.
    """
    first, second = sorted(values, key=lambda value: (values[value], value))
    ranks = {value: _rank(value) for value in (first, second)}
    if ranks[first] != ranks[second]:
        positive = max(ranks, key=lambda value: ranks[value])
        negative = second if positive == first else first
        return positive, negative, "by their words"
    return first, second, "the rarer one; the order turns the sign of scores and changes no verdict"


def ask_for_class(values: Counter[str], column: str, which: str, taken: tuple[str, ...]) -> Question:
    """Return the question for one of several classes; ``which`` is ``positive`` or ``negative``."""
    options = [(value, f"{count} sample(s)") for value, count in values.items() if value not in taken]
    against = f", to be compared with {' or '.join(taken)}" if taken else ""
    return Question(
        f"'{column}' has {len(values)} values. Which is the {which} class{against}?", f"--{which}", options_of(options)
    )


def _rank(value: str) -> int:
    words = words_of(value)
    # non_responder has a word of either kind: the denial decides.
    return -1 if words & _NEGATIVE else int(bool(words & _POSITIVE))
