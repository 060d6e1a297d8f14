"""Folds of whole blocks, such as cages or litters: subjects that share one are never parted between training and held-out rows."""

import numpy as np

from responder_ml.arrays import Flags, Indices, Labels
from responder_ml.errors import EndpointError

NO_FOLD = -1
"""Instead of a fold, for subjects that are in none."""


def folds_of_blocks(
    labels: Labels, blocks: Indices, folds: int, rng: np.random.Generator, members: Flags | None = None
) -> Indices:
    """Assign whole blocks to folds, so that each fold gets about its share of both classes.

    Blocks of both classes come first, in random order, and then those of one; each goes to the fold that lacks most of what it
    holds. Exchanging labels within blocks changes nothing, so all relabellings have the same folds.

    Parameters
    ----------
    labels
        0/1 per subject.
    blocks
        Block of each subject, from 0, shape ``(n_subjects,)``.
    folds
        Number of folds, at most the number of blocks.
    rng
        Source of the random order.
    members
        Subjects to assign, all by default; a block may be in part.

    Returns
    -------
    Fold of each subject, the same for all of a block; `NO_FOLD` for those left out.

    Raises
    ------
    EndpointError
        There are fewer blocks than folds.
    """
    chosen = np.ones(len(labels), dtype=bool) if members is None else members
    order = rng.permutation(int(blocks.max()) + 1)
    counts = np.zeros((len(order), 2))
    np.add.at(counts, (blocks[chosen], labels[chosen]), 1.0)
    order = order[counts[order].sum(axis=1) > 0]
    if folds < 2 or len(order) < folds:
        raise EndpointError(
            f"{folds} folds need at least {max(folds, 2)} blocks, but there are {len(order)}. Use fewer folds or more blocks."
        )
    # Blocks of both classes are compared within, so each fold needs one; large blocks before small ones of their kind.
    is_pure, size = counts[order].min(axis=1) == 0, counts[order].sum(axis=1)
    order = order[np.lexsort([-size, is_pure])]
    # Both classes and their sum: a fold with more of one class should not be the next to get the other.
    share = np.column_stack([counts, counts.sum(axis=1)]) / np.maximum([*counts.sum(axis=0), counts.sum()], 1.0)
    filled, number = np.zeros((folds, 3)), np.zeros(folds)
    fold_of_block = np.full(len(counts), NO_FOLD, dtype=np.intp)
    for index, block in enumerate(order):
        # Of the folds without any block, one must get this block when there are no more blocks than such folds.
        is_open = number == 0 if len(order) - index <= np.count_nonzero(number == 0) else number >= 0
        excess = np.sum((filled + share[block]) ** 2 - filled**2, axis=1)
        fold = int(np.argmin(np.where(is_open, np.round(excess, 9), np.inf)))
        fold_of_block[block] = fold
        filled[fold] += share[block]
        number[fold] += 1
    return np.where(chosen, fold_of_block[blocks], NO_FOLD)
