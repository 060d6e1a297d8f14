"""Do held-out predictions correlate with the measured behaviour that the classes were derived from?

The correlation over all subjects includes the difference between the two classes. Whether the prediction says more than
the class is tested within the classes: there behaviour is permuted among subjects of one class and stratum, which changes
no label and hence no prediction, so p is exact. The p over all subjects keeps the predictions fixed, although labels
would change with the behaviour; the test of the classes is the null of the whole procedure, not this.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from responder_ml.arrays import Floats, Indices
from responder_ml.statistics.seeds import generator

FEWEST = 4
"""With fewer subjects, ranks say nothing."""


@dataclass(frozen=True)
class BehaviourAgreement:
    """Spearman's correlation of a subject's mean held-out log-odds with its behaviour.

    Attributes
    ----------
    spearman, p_value
        Over all subjects; one-sided p, behaviour permuted within strata.
    within, within_p
        The same within class and stratum: both values ranked and centred within them, behaviour permuted within them.
    permutations
        Number of random permutations.
    """

    spearman: float
    p_value: float
    within: float
    within_p: float
    permutations: int


def compare_behaviour(
    log_odds: Floats,
    behaviour: Floats,
    labels: NDArray[np.int8],
    strata: Indices,
    *,
    higher_is_positive: bool,
    seed: int,
    permutations: int = 9999,
) -> BehaviourAgreement | None:
    """Compare predictions with behaviour, one value of each per subject; None for fewer than four subjects.

    Parameters
    ----------
    log_odds
        Mean held-out log-odds of the positive class, ``(n_subjects,)``.
    behaviour
        The measured value.
    labels, strata
        Class and stratum of each subject.
    higher_is_positive
        Whether more of the behaviour belongs to the positive class; p is one-sided that way.
    seed
        The run's seed.
    permutations
        Number of random permutations.
    """
    if len(log_odds) < FEWEST:
        return None
    sign = 1.0 if higher_is_positive else -1.0
    tests = {}
    for name, groups in (("all", strata), ("within", strata * 2 + labels)):
        centred_within = groups if name == "within" else np.zeros_like(groups)
        predicted, measured = (_centred_ranks(values, centred_within) for values in (log_odds, sign * behaviour))
        rng = generator(seed, "behaviour", name)
        drawn = np.stack([_permuted(measured, groups, rng) for _ in range(permutations)])
        observed = _correlation(predicted, measured[None])[0]
        reached = np.count_nonzero(_correlation(predicted, drawn) >= observed - 1e-12)
        tests[name] = (sign * observed, (reached + 1) / (permutations + 1))
    return BehaviourAgreement(*tests["all"], *tests["within"], permutations)


def _centred_ranks(values: Floats, groups: Indices) -> Floats:
    """Return ranks within each group minus their mean."""
    ranks = np.empty(len(values))
    for group in np.unique(groups):
        inside = groups == group
        ranks[inside] = rankdata(values[inside]) - (np.count_nonzero(inside) + 1) / 2.0
    return ranks


def _permuted(values: Floats, groups: Indices, rng: np.random.Generator) -> Floats:
    """Return the values permuted within groups."""
    permuted = values.copy()
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        permuted[inside] = values[rng.permutation(inside)]
    return permuted


def _correlation(one: Floats, others: Floats) -> Floats:
    """Return the correlation of a vector with each row; 0 where either does not vary."""
    scale = np.sqrt((one @ one) * np.einsum("ij,ij->i", others, others))
    return np.asarray(np.divide(others @ one, scale, out=np.zeros(len(others)), where=scale > 0), dtype=np.float64)
