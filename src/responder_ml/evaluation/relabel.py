"""Relabellings of subjects within strata: how many there are, all of them, or random ones.

Labels are exchanged between subjects of one stratum only, so every relabelling keeps the class sizes of every stratum.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from math import comb, prod

import numpy as np
from numpy.typing import ArrayLike

from responder_ml.arrays import Indices, Labels

LARGEST_COUNT_SHOWN = 10**15
"""Larger numbers of labellings are not written out: with many subjects they have thousands of digits."""


def format_count(count: int) -> str:
    """Return a number of labellings as text of limited length."""
    return f"{count:,}" if count <= LARGEST_COUNT_SHOWN else "More than 10^15"


def count_labellings(labels: ArrayLike, strata: ArrayLike) -> int:
    """Return the number of distinct labellings, the observed one included: the product of the strata's binomials.

    Parameters
    ----------
    labels
        1 or 0 per subject, shape ``(n,)``.
    strata
        Any code per subject, shape ``(n,)``; all equal for no strata.

    Raises
    ------
    ValueError
        The shapes differ, or a label is not 0 or 1.
    """
    observed, subjects_of_strata = _checked(labels, strata)
    return prod(comb(len(subjects), int(observed[subjects].sum())) for subjects in subjects_of_strata)


def smallest_exact_p(labels: ArrayLike, strata: ArrayLike) -> float:
    """Return the smallest p that all labellings can give a procedure which learns the direction of the difference.

    It is one over their number. Where both classes are of one size in every stratum, as in matched pairs, it is two: the labelling
    with all classes exchanged is then one of them, and is learnt just as well. With 3 against 3 no p is below 0.1.

    Parameters
    ----------
    labels, strata
        As for `count_labellings`.
    """
    observed, subjects_of_strata = _checked(labels, strata)
    counts = [(int(observed[subjects].sum()), int((observed[subjects] == 0).sum())) for subjects in subjects_of_strata]
    # A fraction of whole numbers: with hundreds of subjects there are more labellings than a float can count.
    return float(Fraction(2 if can_be_mirrored(counts) else 1, count_labellings(labels, strata)))


def can_be_mirrored(counts: Sequence[tuple[int, int]]) -> bool:
    """Return whether exchanging both classes of all subjects keeps the class sizes of strata of these sizes."""
    return any(positive for positive, _ in counts) and all(positive == negative for positive, negative in counts)


def are_pairs(counts: Sequence[tuple[int, int]]) -> bool:
    """Return whether strata of these positive and negative subjects are matched pairs, more than one."""
    return len(counts) > 1 and all(count == (1, 1) for count in counts)


def enumerate_labellings(labels: ArrayLike, strata: ArrayLike) -> Labels:
    """Return every labelling once, shape ``(n_labellings, n)``, int8.

    The observed one comes first, the others in lexicographic order of the positions of their positives, stratum by
    stratum. Count them before calling this: there may be very many.

    Parameters
    ----------
    labels, strata
        As for `count_labellings`.

    Raises
    ------
    ValueError
        The shapes differ, or a label is not 0 or 1.
    """
    observed, subjects_of_strata = _checked(labels, strata)
    tables = [_stratum_labellings(observed[subjects]) for subjects in subjects_of_strata]
    sizes = [len(table) for table in tables]
    choice = np.unravel_index(np.arange(prod(sizes)), sizes)
    labellings = np.empty((prod(sizes), observed.size), dtype=np.int8)
    for subjects, table, row in zip(subjects_of_strata, tables, choice, strict=True):
        labellings[:, subjects] = table[row]
    is_observed = (labellings == observed).all(axis=1)
    return np.concatenate([labellings[is_observed], labellings[~is_observed]])


def draw_labellings(labels: ArrayLike, strata: ArrayLike, count: int, rng: np.random.Generator) -> Labels:
    """Return random labellings, shape ``(count, n)``, int8: independent, each labelling equally likely.

    They may repeat one another and, by chance, the observed one. From one state of ``rng`` the first draws are the same
    whatever ``count`` is.

    Parameters
    ----------
    labels, strata
        As for `count_labellings`.
    count
        Number of draws.
    rng
        Source of the random numbers; it is spawned from, so a second call gives other draws.

    Raises
    ------
    ValueError
        The shapes differ, or a label is not 0 or 1.
    """
    observed, subjects_of_strata = _checked(labels, strata)
    drawn = np.tile(observed, (count, 1))
    # A stream per stratum: with one for all, the second stratum's draws would depend on how many the first had.
    for subjects, stream in zip(subjects_of_strata, rng.spawn(len(subjects_of_strata)), strict=True):
        drawn[:, subjects] = stream.permuted(drawn[:, subjects], axis=1)
    return drawn


def _stratum_labellings(observed: Labels) -> Labels:
    n_positive = int(observed.sum())
    chosen = np.array(list(combinations(range(observed.size), n_positive)), dtype=np.intp)
    table = np.zeros((len(chosen), observed.size), dtype=np.int8)
    np.put_along_axis(table, chosen, np.int8(1), axis=1)
    return table


def _checked(labels: ArrayLike, strata: ArrayLike) -> tuple[Labels, list[Indices]]:
    classes, codes = np.asarray(labels), np.asarray(strata)
    if classes.ndim != 1 or classes.shape != codes.shape:
        raise ValueError(f"one stratum per label is expected, but the shapes are {classes.shape} and {codes.shape}")
    if not np.isin(classes, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
    return classes.astype(np.int8), [np.flatnonzero(codes == code) for code in np.unique(codes)]
