"""When tissue was taken, against the outcome, and what a model can therefore show."""

from typing import Literal

TissueTaken = Literal["before", "after", "unknown"]

_SENTENCES: dict[TissueTaken, str] = {
    "after": (
        "Tissue was taken after the outcome was known, so this is discrimination of a state, not prognosis: it does not show that "
        "expression measured earlier would predict who will respond."
    ),
    "before": (
        "Tissue was taken before the outcome was known, so prediction is possible in principle; that it holds in other subjects "
        "takes a cohort of its own to show."
    ),
    "unknown": (
        "Was tissue taken before or after the outcome was known? The job does not say (`cohort.taken: before` or `after`). If after, "
        "this is discrimination of a state, not prognosis."
    ),
}


def describe_timing(taken: TissueTaken) -> str:
    """Return what the time of taking tissue allows to conclude, in one or two sentences."""
    return _SENTENCES[taken]
