"""Locally weighted regression with robust iterations, point for point what R's ``lowess`` does.

References
----------
Cleveland WS (1979) Robust locally weighted regression and smoothing scatterplots. J Am Stat Assoc 74:829-836.
doi:10.1080/01621459.1979.10481038
"""

import numpy as np

from responder_ml.arrays import Floats

# Shares of a distance within which a weight counts as 1, and beyond which as 0; they guard against rounding.
_NEAR, _FAR = 0.001, 0.999


def lowess(x: Floats, y: Floats, span: float = 2.0 / 3.0, iterations: int = 3, delta: float | None = None) -> Floats:
    """Return the smoothed ``y`` at each ``x``, which must be in ascending order.

    At each point a line is fitted to its ``span * n`` nearest neighbours with tricube weights; then ``iterations`` times again
    with bisquare weights from the residuals. Points nearer than ``delta`` to the last fitted one are interpolated.

    Parameters
    ----------
    x, y
        Shape ``(n,)``.
    span
        Share of points in each neighbourhood.
    iterations
        Robust iterations.
    delta
        Distance on ``x``; a hundredth of its range by default.

    Raises
    ------
    ValueError
        The lengths differ or ``x`` is not in ascending order.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.shape != y.shape or np.any(np.diff(x) < 0):
        raise ValueError("lowess needs x in ascending order and one y for each")
    if x.size < 2:
        return y.copy()
    neighbours = int(np.clip(int(span * x.size + 1e-7), 2, x.size))
    gap = 0.01 * float(x[-1] - x[0]) if delta is None else delta
    robust: Floats | None = None
    for round_ in range(iterations + 1):
        fitted = _smooth(x, y, neighbours, gap, robust)
        if round_ == iterations:
            break
        size = np.abs(y - fitted)
        limit = 6.0 * float(np.median(size))
        if limit < 1e-7 * float(size.mean()):
            break
        robust = _weights(size, limit, power=2)
    return fitted


def _smooth(x: Floats, y: Floats, neighbours: int, gap: float, robust: Floats | None) -> Floats:
    """Fit at anchors at most ``gap`` apart and interpolate between them."""
    fitted = np.empty_like(y)
    left, last, at = 0, -1, 0
    while True:
        left = _window(x, at, left, neighbours)
        fitted[at] = _local_line(x, y, at, left, left + neighbours - 1, robust)
        if at - last > 1:
            share = (x[last + 1 : at] - x[last]) / (x[at] - x[last])
            fitted[last + 1 : at] = share * fitted[at] + (1.0 - share) * fitted[last]
        same = int(np.searchsorted(x, x[at], side="right"))
        fitted[at:same] = fitted[at]
        last = same - 1
        if last >= x.size - 1:
            return fitted
        beyond = int(np.searchsorted(x, x[last] + gap, side="right"))
        at = max(last + 1, beyond - 1)


def _window(x: Floats, at: int, left: int, neighbours: int) -> int:
    """Move the window right while that brings its far end nearer than the point it leaves."""
    while left + neighbours < x.size and x[at] - x[left] > x[left + neighbours] - x[at]:
        left += 1
    return left


def _local_line(x: Floats, y: Floats, at: int, left: int, right: int, robust: Floats | None) -> float:
    here = x[at]
    width = max(here - x[left], x[right] - here)
    # Ties of the window's right end take part, too.
    stop = int(np.searchsorted(x, x[right], side="right"))
    near = slice(left, stop)
    weight = _weights(np.abs(x[near] - here), width, power=3)
    if robust is not None:
        weight = weight * robust[near]
    total = weight.sum()
    if total <= 0:
        return float(y[at])
    weight = weight / total
    if width > 0:
        centre = float(weight @ x[near])
        spread = float(weight @ (x[near] - centre) ** 2)
        if np.sqrt(spread) > 0.001 * (x[-1] - x[0]):
            weight = weight * ((here - centre) / spread * (x[near] - centre) + 1.0)
    return float(weight @ y[near])


def _weights(distance: Floats, width: float, power: int) -> Floats:
    """Return tricube (power 3) or bisquare (power 2) weights."""
    if width <= 0:
        return np.asarray(distance <= 0, dtype=np.float64)
    inner = (1.0 - (np.minimum(distance, width) / width) ** power) ** power
    return np.where(distance <= _NEAR * width, 1.0, np.where(distance <= _FAR * width, inner, 0.0))
