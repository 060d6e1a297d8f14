"""Subject bootstrap of group comparisons: subjects are redrawn within their groups, residual variances stay as they are.

Draws are seeded by the group and the names of its subjects, so a subject that gives several regions is redrawn alike in all of them.
With three subjects to a group a bootstrap is a rough guide: read the intervals as "not narrower than this".

References
----------
Efron B (1981) Nonparametric standard errors and confidence intervals. Can J Stat 9:139-158. doi:10.2307/3314608
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from responder_ml.contrasts.contrast import Groups
from responder_ml.statistics.seeds import generator

Floats = NDArray[np.float64]


def redraw_subjects(groups: Groups, subjects: Sequence[str], draws: int, seed: int) -> Floats:
    """Return how often each subject is drawn, draws x subjects; every group keeps its size.

    Parameters
    ----------
    groups
        Group of each subject; subjects without a group are never drawn.
    subjects
        Their names, one row each.
    draws
        Bootstrap draws.
    seed
        The run's seed.
    """
    drawn = np.zeros((draws, groups.codes.size))
    for code, group in enumerate(groups.names):
        members = np.flatnonzero(groups.codes == code)
        if members.size:
            names = [subjects[place] for place in members]
            ordered = members[np.argsort(names, kind="stable")]
            rng = generator(seed, "bootstrap", group, "\x1f".join(sorted(names)))
            drawn[:, ordered] = rng.multinomial(members.size, np.full(members.size, 1.0 / members.size), size=draws)
    return drawn


def corrected_interval(draws: Floats, observed: Floats, level: float = 0.95) -> Floats:
    """Return bias-corrected percentile intervals.

    The quantiles are taken at Phi(2 z0 + z), z0 the normal quantile of the share of draws below the observed value (ties by half): a
    redrawn share or correlation of noisy contrasts is pulled outwards, and this takes the pull back at the median.

    Parameters
    ----------
    draws
        Bootstrap values, draws x statistics.
    observed
        ``(n_statistics,)``.
    level
        Nominal coverage.

    Returns
    -------
    numpy.ndarray
        Lower and upper ends, statistics x 2.
    """
    count = len(draws)
    below = (draws < observed).mean(axis=0) + 0.5 * (draws == observed).mean(axis=0)
    centre = norm.ppf(np.clip(below, 0.5 / count, 1.0 - 0.5 / count))
    ends = norm.ppf([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    wanted = norm.cdf(2.0 * centre[:, None] + ends)
    return np.stack([np.quantile(column, share) for column, share in zip(draws.T, wanted, strict=True)])
