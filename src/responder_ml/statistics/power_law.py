"""An inverse power law through the points of a learning curve: ``value(m) = level - drop (m / largest)^-rate``.

References
----------
Mukherjee S et al. (2003) Estimating dataset size requirements for classifying DNA microarray data.
    doi:10.1089/106652703321825928
Figueroa RL, Zeng-Treitler Q, Kandula S, Ngo LH (2012) Predicting sample size required for classification performance.
    doi:10.1186/1472-6947-12-8
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import curve_fit

from responder_ml.arrays import Floats

LEAST_POINTS = 4
"""The law has three numbers; with fewer points than this it passes through whatever there is."""

# A slower rise than the slowest rate never comes near its level, a faster one than the fastest is a step.
_RATES = (0.25, 2.0)
_START = 0.5
# Far below what a page shows.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class PowerLaw:
    """The law of one learning curve.

    Attributes
    ----------
    level
        Value that the curve approaches, 0 to 1.
    drop
        How far below its level it is at the largest size.
    rate
        Exponent: how fast it approaches.
    largest
        Largest size that was fitted.
    """

    level: float
    drop: float
    rate: float
    largest: float

    def at(self, sizes: Floats) -> Floats:
        """Return the value at some sizes."""
        return np.asarray(self.level - self.drop * (sizes / self.largest) ** -self.rate, dtype=np.float64)

    def size_within(self, distance: float) -> float:
        """Return the size from which on the value is within ``distance`` of its level; 0 where it is everywhere."""
        # Of a slow rate the size is beyond all numbers, which is what it means.
        with np.errstate(over="ignore"):
            return float(self.largest * np.power(np.float64(self.drop / distance), 1.0 / self.rate))


def fit_power_law(sizes: Floats, values: Floats, errors: Floats) -> PowerLaw:
    """Fit the law to the points of a curve by weighted least squares, within its bounds.

    Parameters
    ----------
    sizes
        Increasing, above 0, shape ``(n_points,)``.
    values
        Between 0 and 1.
    errors
        Standard error of each value, above 0.

    Raises
    ------
    ValueError
        Fewer points than `LEAST_POINTS`.
    """
    if len(sizes) < LEAST_POINTS:
        raise ValueError(f"{len(sizes)} points; at least {LEAST_POINTS} are expected")
    shares = sizes / sizes[-1]

    def law(share: Floats, level: float, drop: float, rate: float) -> Floats:
        return np.asarray(level - drop * share**-rate, dtype=np.float64)

    def slopes(share: Floats, level: float, drop: float, rate: float) -> Floats:
        power = share**-rate
        return np.column_stack([np.ones_like(share), -power, drop * np.log(share) * power])

    rise = float(np.clip(values[-1] - values[0], 0.01, 0.5))
    start = float(np.clip(values[-1] + rise / 2, 0.0, 1.0)), rise / 2, _START
    best, _ = curve_fit(
        law, shares, values, p0=start, sigma=errors, bounds=([0.0, 0.0, _RATES[0]], [1.0, 1.0, _RATES[1]]), jac=slopes,
        method="trf", ftol=_TOLERANCE, xtol=_TOLERANCE, gtol=_TOLERANCE, max_nfev=2000,
    )  # fmt: skip
    return PowerLaw(float(best[0]), float(best[1]), float(best[2]), float(sizes[-1]))
