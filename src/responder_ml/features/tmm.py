"""The trimmed mean of M-values: what to multiply a sample's library size by before it is compared with a reference sample.

References
----------
Robinson MD, Oshlack A (2010) A scaling normalization method. Genome Biol 11:R25. doi:10.1186/gb-2010-11-3-r25
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LOG_RATIO_TRIM = 0.3
_SUM_TRIM = 0.05


def tmm_factor(sample: Floats, reference: Floats) -> float:
    """Return edgeR's trimmed mean of M-values of one sample of counts against a reference, not re-centred.

    Parameters
    ----------
    sample, reference
        Counts over the same genes, shape ``(n_genes,)``.
    """
    total, reference_total = sample.sum(), reference.sum()
    both = (sample > 0) & (reference > 0)
    if not np.any(both):
        return 1.0
    own, other = sample[both], reference[both]
    a, b = own / total, other / reference_total
    log_ratio = np.log2(a / b)
    mean_log = 0.5 * np.log2(a * b)
    if max(log_ratio.max(), -log_ratio.min()) < 1e-6:
        return 1.0
    count = log_ratio.size
    low_ratio, low_sum = np.floor(count * _LOG_RATIO_TRIM) + 1, np.floor(count * _SUM_TRIM) + 1
    kept = _ranks_within(log_ratio, low_ratio) & _ranks_within(mean_log, low_sum)
    if not np.any(kept):
        return 1.0
    own, other, log_ratio = own[kept], other[kept], log_ratio[kept]
    inverse_weight = (total - own) / total / own
    inverse_weight += (reference_total - other) / reference_total / other
    weights = 1.0 / inverse_weight
    return float(2.0 ** (np.sum(log_ratio * weights) / np.sum(weights)))


def _ranks_within(values: Floats, low: float) -> NDArray[np.bool_]:
    """Tell whose average rank is at least ``low`` from either end, without ranking all."""
    ends = _order_statistics(values, int(low) - 1, len(values) - int(low))
    inside = np.asarray((values > ends[0]) & (values < ends[1]), dtype=np.bool_)
    for end in {float(end) for end in ends}:
        tied = values == end
        rank = np.count_nonzero(values < end) + (np.count_nonzero(tied) + 1) / 2
        if low <= rank <= len(values) + 1 - low:
            inside |= tied
    return inside


def _order_statistics(values: Floats, first: int, second: int) -> Floats:
    """Return two order statistics; numpy is several times faster at one after the other than at both in one call."""
    least, most = sorted((first, second))
    upper = np.partition(values, least)[least:]
    found = {least: upper[0], most: np.partition(upper, most - least)[most - least]}
    return np.array([found[first], found[second]])
