"""How much the headline depends on how subjects happened to be split: the same numbers from halves of the repeats.

Halves drawn without replacement vary about their mean as the whole varies between seeds: with r repeats of variance s^2 each,
the variance of half of them is s^2 / (r / 2) x (1 - 1/2) = s^2 / r, that of all r. What is shown is therefore how far another
seed would have moved the number, not how far other subjects would have. A complete design, in which no seed has a say, compares
each pair once; there a half shows what half of the pairs say.
"""

from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

import numpy as np

from responder_ml.arrays import Indices
from responder_ml.evaluation.metrics import OutOfFold
from responder_ml.evaluation.separation import measure
from responder_ml.statistics.seeds import generator

MOST_HALVES = 40
"""All halves are used up to here, otherwise as many, each beside its complement."""


@dataclass(frozen=True)
class SplitSensitivity:
    """The range of the headline, and of the separation behind its test, over halves of the repeats.

    Attributes
    ----------
    halves, repeats
        Number of halves, and of repeats in each.
    auroc, separation
        Smallest and largest AUROC, and separation of the classes by auto, before it is standardised (`separation.measure`).
    """

    halves: int
    repeats: int
    auroc: tuple[float, float]
    separation: tuple[float, float]


def split_sensitivity(out_of_fold: OutOfFold, cells: Indices, seed: int) -> SplitSensitivity | None:
    """Measure the headline on halves of its repeats; None with one repeat, or where no half compares a pair.

    Parameters
    ----------
    out_of_fold
        Decisions of the headline.
    cells
        Stratum of each subject, within which separation is measured.
    seed
        Draws the halves where they are too many to use all.
    """
    halves = list_halves(len(out_of_fold.decisions), seed)
    scores = np.array([measure(_only(out_of_fold, half), cells) for half in halves]).reshape(-1, 2)
    scores = scores[np.isfinite(scores).all(axis=1)]
    if not len(scores):
        return None
    auroc, separation = ((float(column.min()), float(column.max())) for column in scores.T)
    return SplitSensitivity(len(scores), len(halves[0]), auroc, separation)


def list_halves(repeats: int, seed: int) -> list[list[int]]:
    """Return different halves of the repeats, each a list of their numbers; none with one repeat.

    With an odd number of repeats one of them is left out of each half.
    """
    size = repeats // 2
    if size == 0:
        return []
    if comb(repeats, size) <= MOST_HALVES:
        return [list(half) for half in combinations(range(repeats), size)]
    rng, halves = generator(seed, "halves of repeats"), dict[tuple[int, ...], None]()
    while len(halves) < MOST_HALVES:
        order = rng.permutation(repeats)
        for half in (order[:size], order[size : 2 * size]):
            halves[tuple(sorted(half.tolist()))] = None
    return [list(half) for half in halves][:MOST_HALVES]


def _only(out_of_fold: OutOfFold, repeats: list[int]) -> OutOfFold:
    return replace(
        out_of_fold,
        decisions=out_of_fold.decisions[repeats],
        folds=out_of_fold.folds[repeats],
        thresholds=out_of_fold.thresholds[repeats],
    )
