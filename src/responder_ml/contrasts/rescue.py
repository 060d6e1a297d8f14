"""Rescue: the slope of (drug - control) on (susceptible - control) by errors in variables, and the angle it stands for.

Both contrasts are estimated with error, and their errors are correlated because they share the control group. The line through
the origin that allows for this (generalised Deming regression) minimises, over slopes b,
``sum (y - b x)^2 / (v_yy - 2 b v_xy + b^2 v_xx)`` with V the covariance of the errors. Slope 1 is no rescue, 0 a full one, negative
overshoots. Where stress itself changes nothing there is no line to find and the slope is arbitrary; the angle stays bounded, and by
symmetry is 0 on average when susceptible and treated animals are exchangeable and equally many.

References
----------
Fuller WA (1987) Measurement error models. Wiley. doi:10.1002/9780470316665
York D (1969) Least squares fitting of a straight line with correlated errors. Earth Planet Sci Lett 5:320-324.
doi:10.1016/S0012-821X(68)80059-7
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NO_RESCUE = 45.0
"""Angle of slope 1, degrees."""


def rescue_slope(stress: Floats, treated: Floats, covariance: Floats) -> Floats:
    """Return the errors-in-variables slope of treated on stress; infinite if the line is vertical.

    Parameters
    ----------
    stress
        Susceptible less control, each gene over its residual standard deviation, ``(..., n_genes)``.
    treated
        Drug less control, likewise.
    covariance
        Covariance of the two errors in the same units, ``(2, 2)``: for groups of n_S, n_D and n_C subjects
        1/n_S + 1/n_C, 1/n_D + 1/n_C on the diagonal and 1/n_C beside it.
    """
    x, y = _direction(stress, treated, covariance)
    return np.divide(y, x, out=np.full(np.shape(x), np.inf), where=x != 0)


def rescue_angle(stress: Floats, treated: Floats, covariance: Floats) -> Floats:
    """Return by how many degrees the line is turned from no rescue towards rescue, in (-90, 90].

    45 is full rescue (slope 0), between 45 and 90 the treated move beyond control, negative is aggravation.

    Parameters
    ----------
    stress, treated, covariance
        As for `rescue_slope`.
    """
    x, y = _direction(stress, treated, covariance)
    turned = NO_RESCUE - np.degrees(np.arctan2(y, x))
    return np.asarray(90.0 - np.mod(90.0 - turned, 180.0), dtype=np.float64)


def _direction(stress: Floats, treated: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Return the direction of the line: the largest axis of the second moments relative to the errors'."""
    chol = np.linalg.cholesky(covariance)
    inverse = np.linalg.inv(chol)
    moments = np.stack(
        [
            np.stack([_product(stress, stress), _product(stress, treated)], axis=-1),
            np.stack([_product(stress, treated), _product(treated, treated)], axis=-1),
        ],
        axis=-2,
    )
    whitened = inverse @ moments @ inverse.T
    axis = np.linalg.eigh(whitened)[1][..., :, -1]
    line = np.einsum("ij,...j->...i", chol, axis)
    return line[..., 0], line[..., 1]


def _product(first: Floats, second: Floats) -> Floats:
    return np.asarray(np.einsum("...g,...g->...", first, second) / first.shape[-1], dtype=np.float64)
