"""What a claim statistic is, and the signatures of susceptibility and resilience that the statistics use.

Larger values of every statistic support the claim, and each is defined under every labelling: a share over an empty signature takes
the value that supports neither the claim nor its opposite.

Contrasts that share a group are correlated even without any effect. That correlation follows from the group sizes alone and is the
design value of the statistics that are correlations.

References
----------
Majewski IJ et al. (2010) Opposing roles of polycomb repressive complexes in hematopoietic stem and progenitor cells. Blood
116:731-739. doi:10.1182/blood-2009-12-260760 (technical and biological correlation of contrasts)
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from responder_ml.arrays import Flags, Floats, Signs
from responder_ml.contrasts.comparisons import Comparisons
from responder_ml.contrasts.groups import CONTROL, RESILIENT, SUSCEPTIBLE

SHARE, CORRELATION, COUNT = (0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)
"""Bounds of the kinds of statistic."""


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


def count_genes(members: Flags) -> Floats:
    """Return the number of genes under each labelling."""
    return np.asarray(np.count_nonzero(members, axis=1), dtype=np.float64)


def rrho2_step(c: Comparisons) -> int:
    """Return the step between list sizes that gives the number of lists set in the cut-offs."""
    return max(1, -(-c.n_genes // c.cutoffs.rrho2_lists))


def expected_correlation(first: tuple[str, str], second: tuple[str, str], sizes: Mapping[str, int]) -> float:
    """Return the correlation of two contrasts of independent group means with equal variances and no effects.

    r = sum_k c_k d_k / n_k / sqrt(sum_k c_k^2 / n_k * sum_k d_k^2 / n_k), c_k and d_k the weights of group k, n_k its size.

    For susceptible - control and drug - susceptible this is -(1/n_S) / sqrt((1/n_S + 1/n_C)(1/n_S + 1/n_D)). It holds where no
    group differs from another; once stress changes genes, the correlation under no *drug* effect is smaller in size, and the mean
    over relabellings estimates it.

    Parameters
    ----------
    first, second
        Groups of the two contrasts: the mean of the first less the mean of the second.
    sizes
        Subjects per group.

    Examples
    --------
    >>> sizes = {"control": 5, "susceptible": 3, "drug": 3}
    >>> round(expected_correlation(("susceptible", "control"), ("drug", "susceptible"), sizes), 3)
    -0.559
    """
    names = sorted({*first, *second})
    share = 1.0 / np.array([sizes[name] for name in names], dtype=np.float64)
    c, d = (np.array([float(name == plus) - float(name == minus) for name in names]) for plus, minus in (first, second))
    return float((c * d) @ share) / float(np.sqrt((c**2 @ share) * (d**2 @ share)))
