"""What the number of subjects allows: folds, tuning and candidates, decided before anything is trained."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from responder_ml.errors import EndpointError
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.splits import complete_size, rounds_of_pairs

LEAST_SUBJECTS = 3
"""With fewer subjects in a class, training is refused."""
LEAST_TUNED = 12
"""With fewer subjects in a class nothing is tuned: inner folds of so few cannot tell settings apart."""
LEAST_TUNED_OUTCOME = 20
"""With fewer subjects in a half of a graded outcome nothing is tuned: concordances of a few pairs cannot tell settings apart."""
LEAST_OF_ANY_FORM = 6
"""With fewer subjects in a class only classifiers made for so few are used (those with ``fixed_form``)."""

LEAST_HELD_OUT_TWO_BY_TWO = 6
"""With fewer matched pairs one is held out at a time, which leaves more to train on."""

LEAST_FUSED = 6
"""Fusion of regions weights them by their inner folds, which need so many subjects of a class."""


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


def fit_plan_to_n(
    plan: SearchPlan,
    candidates: Sequence[Candidate],
    n_positive: int,
    n_negative: int,
    least_tuned: int = LEAST_TUNED,
    strata_counts: Sequence[tuple[int, int]] | None = None,
) -> FeasiblePlan:
    """Fit a plan to the class sizes.

    Parameters
    ----------
    plan
        As configured; ``complete`` says that the outer folds may be a complete design, because the user named none.
    candidates
        As configured.
    n_positive, n_negative
        Subjects of each class.
    least_tuned
        Subjects of the smaller class from which on settings are tuned.
    strata_counts
        Positive and negative subjects of each stratum; one stratum by default.

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
    if smaller < LEAST_OF_ANY_FORM:
        candidates = _fixed_forms(candidates, smaller)
    if smaller < least_tuned and plan.trials > 0:
        plan = replace(plan, trials=0)
        notes.append(
            f"With {smaller} subjects in the smaller class nothing is tuned: the fixed forms of "
            f"{', '.join(candidate.name for candidate in candidates)} are used, and auto is their mean."
        )
    if plan.paired:
        notes.append(
            "The unit is the pair: its members stay together in every fold, their expression is compared with the pair's mean on "
            "the log2 scale, and labels are exchanged within pairs. The score of a member has no meaning without the other."
        )
    if plan.complete and plan.trials == 0 and smaller < LEAST_TUNED:
        if plan.paired:
            return FeasiblePlan(_complete_in_pairs(plan, smaller, notes), tuple(candidates), tuple(notes))
        counts = [(n_positive, n_negative)] if strata_counts is None else list(strata_counts)
        folds, rounds = complete_size(counts)
        alike = " of the same stratum" if folds > rounds else ""
        notes.append(
            f"{folds} outer folds x {rounds} rounds hold out every pair of a positive and a negative subject{alike} together, "
            "without a random number."
        )
        return FeasiblePlan(replace(plan, folds=folds, repeats=rounds), tuple(candidates), tuple(notes))
    plan = replace(plan, complete=False)
    if plan.folds > smaller:
        notes.append(
            f"{plan.folds} outer folds do not fit {smaller} subjects in the smaller class; {smaller} are used."
        )
        plan = replace(plan, folds=smaller)
    if plan.trials == 0:
        return FeasiblePlan(plan, tuple(candidates), tuple(notes))
    least_in_training = smaller - -(-smaller // plan.folds)
    if plan.inner_folds > least_in_training:
        notes.append(
            f"{plan.inner_folds} inner folds do not fit the {least_in_training} subjects of the smaller class in a training "
            f"set; {least_in_training} are used."
        )
        plan = replace(plan, inner_folds=least_in_training)
    return FeasiblePlan(plan, tuple(candidates), tuple(notes))


def fit_plan_to_outcome(plan: SearchPlan, candidates: Sequence[Candidate], smaller: int) -> FeasiblePlan:
    """Fit a plan to a graded outcome: random folds, balanced by halves, and nothing tuned with few subjects.

    Parameters
    ----------
    plan, candidates
        As configured.
    smaller
        Subjects of the smaller half, at least 3.

    Raises
    ------
    EndpointError
        No candidate needs no tuning where nothing can be tuned.
    """
    plan, notes = replace(plan, complete=False), []
    if smaller < LEAST_OF_ANY_FORM:
        candidates = [candidate for candidate in candidates if candidate.classifier.fixed_form]
        if not candidates:
            raise EndpointError(
                f"With {smaller} subjects in the smaller half only regressors that need no tuning can be used. Add ridge to "
                "`regressors`."
            )
    if smaller < LEAST_TUNED_OUTCOME and plan.trials > 0:
        plan = replace(plan, trials=0)
        notes.append(
            f"With {smaller} subjects in the smaller half nothing is tuned: the fixed forms of "
            f"{', '.join(candidate.name for candidate in candidates)} are used, and auto is their mean."
        )
    if plan.folds > smaller:
        notes.append(f"{plan.folds} outer folds do not fit {smaller} subjects in the smaller half; {smaller} are used.")
        plan = replace(plan, folds=smaller)
    least_in_training = smaller - -(-smaller // plan.folds)
    if plan.trials and plan.inner_folds > least_in_training:
        notes.append(f"{plan.inner_folds} inner folds do not fit a training set; {least_in_training} are used.")
        plan = replace(plan, inner_folds=least_in_training)
    return FeasiblePlan(plan, tuple(candidates), tuple(notes))


def fit_plan_to_blocks(
    plan: SearchPlan, mixed_blocks: int, differing: str = "both classes"
) -> tuple[SearchPlan, list[str]]:
    """Fit a plan to blocks that folds keep together: held out at random, one with both classes at least in every fold.

    Parameters
    ----------
    plan
        As configured.
    mixed_blocks
        Number of blocks with both classes, or with different outcomes.
    differing
        What these have, in words.

    Returns
    -------
    The plan, and what was changed, one sentence each.
    """
    notes = []
    folds = max(2, min(plan.folds, mixed_blocks))
    if folds < plan.folds:
        notes.append(f"{plan.folds} outer folds do not fit {mixed_blocks} blocks of {differing}; {folds} are used.")
    inner = mixed_blocks - -(-mixed_blocks // folds)
    plan = replace(plan, complete=False, folds=folds)
    if plan.trials and inner < plan.inner_folds:
        notes.append(
            f"{inner} block(s) of {differing} in a training set are too few for {plan.inner_folds} inner folds: "
            + (f"{inner} are used." if inner > 1 else "nothing is tuned, and the fixed forms are used.")
        )
        plan = replace(plan, inner_folds=inner) if inner > 1 else replace(plan, trials=0)
    return plan, notes


def _complete_in_pairs(plan: SearchPlan, n_pairs: int, notes: list[str]) -> SearchPlan:
    """Hold out every two pairs together once, or one at a time where a training set of all others but one is too small."""
    if n_pairs < LEAST_HELD_OUT_TWO_BY_TWO:
        notes.append(f"Each of the {n_pairs} pairs is held out once, without a random number.")
        return replace(plan, folds=n_pairs, repeats=1, complete=False)
    folds, rounds = (n_pairs + 1) // 2, rounds_of_pairs(n_pairs)
    notes.append(
        f"{folds} outer folds x {rounds} rounds hold out every two of the {n_pairs} pairs together exactly once, without a random "
        "number."
    )
    return replace(plan, folds=folds, repeats=rounds)


def _fixed_forms(candidates: Sequence[Candidate], smaller: int) -> list[Candidate]:
    fixed = [candidate for candidate in candidates if candidate.classifier.fixed_form]
    if not fixed:
        names = ", ".join(sorted({candidate.classifier.name for candidate in candidates}))
        raise EndpointError(
            f"With {smaller} subjects in the smaller class nothing can be tuned, and {names} must be. "
            "Add nearest_centroid or signature_threshold to `classifiers`."
        )
    return fixed
