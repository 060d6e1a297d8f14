"""Folds of subjects: balanced by class first and by stratum within class, drawn afresh from a seed.

The random order of the subjects does not depend on their labels; labels only decide who is assigned in which turn. Relabelled
subjects are therefore assigned exactly as if these had been their labels from the start, whatever the order of the sample sheet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from responder_ml.arrays import Flags, Indices, Labels
from responder_ml.errors import EndpointError
from responder_ml.search.block_folds import NO_FOLD, folds_of_blocks

if TYPE_CHECKING:
    from responder_ml.search.draw import SearchPlan

# In a stratum with fewer subjects of a class than this, all others would be held out at once.
_LEAST_IN_STRATUM = 2


class Split(Protocol):
    """Which subjects are trained on, which are decided, and in which fold; no fold trains on the subjects it decides."""

    @property
    def trains(self) -> Flags:
        """Subjects that are trained on in folds other than their own, boolean over subjects."""

    @property
    def decided(self) -> Flags:
        """Subjects that are decided in their own fold, boolean over subjects."""

    def assign(
        self, labels: Labels, strata: Indices, plan: "SearchPlan", repeat: int, rng: np.random.Generator
    ) -> Indices:
        """Return the fold in which each subject is left out of training; `NO_FOLD` for subjects that never are."""


NEITHER = -1
"""Instead of a label, for subjects of neither of the two classes that are compared: no model is trained on them."""


class EverySubject:
    """Ordinary cross-validation: every subject is decided by a model trained on the other folds.

    Parameters
    ----------
    n_subjects
        Number of subjects.
    block_of
        Block of each subject, which folds keep together; None without any.
    """

    def __init__(self, n_subjects: int, block_of: Indices | None = None) -> None:
        self._block_of = block_of
        self.trains = np.ones(n_subjects, dtype=bool)
        self.decided = self.trains

    def assign(
        self, labels: Labels, strata: Indices, plan: "SearchPlan", repeat: int, rng: np.random.Generator
    ) -> Indices:
        """Return the fold of each subject, as `complete_folds` or `assign_folds` does, or their likes for pairs and blocks."""
        if self._block_of is not None:
            return folds_of_blocks(labels, self._block_of, plan.folds, rng)
        if plan.paired:
            return complete_folds_of_pairs(strata, repeat) if plan.complete else folds_of_pairs(strata, plan.folds, rng)
        if plan.complete:
            return complete_folds(labels, strata, repeat)
        members = None if (labels != NEITHER).all() else labels != NEITHER
        return assign_folds(labels, strata, plan.folds, rng, members)


@dataclass(frozen=True)
class FoldsOfClasses:
    """Cross-validation of several classes: the models of every two of them have the same folds, and decide all who are held out.

    A fold is left out of the training of every pair, and the model of a pair decides all of its subjects, those of the other
    classes too.

    Attributes
    ----------
    classes
        Class code of each subject, whatever labels a pair has.
    """

    classes: Labels

    @property
    def trains(self) -> Flags:
        """Everybody: labels say which two classes a model is trained on."""
        return np.ones(len(self.classes), dtype=bool)

    decided = trains

    def assign(
        self, labels: Labels, strata: Indices, plan: "SearchPlan", repeat: int, rng: np.random.Generator
    ) -> Indices:
        """Return the fold of each subject: random, each class spread over the folds, at most as many as its subjects."""
        codes = range(int(self.classes.max()), -1, -1)
        return assign_in_turn(
            self.classes, _shuffled(strata, rng, None), plan.folds, int(rng.integers(plan.folds)), codes
        )


@dataclass(frozen=True)
class AcrossCohorts:
    """Training on one cohort, deciding another, where some subjects are in both.

    A subject of both is listed twice among the subjects, once with its rows of each cohort. The training rows of a subject
    are left out in the fold in which its rows of the other cohort are decided.

    Attributes
    ----------
    trains, decided
        Subjects of the first and of the second cohort, boolean over all.
    partner
        For each subject of the first cohort its index in the second, -1 elsewhere.
    """

    trains: Flags
    decided: Flags
    partner: Indices

    def assign(
        self, labels: Labels, strata: Indices, plan: "SearchPlan", repeat: int, rng: np.random.Generator
    ) -> Indices:
        """Return the fold of each subject: those of both cohorts are assigned first, then those of the second alone.

        Parameters
        ----------
        labels, strata, rng
            As for `assign_folds`.
        plan
            Its folds, at most the size of the smaller class decided, are used.
        repeat
            Not used: the folds are random.
        """
        folds = plan.folds
        shared = np.zeros(len(labels), dtype=bool)
        shared[self.partner[self.partner >= 0]] = True
        assigned = np.full(len(labels), NO_FOLD, dtype=np.intp)
        for members in (shared, self.decided & ~shared):
            in_turn = assign_in_turn(labels, _shuffled(strata, rng, members), folds, int(rng.integers(folds)))
            assigned[members] = in_turn[members]
        first = np.flatnonzero(self.partner >= 0)
        assigned[first] = assigned[self.partner[first]]
        return assigned


def complete_size(strata_counts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the folds and rounds of a complete design.

    Parameters
    ----------
    strata_counts
        Positive and negative subjects of each stratum.
    """
    smaller = [min(count) for count in strata_counts]
    if not _kept_apart([size for size in smaller if size > 0]):
        smaller = [min(sum(counts) for counts in zip(*strata_counts, strict=True))]
    return sum(max(size, 1) for size in smaller), max(smaller)


