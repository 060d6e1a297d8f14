"""What the number of subjects allows: folds, tuning and candidates, decided before anything is trained."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from responder_ml.errors import EndpointError
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan

LEAST_SUBJECTS = 3
"""With fewer subjects in a class, training is refused."""
LEAST_TUNED = 6
"""With fewer subjects in a class, nothing is tuned: only classifiers with a fixed form are used."""

FEW_SUBJECTS, MOST_PAIRS = 10, 150
"""Leave-pair-out is run where a class has fewer subjects than the first, and there are at most as many pairs as the second."""


def pairs_are_few(n_positive: int, n_negative: int) -> bool:
    """Return whether every pair of a positive and a negative subject should be held out once, and can be in reasonable time."""
    return min(n_positive, n_negative) < FEW_SUBJECTS and n_positive * n_negative <= MOST_PAIRS


@dataclass(frozen=True)
class FeasiblePlan:
    """A search plan and candidates that fit the number of subjects.

    Attributes
    ----------
    plan
        With folds that fit the smaller class, and no trials where nothing may be tuned.
    candidates
        Those that can be used.
    notes
        What was changed, one sentence each.
    """

    plan: SearchPlan
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]


def fit_plan_to_n(plan: SearchPlan, candidates: Sequence[Candidate], n_positive: int, n_negative: int) -> FeasiblePlan:
    """Fit a plan to the class sizes.

    Raises
    ------
    EndpointError
        Fewer than 3 subjects in a class, or no candidate that needs no tuning where nothing can be tuned.
    """
    smaller = min(n_positive, n_negative)
    if smaller < LEAST_SUBJECTS:
        raise EndpointError(
            f"There are {n_positive} positive and {n_negative} negative subjects, but at least {LEAST_SUBJECTS} of each "
            "are needed. Add animals, or choose an endpoint with larger classes."
        )
    notes = []
    if plan.folds > smaller:
        notes.append(
            f"{plan.folds} outer folds do not fit {smaller} subjects in the smaller class; {smaller} are used."
        )
        plan = replace(plan, folds=smaller)
    if smaller < LEAST_TUNED:
        candidates = _fixed_forms(candidates, smaller)
        notes.append(
            f"With {smaller} subjects in the smaller class nothing is tuned: fixed forms of "
            f"{', '.join(candidate.name for candidate in candidates)} are used."
        )
        return FeasiblePlan(replace(plan, trials=0), tuple(candidates), tuple(notes))
    least_in_training = smaller - -(-smaller // plan.folds)
    if plan.inner_folds > least_in_training:
        notes.append(
            f"{plan.inner_folds} inner folds do not fit the {least_in_training} subjects of the smaller class in a training "
            f"set; {least_in_training} are used."
        )
        plan = replace(plan, inner_folds=least_in_training)
    return FeasiblePlan(plan, tuple(candidates), tuple(notes))


def _fixed_forms(candidates: Sequence[Candidate], smaller: int) -> list[Candidate]:
    fixed = [candidate for candidate in candidates if candidate.classifier.fixed_form]
    if not fixed:
        names = ", ".join(sorted({candidate.classifier.name for candidate in candidates}))
        raise EndpointError(
            f"With {smaller} subjects in the smaller class nothing can be tuned, and {names} must be. "
            "Add nearest_centroid or signature_threshold to `classifiers`."
        )
    return fixed
