"""Concordance of scores with labels, the area under the ROC curve as a count of pairs, or with a graded outcome.

References
----------
Harrell FE, Lee KL, Mark DB (1996) doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4 (graded outcomes)
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from responder_ml.arrays import Floats

# Below this many pairs, comparing all of them is faster than ranking.
_FEW_PAIRS = 4096


def pair_table(labels: NDArray[np.integer], scores: Floats) -> Floats:
    """Return 1, 0.5 or 0 for each positive (row) that scores above, equal to or below each negative (column).

    Parameters
    ----------
    labels
        1 or 0, shape ``(n,)``.
    scores
        Any real scores, shape ``(n,)``.
    """
    positive = scores[labels == 1]
    negative = scores[labels == 0]
    return np.asarray(0.5 * (np.sign(positive[:, None] - negative[None, :]) + 1.0), dtype=np.float64)


def auroc(labels: NDArray[np.integer], scores: Floats) -> float:
    """Return the share of positive-negative pairs in the right order, ties counted half; nan if a class is absent."""
    n_positive = int(np.count_nonzero(labels))
    n_negative = labels.size - n_positive
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    if n_positive * n_negative <= _FEW_PAIRS:
        return float(pair_table(labels, scores).mean())
    rank_sum = rankdata(scores)[labels == 1].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def concordance(outcome: Floats, scores: Floats) -> float:
    """Return the share of pairs in the order of their outcomes: Harrell's C where nothing is censored.

    Pairs of equal outcomes do not count; of equal scores count half. With two values it is the AUROC. Not a number where all
    outcomes are equal.

    Parameters
    ----------
    outcome, scores
        Any real numbers, shape ``(n,)``.

    Examples
    --------
    Of five pairs of different outcomes three are in the right order, and one is a tie.

    >>> concordance(np.array([1.0, 2.0, 2.0, 3.0]), np.array([0.1, 0.3, 0.0, 0.3]))
    0.7
    """
    above = outcome[:, None] > outcome[None, :]
    if not above.any():
        return float("nan")
    return float(0.5 * (np.sign(scores[:, None] - scores[None, :])[above].mean() + 1.0))