def count_classes(labels: Labels, strata: Indices) -> list[tuple[int, int]]:
    """Return the positive and negative subjects of each stratum, in the order of the codes."""
    return [
        (int(np.sum(labels[strata == code] == 1)), int(np.sum(labels[strata == code] == 0)))
        for code in np.unique(strata)
    ]


def complete_folds(labels: Labels, strata: Indices, repeat: int) -> Indices:
    """Assign subjects to the folds of one round of a complete design.

    A stratum whose smaller class has m subjects has m folds of its own. Each holds out one subject of the smaller class and its
    share of the larger one, which moves on by one fold each round. Over m rounds every subject of one class therefore meets every
    subject of the other class and the same stratum in exactly one fold: the pairs of leave-pair-out cross-validation, each decided
    once, in few training sets and without a random number. There are as many rounds as the stratum with the largest m needs;
    smaller ones begin again.

    Subjects of different strata never share a fold, so they are not compared. If a positive subject of one stratum were held
    out with a negative one of another, class and stratum would be associated among the rest, and what strata differ in would be
    learnt as if it were the class, in the wrong direction.

    A stratum of one class only has a single fold of its own, in which nothing is compared.
    Where the smaller class of some stratum has a single subject, strata are not kept apart.

    Parameters
    ----------
    labels, strata
        Label and stratum code per subject, shape ``(n_subjects,)``.
    repeat
        The round, from 0.

    References
    ----------
    Airola A, Pahikkala T, Waegeman W, De Baets B, Salakoski T (2011) doi:10.1016/j.csda.2010.11.018 (leave-pair-out)
    """
    if not _kept_apart([min(count) for count in count_classes(labels, strata) if min(count) > 0]):
        strata = np.zeros_like(strata)
    assigned = np.full(len(labels), NO_FOLD, dtype=np.intp)
    first = 0
    for code in np.unique(strata):
        members = np.flatnonzero(strata == code)
        smaller, larger = sorted((members[labels[members] == 1], members[labels[members] == 0]), key=len)
        if not len(smaller):
            assigned[members] = first
            first += 1
            continue
        assigned[smaller] = first + np.arange(len(smaller))
        assigned[larger] = first + (np.arange(len(larger)) + repeat) % len(smaller)
        first += len(smaller)
    return assigned


def _kept_apart(smaller: Sequence[int]) -> bool:
    """Return whether a complete design keeps strata apart, given the size of the smaller class of each that has both."""
    return min(smaller, default=0) >= _LEAST_IN_STRATUM


