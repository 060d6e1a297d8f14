"""One correction over several jobs that were relabelled together: the smallest p of the family, step-down.

Each job's statistic is turned into a p against that job's own null, so that jobs of other sizes and spreads can be compared, and
a job with few labellings cannot pass for a surprise: its p is never below one over their number. The p that the best job of each
joint relabelling gets make the null of the smallest p. The family's error is held at its level whatever the dependence between
jobs; stepping down from the smallest p assumes, as always, that the jobs without effect are distributed alike whether or not
others have one.

References
----------
Westfall PH, Young SS (1993) Resampling-based multiple testing. Wiley (algorithm 2.8, minP).
Ge Y, Dudoit S, Speed TP (2003) doi:10.1007/BF02595811
"""

import numpy as np

from responder_ml.arrays import Floats

# Shares of whole numbers that differ by less are the same.
_ROUNDING = 1e-9


def correct_p_values(p_values: Floats) -> Floats:
    """Return each job's corrected p.

    Parameters
    ----------
    p_values
        Jobs x relabellings, the observed labels in the first column: the p that each job has under each joint relabelling.
    """
    order = np.argsort(p_values[:, 0], kind="stable")
    corrected = np.empty(len(p_values))
    smallest = np.full(p_values.shape[1], np.inf)
    for job in order[::-1]:
        smallest = np.minimum(smallest, p_values[job])
        corrected[job] = np.mean(smallest <= p_values[job, 0] + _ROUNDING)
    # Joint draws are random even where a job's own p is exact; a correction never makes a p smaller.
    corrected = np.maximum(corrected, p_values[:, 0])
    corrected[order] = np.maximum.accumulate(corrected[order])
    return corrected


def attainable_corrected_p(p_values: Floats, job: int, smallest: float) -> float:
    """Return the corrected p of a job, had its labels been the best of all it has; the other jobs are as they are.

    Parameters
    ----------
    p_values
        As for `correct_p_values`.
    job
        Which.
    smallest
        The smallest p it can have.
    """
    best = p_values.copy()
    best[job, 0] = smallest
    return float(correct_p_values(best)[job])
