"""Subject bootstrap of group comparisons: subjects are redrawn within their groups, residual variances stay those observed.

Of a group of n subjects n - 1 are drawn, so that the mean of the redrawn varies as much as a mean of n does; drawing n would make
intervals of three subjects a fifth too narrow. Draws are seeded by the group and the names of its subjects, so a subject that
gives several regions is redrawn alike in all of them. With three subjects to a group any bootstrap is a rough guide.

References
----------
Rao JNK, Wu CFJ (1988) Resampling inference with complex survey data. J Am Stat Assoc 83:231-241.
doi:10.1080/01621459.1988.10478591
"""

from collections.abc import Sequence

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.contrasts.groups import Groups
from responder_ml.statistics.seeds import generator

_LEVEL = 0.95


def redraw_subjects(groups: Groups, subjects: Sequence[str], draws: int, seed: int) -> Floats:
    """Return how often each subject is drawn, draws x subjects; of each group one fewer than it has.

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
            names = [subjects[int(index)] for index in members]
            ordered = members[np.argsort(names, kind="stable")]
            rng = generator(seed, "bootstrap", group, "\x1f".join(sorted(names)))
            drawn[:, ordered] = rng.multinomial(
                max(1, members.size - 1), np.full(members.size, 1.0 / members.size), size=draws
            )
    return drawn


def recentred_interval(draws: Floats, observed: float) -> tuple[float, float]:
    """Return the 95 % percentile interval moved so that its median is the observed value.

    Redrawing adds noise to contrasts that already contain sampling noise, which moves shares, counts and correlations outwards;
    the spread of the draws is used, their centre is not.

    Parameters
    ----------
    draws
        Bootstrap values, ``(n_draws,)``.
    observed
        The value on the observed subjects.
    """
    low, median, high = np.quantile(draws, [(1.0 - _LEVEL) / 2.0, 0.5, (1.0 + _LEVEL) / 2.0])
    return float(observed + low - median), float(observed + high - median)
