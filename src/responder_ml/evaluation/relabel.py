"""Relabellings of subjects within strata: how many there are, all of them, or random ones.

Labels are exchanged between subjects of one stratum only, so every relabelling keeps the class sizes of every stratum. Classes are
codes from 0: two of them, 0 and 1, or several.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb, factorial, prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from responder_ml.arrays import Indices, Labels
from responder_ml.statistics.seeds import generator

# More are surely a measurement that was taken for classes.
_MOST_CLASSES = 20
LARGEST_COUNT_SHOWN = 10**15
"""Larger numbers of labellings are not written out: with many subjects they have thousands of digits."""


def format_count(count: int) -> str:
    """Return a number of labellings as text of limited length."""
    return f"{count:,}" if count <= LARGEST_COUNT_SHOWN else "More than 10^15"


def count_labellings(labels: ArrayLike, strata: ArrayLike) -> int:
    """Return the number of distinct labellings, the observed one included: the product of the strata's multinomials.

    Parameters
    ----------
    labels
        Class code per subject, shape ``(n,)``.
    strata
        Any code per subject, shape ``(n,)``; all equal for no strata.

    Raises
    ------
    ValueError
        The shapes differ, or a label is no class code.
    """
    observed, subjects_of_strata = _checked(labels, strata)
    return prod(_arrangements(np.bincount(observed[subjects]).tolist()) for subjects in subjects_of_strata)


def smallest_exact_p(labels: ArrayLike, strata: ArrayLike) -> float:
    """Return the smallest p that all labellings can give a procedure which learns the direction of the difference.

    It is one over their number. Where both classes are of one size in every stratum, as in matched pairs, it is two: the labelling
    with all classes exchanged is then one of them, and is learnt just as well. With 3 against 3 no p is below 0.1. Of several
    classes those of equal sizes can be exchanged in any order.

    Parameters
    ----------
    labels, strata
        As for `count_labellings`.
    """
    observed, subjects_of_strata = _checked(labels, strata)
    n_classes = int(observed.max()) + 1
    sizes = np.stack([np.bincount(observed[subjects], minlength=n_classes) for subjects in subjects_of_strata], axis=1)
    # Classes that have the same size in every stratum can change names.
    alike = Counter(tuple(of_class) for of_class in sizes.tolist() if any(of_class))
    # A fraction of whole numbers: with hundreds of subjects there are more labellings than a float can count.
    return float(Fraction(prod(map(factorial, alike.values())), count_labellings(labels, strata)))


def can_be_mirrored(counts: Sequence[tuple[int, int]]) -> bool:
    """Return whether exchanging both classes of all subjects keeps the class sizes of strata of these sizes."""
    return any(positive for positive, _ in counts) and all(positive == negative for positive, negative in counts)


def are_pairs(counts: Sequence[tuple[int, int]]) -> bool:
    """Return whether strata of these positive and negative subjects are matched pairs, more than one."""
    return len(counts) > 1 and all(count == (1, 1) for count in counts)


def enumerate_labellings(labels: ArrayLike, strata: ArrayLike) -> Labels:
    """Return every labelling once, shape ``(n_labellings, n)``, int8.

    The observed one comes first, the others in lexicographic order of the positions of their subjects of the last class, then of
    the class before it, and so on, stratum by stratum. Count them before calling this: there may be very many.

    Parameters
    ----------
    labels, strata
        As for `count_labellings`.

    Raises
    ------
    ValueError
        The shapes differ, or a label is no class code.
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
        The shapes differ, or a label is no class code.
    """
    observed, subjects_of_strata = _checked(labels, strata)
    drawn = np.tile(observed, (count, 1))
    # A stream per stratum: with one for all, the second stratum's draws would depend on how many the first had.
    for subjects, stream in zip(subjects_of_strata, rng.spawn(len(subjects_of_strata)), strict=True):
        drawn[:, subjects] = stream.permuted(drawn[:, subjects], axis=1)
    return drawn


def relabellings(labels: Labels, strata: Indices, seed: int, name: str, most: int) -> Labels:
    """Return labellings of subjects within strata, the observed one first: all, or random ones.

    Parameters
    ----------
    labels, strata
        0/1 label and stratum code of each subject.
    seed, name
        Seed and name of the random numbers.
    most
        Labellings at most.
    """
    if count_labellings(labels, strata) <= most:
        return enumerate_labellings(labels, strata)
    drawn = draw_labellings(labels, strata, most - 1, generator(seed, "null", name))
    return np.concatenate([labels[None].astype(np.int8), drawn])


def _arrangements(sizes: Sequence[int]) -> int:
    """Return the number of ways to give classes of these sizes to their subjects."""
    return prod(comb(sum(sizes[: index + 1]), size) for index, size in enumerate(sizes))


def _stratum_labellings(observed: Labels) -> Labels:
    sizes = np.bincount(observed)
    table = np.zeros((1, observed.size), dtype=np.int8)
    for code in range(len(sizes) - 1, 0, -1):
        free = np.nonzero(table == 0)[1].reshape(len(table), -1)
        chosen = np.array(list(combinations(range(free.shape[1]), int(sizes[code]))), dtype=np.intp)
        table = np.repeat(table, len(chosen), axis=0)
        positions = free[:, chosen].reshape(len(table), chosen.shape[1])
        np.put_along_axis(table, positions, np.int8(code), axis=1)
    return table


def _checked(labels: ArrayLike, strata: ArrayLike) -> tuple[Labels, list[Indices]]:
    classes, codes = np.asarray(labels), np.asarray(strata)
    if classes.ndim != 1 or classes.shape != codes.shape:
        raise ValueError(f"one stratum per label is expected, but the shapes are {classes.shape} and {codes.shape}")
    if not np.isin(classes, range(_MOST_CLASSES)).all():
        raise ValueError("labels must be class codes: 0 and 1, or 0, 1, 2 and so on")
    return classes.astype(np.int8), [np.flatnonzero(codes == code) for code in np.unique(codes)]


@dataclass(frozen=True)
class Relabelling:
    """A way to relabel subjects within strata: how many labellings there are, all of them, and random ones.

    Attributes
    ----------
    count, smallest_p, enumerate, draw
        Functions such as `count_labellings`, `smallest_exact_p`, `enumerate_labellings` and `draw_labellings`.
    """

    count: Callable[[Any, Any], int]
    smallest_p: Callable[[Any, Any], float]
    enumerate: Callable[[Any, Any], Any]
    draw: Callable[[Any, Any, int, np.random.Generator], Any]


CLASSES = Relabelling(count_labellings, smallest_exact_p, enumerate_labellings, draw_labellings)
"""Classes are exchanged."""
