"""The highest AUROC that labels of a stated reliability allow.

Classes are often cut from a measurement that would come out a little otherwise on another day. Let ``m`` be the measurement and
``t`` the true value behind it, both standard normal with correlation ``sqrt(r)``. The reliability r is the correlation of two
measurements of the same subjects. A predictor that knows t without error is then still wrong about some labels, and its AUROC is
``P(t_1 > t_0)`` for a subject with ``m_1`` among the highest and one with ``m_0`` among the lowest.

References
----------
Spearman C (1904) The proof and measurement of association between two things. doi:10.2307/1412159
"""

from math import sqrt

import numpy as np
from scipy.integrate import cumulative_simpson, simpson
from scipy.stats import norm

# Beyond so many standard deviations there is nobody; steps are a thousandth of one.
_REACH, _STEPS = 9.0, 18_000


def label_ceiling(reliability: float, positive_share: float, negative_share: float) -> float:
    """Return the AUROC of the true value against labels cut from the measurement.

    Parameters
    ----------
    reliability
        Above 0, at most 1.
    positive_share, negative_share
        Shares of all measured subjects above the upper cut and below the lower one; they add up to 1 where one cut makes both
        classes, and to less where those between two cuts are left out.

    Raises
    ------
    ValueError
        A reliability or a share is out of its range.

    Examples
    --------
    >>> round(label_ceiling(0.8, 0.5, 0.5), 3)
    0.936
    """
    if not 0.0 < reliability <= 1.0:
        raise ValueError(f"the reliability is {reliability}; a number above 0 and at most 1 is expected")
    if min(positive_share, negative_share) <= 0.0 or positive_share + negative_share > 1.0 + 1e-12:
        raise ValueError(
            f"the shares are {positive_share} and {negative_share}; two above 0 that add up to at most 1 are expected"
        )
    if reliability == 1.0:
        return 1.0
    true = np.linspace(-_REACH, _REACH, _STEPS + 1)
    error = sqrt(1.0 - reliability)
    above = norm.sf((norm.isf(positive_share) - sqrt(reliability) * true) / error)
    below = norm.cdf((norm.ppf(negative_share) - sqrt(reliability) * true) / error)
    density = norm.pdf(true)
    reached = cumulative_simpson(density * below, x=true, initial=0.0)
    return float(min(simpson(density * above * reached, x=true) / (positive_share * negative_share), 1.0))
