"""How far out a further sample of the training kind lies only rarely, from few left-out training samples."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

Floats = NDArray[np.float64]

BEYOND = 0.005
"""Share of samples of the training kind expected beyond each limit."""


def prediction_limit(values: Floats, n_independent: int, beyond: float = BEYOND, least_spread: float = 0.0) -> float:
    """Return what a further normal value exceeds with probability ``beyond``.

    ``mean + t(1 - beyond; n - 1) x sd x sqrt(1 + 1 / n)``

    Parameters
    ----------
    values
        Shape ``(n_samples,)``.
    n_independent
        Number of subjects behind them, at least 2.
    beyond
        The probability.
    least_spread
        Standard deviation taken where that of the values is smaller.

    Raises
    ------
    ValueError
        Fewer than 2 values or subjects.
    """
    if values.size < 2 or n_independent < 2:
        raise ValueError(f"a limit needs 2 values of 2 subjects, not {values.size} of {n_independent}")
    quantile = float(t.ppf(1.0 - beyond, n_independent - 1))
    spread = max(float(values.std(ddof=1)), least_spread)
    return float(values.mean() + quantile * spread * np.sqrt(1.0 + 1.0 / n_independent))
