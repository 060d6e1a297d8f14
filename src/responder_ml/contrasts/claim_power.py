"""How likely a claim is called consistent if it holds in full, at given group sizes: closed form, no data.

"In full" means changes as large as the stress change: responders brought back to control (R3, R4, R6a), given all of the
resilient animals' own change (R5), non-responders moved as far in a direction of their own (R6b) or as far the opposite way (R6c),
two drugs as far in unrelated directions (R7). Values of the claim's products and their covariance follow from the group sizes, the
size of the stress change and the number of independent directions of noise (`true_changes`); products are taken as normal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy.stats import t as student_t

from responder_ml.arrays import Floats
from responder_ml.contrasts.claim_tests import ClaimTest, Exchange, build_tests
from responder_ml.contrasts.groups import CONTROL, NON_RESPONDER, RESILIENT, RESPONDER, SUSCEPTIBLE, Groups
from responder_ml.contrasts.relabelling import count_arrangements
from responder_ml.contrasts.true_changes import AnimalDesign, TrueChanges
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


@dataclass(frozen=True)
class ClaimReach:
    """What group sizes allow for one claim about all drugs together.

    Attributes
    ----------
    claim
        Code.
    drugs
        Drugs, joined by ``+``.
    sizes
        Animals of the groups involved.
    smallest_p
        Smallest p that relabelling allows; 0 where nothing is relabelled.
    power_weak, power_strong
        Probability of "consistent" if the claim holds in full, beside a `WEAK` and a `STRONG` stress change.
    needed_weak, needed_strong
        Smallest group for a power of `TARGET`, all groups enlarged alike; None where no size searched gives it.
    """

    claim: str
    drugs: str
    sizes: Mapping[str, int]
    smallest_p: float
    power_weak: float
    power_strong: float
    needed_weak: int | None
    needed_strong: int | None


def reach_of_claims(sizes: Mapping[str, int], alpha: float) -> list[ClaimReach]:
    """Return what group sizes allow for every claim that these groups can be asked, before any data.

    Parameters
    ----------
    sizes
        Animals per group, two or more of each, named as `founding_groups` names them.
    alpha
        Level.
    """
    sizes = dict(sorted(sizes.items()))
    names = tuple(sizes)
    tests = [test for test in build_tests(_exact_changes(names)) if test.claim != "R2" or not test.drugs]
    most = {claim: max(len(test.drugs) for test in tests if test.claim == claim) for claim in {t.claim for t in tests}}
    reach = []
    for test in (test for test in tests if len(test.drugs) == most[test.claim]):
        smallest = max((1.0 / _relabellings(part.exchange, sizes) for part in test.parts if part.exchange), default=0.0)
        possible = smallest <= alpha
        reach.append(
            ClaimReach(
                claim=test.claim,
                drugs="+".join(test.drugs),
                sizes={names[index]: sizes[names[index]] for index in test.groups},
                smallest_p=smallest,
                power_weak=power_of(test, sizes, WEAK, alpha) if possible else 0.0,
                power_strong=power_of(test, sizes, STRONG, alpha) if possible else 0.0,
                needed_weak=needed_size(test, sizes, WEAK, alpha),
                needed_strong=needed_size(test, sizes, STRONG, alpha),
            )
        )
    return reach


def _exact_changes(names: tuple[str, ...]) -> TrueChanges:
    """Return changes of two animals a group that show a full induction without noise, from which to build tests."""
    groups = Groups(names, np.repeat(np.arange(len(names)), 2))
    values, vectors = np.linalg.eigh(full_truth("R5", names, STRONG))
    means = (vectors * np.sqrt(np.maximum(values, 0.0)))[groups.codes]
    jitter = 1e-4 * generator(0, "exact animals").normal(size=(len(means), 4 * len(names)))
    return TrueChanges(np.column_stack([means, jitter]), AnimalDesign(groups))


def _relabellings(exchange: Exchange, sizes: Mapping[str, int]) -> int:
    codes = [np.repeat(np.arange(len(names)), [sizes[name] for name in names]) for names in exchange]
    return prod(count_arrangements(members) for members in codes)


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
