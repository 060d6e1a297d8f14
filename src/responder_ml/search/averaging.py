"""Auto is the weighted mean of the candidates' log-odds; this is the one place where its weights are decided.

The mean of log-odds is the log-odds of the normalised geometric mean of the candidates' probabilities (a logarithmic
opinion pool). No candidate is chosen, so neither luck in the inner folds nor the order of candidates in a job turns the result.

References
----------
Genest C, Zidek JV (1986) Combining probability distributions. doi:10.1214/ss/1177013825
"""

import numpy as np

from responder_ml.arrays import Floats


def candidate_weights(inner_scores: Floats) -> Floats:
    """Return the weight of each candidate in auto, in each outer fold.

    Parameters
    ----------
    inner_scores
        Best inner objective, candidates x folds; not-a-number where nothing is tuned.

    Returns
    -------
    Candidates x folds; columns add up to one. Equal weights, whether or not anything was tuned: an inner AUROC of few
    subjects is too noisy to weigh by. Candidates may be listed in any order: their weights follow them.
    """
    return np.full(inner_scores.shape, 1.0 / len(inner_scores))


def weighted_sum(values: Floats, weights: Floats) -> Floats:
    """Return the sum of weight times value over the first axis, to the last bit whatever the order along it.

    Parameters
    ----------
    values
        One entry of the first axis for each member.
    weights
        Broadcast against ``values``.
    """
    # The terms are added in order of size, since rounding depends on the order.
    return np.asarray(np.sort(values * weights, axis=0).sum(axis=0), dtype=np.float64)
