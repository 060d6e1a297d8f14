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
        "Was tissue taken before or after the outcome was known? The job does not say (`cohort.taken: before` or `after`). If "
        "after, this is discrimination of a state, not prognosis."
    ),
}

_LIMITS: dict[TissueTaken, str] = {
    "after": "Research only: it tells apart states of tissue taken after the outcome, and foretells nothing.",
    "before": "Research only: that it foretells the outcome of other subjects has not been shown.",
    "unknown": (
        "Research only: whether its tissue was taken before or after the outcome was not said; if after, it foretells nothing."
    ),
}


def describe_timing(taken: TissueTaken) -> str:
    """Return what the time of taking tissue allows to conclude, in one or two sentences."""
    return _SENTENCES[taken]


def limit_by_timing(taken: TissueTaken) -> str:
    """Return what a model of such tissue is not for, in one sentence."""
    return _LIMITS[taken]


def weakest_timing(*cohorts: TissueTaken) -> TissueTaken:
    """Return the time that holds for several cohorts together: after if for one, unknown if for one, else before."""
    return next((taken for taken in ("after", "unknown") if taken in cohorts), "before")
