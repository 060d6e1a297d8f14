"""Auto is the weighted mean of the candidates' log-odds; this is the one place where its weights are decided.

The mean of log-odds is the log-odds of the normalised geometric mean of the candidates' probabilities (a logarithmic
opinion pool). Where nothing is tuned every candidate weighs alike. Where candidates are tuned, those weigh alike that the inner
folds cannot tell from the best one, and the others count for nothing: a choice where there is reason for one, never by luck and
never by the order of candidates in a job.

References
----------
Genest C, Zidek JV (1986) Combining probability distributions. doi:10.1214/ss/1177013825
"""

from collections.abc import Sequence

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.search.tune import InnerScore, is_gain


def candidate_weights(scores: Sequence[InnerScore | None], inner_folds: int) -> Floats:
    """Return the weight of each candidate in auto for one outer training set; weights add up to one.

    Parameters
    ----------
    scores
        How each tuned candidate did on the same inner folds; None where nothing is tuned.
    inner_folds
        Folds of each inner repeat.
    """
    known = [score for score in scores if score is not None]
    if len(known) < len(scores):
        return np.full(len(scores), 1.0 / len(scores))
    # Of equals any will do, as long as the order of candidates does not decide.
    best = min(known, key=lambda score: (-score.value, score.loss, score.concordances.tolist()))
    near = np.array([not is_gain(best, score, inner_folds) for score in known], dtype=np.float64)
    return np.asarray(near / near.sum(), dtype=np.float64)


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
