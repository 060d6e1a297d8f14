"""Rescue: how much of the stress signal a drug takes away, by regression with errors in variables.

With x = susceptible - control and y = drug - control of each gene, the slope of y on the true x is 1 without rescue, 0 for a full
one, negative beyond control. Ordinary regression gets it wrong twice: x is estimated with error, and the errors of x and y are
correlated because both contain the controls. Both are known from the design, so

    slope = (S_xy - V_xy) / (S_xx - V_xx),        rescued share = 1 - slope = (S_xz - V_xz) / (S_xx - V_xx),   z = x - y

with S mean products over genes in units of residual standard deviation and V the error covariance. ``S_xz`` is the mean product of
susceptible - control and susceptible - drug, and ``V_xz = 1 / n_susceptible`` is the part of it that the shared susceptible
animals make by themselves: the artefact behind published reversal percentages, taken off.

The total least squares (Deming) slope is not used: it has no place for changes of the drug's own, and turns towards them.

References
----------
Fuller WA (1987) Measurement error models. Wiley. doi:10.1002/9780470316665 (section 1.2, and 2.2 with an error in the equation)
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Stress signals below this share of the noise in susceptible - control cannot be divided by.
_SMALLEST_SIGNAL = 0.1


def rescued_share(stress: Floats, treated: Floats, covariance: Floats) -> Floats:
    """Return the share of the stress signal that is gone in treated animals: 0 none, 1 all, above 1 beyond control.

    Where the stress signal ``S_xx - V_xx`` is below a tenth of its noise ``V_xx``, that tenth stands for it, so that the share is
    small instead of arbitrary.

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
    noise = covariance[0, 0]
    signal = _product(stress, stress) - noise
    removed = _product(stress, stress - treated) - (noise - covariance[0, 1])
    return np.asarray(removed / np.maximum(signal, _SMALLEST_SIGNAL * noise), dtype=np.float64)


def _product(first: Floats, second: Floats) -> Floats:
    return np.asarray(np.einsum("...g,...g->...", first, second) / first.shape[-1], dtype=np.float64)