def complete_folds_of_pairs(pairs: Indices, repeat: int) -> Indices:
    """Assign matched pairs to the folds of one round of a complete design.

    Each fold holds out two pairs, and over all rounds every two pairs are held out together exactly once: a round-robin
    tournament. With an odd number one pair of each round is held out alone. The design has no random number.

    Parameters
    ----------
    pairs
        Pair of each subject, shape ``(n_subjects,)``.
    repeat
        The round, from 0 to `rounds_of_pairs` less one.

    Returns
    -------
    Fold of each subject, the same for both members of a pair.
    """
    names, pair_of = np.unique(pairs, return_inverse=True)
    rounds = rounds_of_pairs(len(names))
    # The circle method: one stands still, the others move on by one seat each round; with an odd number nobody stands.
    fold = np.empty(rounds + 1, dtype=np.intp)
    seats = (repeat + np.arange(rounds)) % rounds
    fold[seats] = np.minimum(np.arange(rounds), rounds - np.arange(rounds))
    fold[rounds] = 0
    return fold[pair_of]


def rounds_of_pairs(n_pairs: int) -> int:
    """Return the number of rounds in which every two pairs meet once."""
    return n_pairs - 1 + n_pairs % 2


def folds_of_pairs(pairs: Indices, folds: int, rng: np.random.Generator, members: Flags | None = None) -> Indices:
    """Assign matched pairs to folds at random; labels play no part, since every pair has one subject of each class.

    Parameters
    ----------
    pairs
        Pair of each subject, shape ``(n_subjects,)``.
    folds
        Number of folds, at most the number of pairs.
    rng
        Source of the shuffle.
    members
        Subjects to assign, whole pairs, all by default.

    Returns
    -------
    Fold of each subject, the same for both members of a pair; `NO_FOLD` for those left out.

    Raises
    ------
    EndpointError
        There are fewer pairs than folds.
    """
    names, pair_of = np.unique(pairs, return_inverse=True)
    order = rng.permutation(len(names))
    if members is not None:
        order = order[np.isin(order, pair_of[members])]
    if folds < 2 or len(order) < folds:
        raise EndpointError(
            f"{folds} folds need at least {max(folds, 2)} pairs, but there are {len(order)}. Use fewer folds or more pairs."
        )
    fold = np.full(len(names), NO_FOLD, dtype=np.intp)
    fold[order] = np.arange(len(order)) % folds
    return fold[pair_of]


def assign_folds(
    labels: Labels,
    strata: Indices,
    folds: int,
    rng: np.random.Generator,
    members: Flags | None = None,
) -> Indices:
    """Assign subjects to folds.

    All subjects are shuffled and ordered by stratum (strata themselves in random order); those of each class are then assigned to
    the folds in turn, so every fold gets its share of each class and, as far as numbers allow, of each stratum within it. The
    second class continues where the first stopped, which keeps fold sizes within one of each other.

    Parameters
    ----------
    labels, strata
        Label and stratum code per subject, shape ``(n_subjects,)``.
    folds
        Number of folds, at most the size of the smaller class.
    rng
        Source of the shuffle.
    members
        Subjects to assign, all by default.

    Returns
    -------
    Fold of each subject, shape ``(n_subjects,)``; `NO_FOLD` for those left out.

    Raises
    ------
    EndpointError
        The smaller class cannot be in every fold.
    """
    offset = int(rng.integers(folds)) if folds > 0 else 0
    order = _shuffled(strata, rng, members)
    counts = np.bincount(labels[order], minlength=2)
    if folds < 2 or counts.min() < folds:
        raise EndpointError(
            f"{folds} folds need at least {max(folds, 2)} subjects in each class, but there are {counts[1]} and "
            f"{counts[0]}. Use fewer folds or more subjects."
        )
    return assign_in_turn(labels, order, folds, offset)


def assign_in_turn(labels: Labels, order: Indices, folds: int, offset: int, classes: Iterable[int] = (1, 0)) -> Indices:
    """Assign the subjects in ``order`` to folds in turn, class by class, those of the first class from fold ``offset`` on."""
    assigned = np.full(len(labels), NO_FOLD, dtype=np.intp)
    for label in classes:
        subjects = order[labels[order] == label]
        assigned[subjects] = (offset + np.arange(len(subjects))) % folds
        offset += len(subjects)
    return assigned


def _shuffled(strata: Indices, rng: np.random.Generator, members: Flags | None) -> Indices:
    """Return some subjects, all by default, in random order, stratum by stratum."""
    order = rng.permutation(len(strata))
    order = order[np.argsort(rng.permutation(int(strata.max()) + 1)[strata[order]], kind="stable")]
    return order if members is None else order[members[order]]
