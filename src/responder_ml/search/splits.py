"""Folds of subjects: balanced by class first and by stratum within class, drawn afresh from a seed."""

import numpy as np
from numpy.typing import NDArray

from responder_ml.exceptions import EndpointError


def assign_folds(
    labels: NDArray[np.integer], strata: NDArray[np.integer], folds: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Deal subjects into folds.

    Within each class, subjects are shuffled, ordered by stratum (strata themselves in random order) and dealt in turn,
    so every fold gets its share of each class and, as far as numbers allow, of each stratum within it. The second class
    is dealt on from where the first stopped, which keeps fold sizes within one of each other.

    Parameters
    ----------
    labels, strata
        Label and stratum code per subject, shape ``(n_subjects,)``.
    folds
        Number of folds, at most the size of the smaller class.
    rng
        Source of the shuffle.

    Returns
    -------
    Fold of each subject, shape ``(n_subjects,)``.

    Raises
    ------
    EndpointError
        The smaller class cannot be in every fold.
    """
    counts = np.bincount(labels, minlength=2)
    if folds < 2 or counts.min() < folds:
        raise EndpointError(
            f"{folds} folds need at least {max(folds, 2)} subjects in each class, but there are {counts[1]} and "
            f"{counts[0]}. Use fewer folds or more subjects."
        )
    assigned = np.empty(len(labels), dtype=np.intp)
    offset = int(rng.integers(folds))
    for label in (1, 0):
        members = rng.permutation(np.flatnonzero(labels == label))
        order = rng.permutation(int(strata.max()) + 1)[strata[members]]
        members = members[np.argsort(order, kind="stable")]
        assigned[members] = (offset + np.arange(len(members))) % folds
        offset += len(members)
    return assigned
