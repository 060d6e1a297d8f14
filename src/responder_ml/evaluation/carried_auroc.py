"""What AUROC a model should show in a second study: a prediction interval from the first study's AUROC and both sizes.

On the logit scale two variances add up: that of the first study's estimate, from the width of its 95 % interval, and that of an
AUROC in a second study of given size (Hanley and McNeil's). The interval holds where the model works in the second study as it
does in the first; a model that was learnt from the first study's noise, tissue or platform does not.

References
----------
Hanley JA, McNeil BJ (1982) The meaning and use of the area under a ROC curve. doi:10.1148/radiology.143.1.7063747
"""

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

_STEPS = float(norm.isf(0.025))


def carried_auroc_interval(
    auroc: float, interval: tuple[float, float], first: tuple[int, int], second: tuple[int, int]
) -> tuple[float, float]:
    """Return the 95 % prediction interval of the AUROC in a second study.

    Parameters
    ----------
    auroc, interval
        Of the first study; its 95 % interval.
    first, second
        Subjects of the positive and the negative class.

    Examples
    --------
    >>> low, high = carried_auroc_interval(0.8, (0.55, 0.95), (6, 7), (8, 8))
    >>> round(low, 2), round(high, 2)
    (0.36, 0.97)
    """
    # Half a pair of subjects from the ends, where logits are infinite.
    edge = 0.5 / (first[0] * first[1])
    value, low, high = np.clip([auroc, *interval], edge, 1.0 - edge)
    own = ((logit(high) - logit(low)) / (2.0 * _STEPS)) ** 2
    to_come = hanley_mcneil(float(value), *second) / (value * (1.0 - value)) ** 2
    reach = _STEPS * np.sqrt(own + to_come)
    return float(expit(logit(value) - reach)), float(expit(logit(value) + reach))


def hanley_mcneil(auroc: float, positive: int, negative: int) -> float:
    """Return Hanley and McNeil's variance of the AUROC of a fixed score."""
    first, second = auroc / (2.0 - auroc), 2.0 * auroc**2 / (1.0 + auroc)
    square = auroc**2
    total = auroc * (1.0 - auroc) + (positive - 1) * (first - square) + (negative - 1) * (second - square)
    return total / (positive * negative)
