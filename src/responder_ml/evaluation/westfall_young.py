"""Westfall and Young's correction of p values over jobs that were relabelled together (step-down minP).

Each job's statistic is turned into a p against that job's own null, so that jobs of different sizes and spreads can be
compared. A job with few labellings cannot look surprising: its p is never below one over their number. The smallest p
over the jobs, under each joint relabelling, is the null of the smallest observed p. The family-wise error is held at its
level whatever the dependence between jobs. Stepping down from the smallest p assumes, as always, that the jobs without
effect have the same joint distribution whether or not others have one.

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
        The p of each job under each joint relabelling, jobs x relabellings; the first column is of the observed labels.
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
    """Return the corrected p a job would have if its observed labels were the best of all its labellings.

    The other jobs stay as they are.

    Parameters
    ----------
    p_values
        As for `correct_p_values`.
    job
        Index of the job.
    smallest
        The smallest p the job can have.
    """
    with_smallest = p_values.copy()
    with_smallest[job, 0] = smallest
    return float(correct_p_values(with_smallest)[job])
