"""What contrasts that share a group do without any effect: their correlation follows from the group sizes alone.

References
----------
Majewski IJ et al. (2010) Opposing roles of polycomb repressive complexes in hematopoietic stem and progenitor cells. Blood
116:731-739. doi:10.1182/blood-2009-12-260760 (where technical and biological correlation are told apart)
"""

from collections.abc import Mapping

import numpy as np


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
