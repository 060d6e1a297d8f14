"""Probabilities of several classes from those of every two of them: pairwise coupling.

For a sample, let ``r_ij`` be the probability of class i where only i and j are possible. The probabilities ``p`` of all classes
minimise the sum over i and j of ``(r_ji p_i - r_ij p_j)^2`` under the constraint that they add up to one: with
``Q_ii = sum_s r_si^2`` (s other than i) and ``Q_ij = -r_ji r_ij`` the solution of a linear system, which is never negative.

References
----------
Wu TF, Lin CJ, Weng RC (2004) Probability estimates for multi-class classification by pairwise coupling. J Mach Learn Res
    5:975-1005 (the second of their methods)
Hastie T, Tibshirani R (1998) Classification by pairwise coupling. doi:10.1214/aos/1028144844
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from responder_ml.arrays import Floats

# As in LIBSVM: with probabilities of exactly 0 and 1 the system may have no single solution.
_LEAST = 1e-7


def couple(decisions: Mapping[tuple[int, int], ArrayLike], n_classes: int) -> Floats:
    """Return the probability of each class; they add up to one along the last axis.

    Parameters
    ----------
    decisions
        For every two classes, as codes of which the first is positive, log-odds of any shape, the same for all.
    n_classes
        Number of classes.

    Examples
    --------
    >>> couple({(0, 1): 0.0, (0, 2): 0.0, (1, 2): 0.0}, 3).round(3).tolist()
    [0.333, 0.333, 0.333]
    """
    shape = np.shape(next(iter(decisions.values())))
    wins = np.zeros((*shape, n_classes, n_classes))
    for (first, second), log_odds in decisions.items():
        probability = np.clip(expit(np.asarray(log_odds, dtype=np.float64)), _LEAST, 1.0 - _LEAST)
        wins[..., first, second] = probability
        wins[..., second, first] = 1.0 - probability
    losses = np.swapaxes(wins, -1, -2)
    system = np.zeros((*shape, n_classes + 1, n_classes + 1))
    system[..., :n_classes, :n_classes] = -losses * wins
    classes = np.arange(n_classes)
    system[..., classes, classes] = np.sum(losses**2, axis=-1)
    system[..., n_classes, :n_classes] = system[..., :n_classes, n_classes] = 1.0
    target = np.zeros((*shape, n_classes + 1, 1))
    target[..., n_classes, 0] = 1.0
    solved = np.linalg.solve(system, target)[..., :n_classes, 0]
    # Rounding may leave the smallest a little below zero.
    solved = np.maximum(solved, 0.0)
    return np.asarray(solved / solved.sum(axis=-1, keepdims=True), dtype=np.float64)
