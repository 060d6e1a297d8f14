"""Trimmed mean of M-values (TMM): the factor that makes a sample's library size comparable with a reference sample's.

A factor depends on the sample and the reference alone. It is what edgeR's ``.calcFactorTMM`` returns, before
``calcNormFactors`` re-centres the factors of all samples: re-centring would make a sample depend on who else is there. Models
that compare with the same reference can share the factors of many samples (`shared_factors`).

References
----------
Robinson MD, Oshlack A (2010) A scaling normalization method. Genome Biol 11:R25. doi:10.1186/gb-2010-11-3-r25
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from responder_ml.arrays import Flags, Floats

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
    in_both = (sample > 0) & (reference > 0)
    if not np.any(in_both):
        return 1.0
    own, other = sample[in_both], reference[in_both]
    a, b = own / total, other / reference_total
    log_ratio = np.log2(a / b)
    mean_log = 0.5 * np.log2(a * b)
    if max(log_ratio.max(), -log_ratio.min()) < 1e-6:
        return 1.0
    count = log_ratio.size
    low_ratio, low_sum = np.floor(count * _LOG_RATIO_TRIM) + 1, np.floor(count * _SUM_TRIM) + 1
    untrimmed = _ranks_within(log_ratio, low_ratio) & _ranks_within(mean_log, low_sum)
    if not np.any(untrimmed):
        return 1.0
    own, other, log_ratio = own[untrimmed], other[untrimmed], log_ratio[untrimmed]
    inverse_weight = (total - own) / total / own
    inverse_weight += (reference_total - other) / reference_total / other
    weights = 1.0 / inverse_weight
    return float(2.0 ** (np.sum(log_ratio * weights) / np.sum(weights)))


def tmm_factors(samples: Floats, reference: Floats) -> Floats:
    """Return `tmm_factor` of every sample against a reference, shape ``(n_samples,)``.

    Parameters
    ----------
    samples
        Counts, samples x genes.
    reference
        Counts over the same genes, shape ``(n_genes,)``.
    """
    store = _STORE.get()
    factors = None if store is None else store.look_up(samples, reference)
    if factors is None:
        factors = np.array([tmm_factor(row, reference) for row in samples])
        if store is not None:
            store.add(samples, reference, factors)
    return factors


@contextmanager
def shared_factors() -> Iterator[None]:
    """Let `tmm_factors` return stored factors inside, in this thread; the samples must not be written to until it ends.

    Outer models of one cohort nearly always choose one of a few reference samples, and a factor takes longer than all else
    that a model of single genes does with a sample.
    """
    token = _STORE.set(_FactorStore())
    try:
        yield
    finally:
        _STORE.reset(token)


class _FactorStore:
    """Factors computed so far. The samples are held, so that no other array can take their place in memory."""

    def __init__(self) -> None:
        self._entries: list[tuple[Floats, Floats, Floats]] = []

    def look_up(self, samples: Floats, reference: Floats) -> Floats | None:
        for stored_samples, stored_reference, factors in self._entries:
            if stored_samples is samples and np.array_equal(stored_reference, reference):
                return factors
        return None

    def add(self, samples: Floats, reference: Floats, factors: Floats) -> None:
        self._entries.append((samples, reference, factors))


_STORE: ContextVar[_FactorStore | None] = ContextVar("stored TMM factors", default=None)


def _ranks_within(values: Floats, low: float) -> Flags:
    """Return which values have an average rank of at least ``low`` from either end, without ranking all."""
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
    low, high = sorted((first, second))
    upper = np.partition(values, low)[low:]
    statistics = {low: upper[0], high: np.partition(upper, high - low)[high - low]}
    return np.array([statistics[first], statistics[second]])
