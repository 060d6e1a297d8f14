"""The verdict on several classes: is expression related to the classes at all, and between which two of them?

The classes are tested together first. A pair counts only where both that test and its own reject: with three classes this holds the
probability of any false pair at alpha (closed testing: where two of three pairs do not differ, the third does not either), with
more classes the pairs' own p are corrected by Holm's method beside it.

References
----------
Marcus R, Peritz E, Gabriel KR (1976) On closed testing procedures. doi:10.1093/biomet/63.3.655
"""

from collections.abc import Mapping, Sequence

import numpy as np

from responder_ml.arrays import Indices, Labels
from responder_ml.evaluation.permutation import NullResult
from responder_ml.evaluation.relabel import smallest_exact_p
from responder_ml.evaluation.verdict import Verdict, is_underpowered
from responder_ml.statistics.multiple_testing import holm

_CLOSED_BY_ONE_TEST = 3


def correct_pairs(p_all: float, p_pairs: Sequence[float]) -> list[float]:
    """Return each pair's p corrected over the pairs.

    Parameters
    ----------
    p_all
        p of all classes together.
    p_pairs
        Each pair's own p.
    """
    own = np.asarray(p_pairs) if len(p_pairs) <= _CLOSED_BY_ONE_TEST else holm(p_pairs)
    return [float(p) for p in np.maximum(own, p_all)]


def judge_classes(
    names: Sequence[str],
    classes: Labels,
    strata: Indices,
    null: NullResult | None,
    macro_auroc: float,
    pair_levels: Mapping[str, str],
    alpha: float,
) -> Verdict:
    """Return the verdict on all classes.

    Parameters
    ----------
    names
        The classes.
    classes, strata
        Class code and stratum of each subject.
    null
        The null of all classes together; None where none was run.
    macro_auroc
        Mean AUROC of the pairs.
    pair_levels
        Level of the verdict of each pair, after correction, by the pair's name.
    alpha
        Significance level.
    """
    words = f"{', '.join(names[:-1])} and {names[-1]}"
    mean = f"the mean AUROC of the {len(pair_levels)} pairs of classes is {macro_auroc:.2f}"
    attainable = smallest_exact_p(classes, strata)
    if is_underpowered(attainable, alpha):
        return Verdict(
            "underpowered",
            f"Underpowered: with these subjects no p below {attainable:.2g} can be reached, so {words} cannot be told apart "
            f"by any result; {mean}.",
        )
    if null is None:
        return Verdict("not_tested", f"Not tested (null.permutations is 0): {mean}.")
    numbers = f"{mean}, {null.mean:.2f} for relabelled subjects, p = {null.p_value:.2g}"
    if not null.settled:
        low, high = null.p_interval
        return Verdict(
            "undecided",
            f"Undecided: {numbers}, between {low:.2g} and {high:.2g} after {len(null.values):,} relabellings. Allow more with "
            "null.permutations.",
        )
    if null.p_value > alpha:
        return Verdict("no_evidence", f"No evidence that expression tells {words} apart: {numbers}.")
    of_level = {
        level: [pair for pair, its in pair_levels.items() if its == level] for level in set(pair_levels.values())
    }
    if of_level.get("evidence"):
        pairs = "; ".join(of_level["evidence"])
        return Verdict("evidence", f"Evidence that expression tells {words} apart: {numbers}. Between: {pairs}.")
    if of_level.get("confounded"):
        pairs = "; ".join(of_level["confounded"])
        return Verdict("confounded", f"Confounded: {numbers}, but a nuisance explains it between {pairs}.")
    if of_level.get("not_separable"):
        pairs = "; ".join(of_level["not_separable"])
        return Verdict(
            "not_separable", f"Not separable: {numbers}, but class and nuisance are nearly the same between {pairs}."
        )
    return Verdict(
        "evidence",
        f"Evidence that expression tells {words} apart: {numbers}. No single pair of them shows it by itself.",
    )
