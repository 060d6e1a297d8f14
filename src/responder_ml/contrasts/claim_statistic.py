"""What a claim statistic is, and the signatures of susceptibility and resilience all of them use.

Larger values speak for the claim in every statistic, and each is defined under every labelling: a share over an empty signature
takes the value that speaks neither way.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from responder_ml.arrays import Flags, Floats, Signs
from responder_ml.contrasts.comparisons import Comparisons


def expected_correlation(first: Mapping[str, float], second: Mapping[str, float], sizes: Mapping[str, int]) -> float:
    """Return the correlation of two contrasts of independent group means with equal variances and no effects.

    r = sum_k c_k d_k / n_k / sqrt(sum_k c_k^2 / n_k * sum_k d_k^2 / n_k)

    For susceptible - control against drug - susceptible this is -(1/n_S) / sqrt((1/n_S + 1/n_C)(1/n_S + 1/n_D)). It holds where no
    group differs from another; once stress changes genes, the correlation under no *drug* effect is smaller in size, and the mean
    over relabellings estimates it.

    Parameters
    ----------
    first, second
        Weight of each group in the two contrasts.
    sizes
        Subjects per group.

    Raises
    ------
    ValueError
        A group is unknown or empty, or a contrast has no weights.

    Examples
    --------
    >>> sizes = {"control": 5, "susceptible": 3, "drug": 3}
    >>> stress = {"susceptible": 1.0, "control": -1.0}
    >>> round(expected_correlation(stress, {"drug": 1.0, "susceptible": -1.0}, sizes), 3)
    -0.559
    """
    names = sorted({*first, *second})
    empty = [name for name in names if sizes.get(name, 0) < 1]
    if empty:
        raise ValueError(f"group sizes of 1 or more are needed for {', '.join(empty)}")
    share = 1.0 / np.array([sizes[name] for name in names], dtype=np.float64)
    c, d = (np.array([contrast.get(name, 0.0) for name in names]) for contrast in (first, second))
    scale = float(np.sqrt((c**2 @ share) * (d**2 @ share)))
    if scale == 0:
        raise ValueError("a contrast without weights has no correlation")
    return float((c * d) @ share) / scale


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


def count_genes(members: Flags) -> Floats:
    """Return the number of genes under each labelling."""
    return np.asarray(np.count_nonzero(members, axis=1), dtype=np.float64)


def rrho2_step(c: Comparisons) -> int:
    """Return the genes from one list to the next that give the wanted number of lists."""
    return max(1, -(-c.n_genes // c.cutoffs.rrho2_lists))


def correlation_without_effects(first: tuple[str, str], second: tuple[str, str], sizes: Mapping[str, int]) -> float:
    """Return the expected correlation of two contrasts, (plus, minus) each, if no group differs from any other."""
    return expected_correlation({first[0]: 1.0, first[1]: -1.0}, {second[0]: 1.0, second[1]: -1.0}, sizes)
