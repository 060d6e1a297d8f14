"""How likely a claim is called consistent if it holds in full, at given group sizes: closed form, no data.

"In full" means changes as large as the stress change: responders brought back to control (R3, R4, R6a), given all of the
resilient animals' own change (R5), non-responders moved as far in a direction of their own (R6b) or as far the opposite way (R6c),
two drugs as far in unrelated directions (R7). Values of the claim's products and their covariance follow from the group sizes, the
size of the stress change and the number of independent directions of noise (`true_changes`); products are taken as normal.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

from responder_ml.arrays import Floats
from responder_ml.contrasts.claim_tests import ClaimTest
from responder_ml.contrasts.groups import CONTROL, NON_RESPONDER, RESILIENT, RESPONDER, SUSCEPTIBLE
from responder_ml.statistics.seeds import generator

TARGET = 0.8
"""Power that the needed group sizes give."""
_DRAWS = 4000
_LARGEST_FACTOR = 16


@dataclass(frozen=True)
class Signal:
    """What a region's effects and noise are like.

    Attributes
    ----------
    stress
        Mean squared true change per gene by stress, in units of residual variance.
    dispersion
        tr(S^2) of the noise covariance S whose trace is 1: one over the number of independent directions.
    """

    stress: float
    dispersion: float


WEAK, STRONG = Signal(0.016, 0.0014), Signal(0.070, 0.0014)
"""A stress change as the package's simulated cohorts have at effect 1 and at effect 2, and their noise."""


def full_truth(claim: str, names: tuple[str, ...], signal: Signal) -> Floats:
    """Return the products of the groups' true means if the claim holds in full, groups x groups."""
    # Orthogonal directions, each as long as the stress change: stress, resilience, and one more for each of two drugs.
    rows = np.zeros((len(names), 4))
    drugs = sorted({name.removesuffix(f" {RESPONDER}") for name in names if name.endswith(f" {RESPONDER}")})
    for index, name in enumerate(names):
        if name == CONTROL:
            continue
        rows[index, 0] = 0.3 if name == RESILIENT else 1.0
        if name == RESILIENT:
            rows[index, 1] = 1.0
        elif name.endswith(f" {NON_RESPONDER}"):
            rows[index] += _non_responders(claim)
        elif name != SUSCEPTIBLE:
            rows[index] += _responders(claim, drugs.index(name.removesuffix(f" {RESPONDER}")))
    return np.asarray(rows @ rows.T * signal.stress, dtype=np.float64)


def power_of(test: ClaimTest, sizes: Mapping[str, int], signal: Signal, alpha: float) -> float:
    """Return the probability that every part of a claim that holds in full has p at most alpha.

    Parameters
    ----------
    test
        The claim; its forms are over ``sizes`` in their order.
    sizes
        Animals per group.
    signal
        Size of the stress change, and the noise.
    alpha
        Level.
    """
    truth = full_truth(test.claim, tuple(sizes), signal)
    forms = np.stack([part.form for part in test.parts])
    counts = np.array(list(sizes.values()), dtype=np.float64)
    value = np.einsum("agh,gh->a", forms, truth)
    first = np.einsum("agh,hk,bgk,g->ab", forms, truth, forms, 1.0 / counts)
    # A group's product with itself is over pairs of different animals.
    pairs = np.outer(counts, counts) - np.diag(counts)
    second = np.einsum("agh,bgh,gh->ab", forms, forms, 1.0 / pairs)
    covariance = signal.dispersion * (4.0 * first + 2.0 * second)
    error = np.sqrt(np.maximum(np.diag(covariance), np.finfo(np.float64).tiny))
    drawn = generator(0, "claim power").multivariate_normal(value, covariance, size=_DRAWS, method="svd")
    limit = float(student_t.ppf(1.0 - alpha, max(int(counts.sum()) - len(counts), 1)))
    return float(np.mean(np.all(drawn / error >= limit, axis=1)))


def needed_size(test: ClaimTest, sizes: Mapping[str, int], signal: Signal, alpha: float) -> int | None:
    """Return the smallest group when all groups are enlarged alike until the power reaches `TARGET`; None beyond 16 times."""
    names = tuple(sizes)
    smallest = min(sizes[names[index]] for index in test.groups)

    def reaches(size: int) -> bool:
        enlarged = {name: max(2, round(count * size / smallest)) for name, count in sizes.items()}
        return power_of(test, enlarged, signal, alpha) >= TARGET

    low, high = smallest - 1, smallest * _LARGEST_FACTOR
    if not reaches(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def signal_of(stress: float, error: float, dispersion: float) -> Signal:
    """Return the signal of a region: its stress change where that is above its error, else that of a strong simulated effect."""
    return Signal(stress if stress > error else STRONG.stress, dispersion)


def _responders(claim: str, drug: int) -> Floats:
    if claim == "R5":
        return np.array([0.0, 1.0, 0.0, 0.0])
    if claim == "R7":
        return np.asarray(np.eye(4)[2 + drug % 2], dtype=np.float64)
    return np.array([-1.0, 0.0, 0.0, 0.0])


def _non_responders(claim: str) -> Floats:
    direction = {"R6b": 2, "R6c": 0}.get(claim)
    return np.zeros(4) if direction is None else np.asarray(np.eye(4)[direction], dtype=np.float64)
