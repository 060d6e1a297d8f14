"""Folds of subjects: balanced by class first and by stratum within class, drawn afresh from a seed.

Chance never looks at a label: it puts all subjects in one order, and labels say who is dealt in which turn. Relabelled subjects
are thereby dealt as they would have been had these been their labels all along, whatever the order of the sample sheet.
"""

import numpy as np
from numpy.typing import NDArray

from responder_ml.exceptions import EndpointError

NO_FOLD = -1
"""In place of a fold, for subjects that are not dealt."""


def assign_folds(
    labels: NDArray[np.integer],
    strata: NDArray[np.integer],
    folds: int,
    rng: np.random.Generator,
    members: NDArray[np.bool_] | None = None,
) -> NDArray[np.intp]:
    """Deal subjects into folds.

    All subjects are shuffled and ordered by stratum (strata themselves in random order); those of each class are dealt in
    turn, so every fold gets its share of each class and, as far as numbers allow, of each stratum within it. The second class
    is dealt on from where the first stopped, which keeps fold sizes within one of each other.

    Parameters
    ----------
    labels, strata
        Label and stratum code per subject, shape ``(n_subjects,)``.
    folds
        Number of folds, at most the size of the smaller class.
    rng
        Source of the shuffle.
    members
        Subjects to deal, all by default.

    Returns
    -------
    Fold of each subject, shape ``(n_subjects,)``; `NO_FOLD` for those left out.

    Raises
    ------
    EndpointError
        The smaller class cannot be in every fold.
    """
    offset = int(rng.integers(folds)) if folds > 0 else 0
    order = rng.permutation(len(labels))
    order = order[np.argsort(rng.permutation(int(strata.max()) + 1)[strata[order]], kind="stable")]
    if members is not None:
        order = order[members[order]]
    counts = np.bincount(labels[order], minlength=2)
    if folds < 2 or counts.min() < folds:
        raise EndpointError(
            f"{folds} folds need at least {max(folds, 2)} subjects in each class, but there are {counts[1]} and "
            f"{counts[0]}. Use fewer folds or more subjects."
        )
    return deal(labels, order, folds, offset)


def deal(labels: NDArray[np.integer], order: NDArray[np.intp], folds: int, offset: int) -> NDArray[np.intp]:
    """Deal the subjects in ``order`` into folds in turn, positives from fold ``offset`` on, then negatives."""
    assigned = np.full(len(labels), NO_FOLD, dtype=np.intp)
    for label in (1, 0):
        dealt = order[labels[order] == label]
        assigned[dealt] = (offset + np.arange(len(dealt))) % folds
        offset += len(dealt)
    return assigned
