"""The upper tail of the hypergeometric distribution on a logarithmic scale, for many overlaps at once."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from responder_ml.arrays import Floats, Integers

# Terms below this share of their sum no longer change it.
_NEGLIGIBLE = 1e-17
_TERMS_PER_CHECK = 16


def log_overlap_tail(overlap: ArrayLike, first: ArrayLike, second: ArrayLike, total: int) -> Floats:
    """Return ln P(X >= overlap), X the overlap of two random sets of given sizes among ``total`` items.

    The tail is summed outwards from the overlap, on the side where terms decrease; p is never 0 and its logarithm never minus
    infinity for an overlap that can occur.

    Parameters
    ----------
    overlap, first, second
        Overlap and sizes of the two sets, broadcast against each other.
    total
        Number of items both sets were drawn from.

    Raises
    ------
    ValueError
        An overlap above the smaller set, or a set above ``total``.
    """
    k, a, b = (np.asarray(number, dtype=np.int64) for number in np.broadcast_arrays(overlap, first, second))
    if np.any(k > np.minimum(a, b)) or np.any(np.maximum(a, b) > total):
        raise ValueError("an overlap exceeds the smaller set, or a set exceeds the total")
    shape = k.shape
    k, a, b = k.ravel(), a.ravel(), b.ravel()
    lowest = np.maximum(a + b - total, 0)
    log_p = np.zeros(k.size)
    # The mode is the largest x with (x)(total - a - b + x) <= (a - x + 1)(b - x + 1).
    above = k > ((a + 1) * (b + 1)) // (total + 2)
    below = ~above & (k > lowest)
    log_p[above] = _log_sum(k[above], a[above], b[above], total, upwards=True)
    others = _log_sum(k[below] - 1, a[below], b[below], total, upwards=False)
    log_p[below] = np.log(-np.expm1(np.minimum(others, -1e-300)))
    return np.minimum(log_p, 0.0).reshape(shape)


def log_overlap_bounds(overlap: ArrayLike, first: ArrayLike, second: ArrayLike, total: int) -> tuple[Floats, Floats]:
    """Return a lower and an upper bound of `log_overlap_tail`, cheaper than the tail itself.

    The tail is at least its first term p. Each further term is the one before times a ratio that decreases, so with a first ratio r
    below 1 the tail is at most the geometric series p / (1 - r).

    Parameters
    ----------
    overlap, first, second, total
        As for `log_overlap_tail`.
    """
    k, a, b = (np.asarray(number, dtype=np.int64) for number in np.broadcast_arrays(overlap, first, second))
    log_factorial = gammaln(np.arange(1.0, total + 2.0))
    rest = total - a - b + k
    term = (
        log_factorial[a] + log_factorial[total - a] + log_factorial[b] + log_factorial[total - b] - log_factorial[total]
    )
    term -= log_factorial[k] + log_factorial[a - k] + log_factorial[b - k] + log_factorial[np.maximum(rest, 0)]
    ratio = (a - k) * (b - k) / ((k + 1.0) * (np.maximum(rest, 0) + 1.0))
    # An overlap below the least possible one is certain to be reached; one at or below the mode gives no upper bound.
    low = np.where(rest < 0, 0.0, np.minimum(term, 0.0))
    bounded = (rest >= 0) & (ratio < 1.0)
    high = np.where(bounded, np.minimum(term - np.log1p(-np.where(bounded, ratio, 0.0)), 0.0), 0.0)
    # A margin keeps rounding from putting the bounds in the wrong order.
    return low - 1e-6, high + 1e-6


def _log_sum(overlap: Integers, first: Integers, second: Integers, total: int, *, upwards: bool) -> Floats:
    """Return the logarithm of the probabilities of ``overlap`` and of all overlaps above or below it."""
    k, a, b = (number.astype(np.float64) for number in (overlap, first, second))
    rest = total - a - b
    start = _log_choose(a, k) + _log_choose(total - a, b - k) - _log_choose(np.full(b.shape, float(total)), b)
    series, term, live = np.ones(k.shape), np.ones(k.shape), np.arange(k.size)
    step = 0
    while live.size:
        x = k[live] + step if upwards else k[live] - step
        live_a, live_b, live_rest = a[live], b[live], rest[live]
        if upwards:
            ratio = (live_a - x) * (live_b - x) / ((x + 1.0) * (live_rest + x + 1.0))
        else:
            ratio = x * (live_rest + x) / ((live_a - x + 1.0) * (live_b - x + 1.0))
        term[live] *= ratio
        series[live] += term[live]
        step += 1
        if step % _TERMS_PER_CHECK == 0 or step == 1:
            live = live[term[live] > _NEGLIGIBLE * series[live]]
    return np.asarray(start + np.log(series), dtype=np.float64)


def _log_choose(n: Floats, k: Floats) -> Floats:
    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0), dtype=np.float64)
