"""What a claim statistic is, and the signatures of susceptibility and resilience all of them use.

Larger values speak for the claim in every statistic, and each is defined under every labelling: a share over an empty signature
takes the value that speaks neither way.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.contrasts.comparisons import Comparisons
from responder_ml.contrasts.shared_reference import expected_correlation

Floats = NDArray[np.float64]
Signs = NDArray[np.int8]

CONTROL, RESILIENT, SUSCEPTIBLE = "control", "resilient", "susceptible"
SHARE, CORRELATION, COUNT = (0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)


@dataclass(frozen=True)
class Statistic:
    """One quantity computed from named groups.

    Attributes
    ----------
    claim
        Code of the claim it bears on, R2 to R7.
    name
        Its name in tables.
    summary
        What it is, in one line.
    compute
        From comparisons and group names to one value per labelling.
    genes
        Number of genes it is taken over, if that depends on the data.
    design
        Its value if no group differs from any other, from group sizes and names, where that is known in closed form.
    bounds
        Least and largest value it can take.
    """

    claim: str
    name: str
    summary: str
    compute: Callable[..., Floats]
    genes: Callable[..., Floats] | None = None
    design: Callable[..., float] | None = None
    bounds: tuple[float, float] = (-math.inf, math.inf)


def susceptible_genes(c: Comparisons) -> Signs:
    """Return genes called in susceptible - control and, where there are resilient animals, not in resilient - control."""
    if not c.has(RESILIENT):
        return c.called(SUSCEPTIBLE, CONTROL)
    return c.specific(SUSCEPTIBLE, RESILIENT, CONTROL)


def resilient_genes(c: Comparisons) -> Signs:
    """Return genes called in resilient - control and not in susceptible - control."""
    return c.specific(RESILIENT, SUSCEPTIBLE, CONTROL)


def count_genes(members: NDArray[np.bool_]) -> Floats:
    """Return the number of genes under each labelling."""
    return np.asarray(np.count_nonzero(members, axis=1), dtype=np.float64)


def rrho2_step(c: Comparisons) -> int:
    """Return the genes from one list to the next that give the wanted number of lists."""
    return max(1, -(-c.n_genes // c.cutoffs.rrho2_lists))


def correlation_without_effects(first: tuple[str, str], second: tuple[str, str], sizes: Mapping[str, int]) -> float:
    """Return the expected correlation of two contrasts, (plus, minus) each, if no group differs from any other."""
    return expected_correlation({first[0]: 1.0, first[1]: -1.0}, {second[0]: 1.0, second[1]: -1.0}, sizes)
