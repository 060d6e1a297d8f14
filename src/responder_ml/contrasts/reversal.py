"""Reversal of a signature by a second contrast: shares of genes with the opposite sign, and the share of the stress signal rescued.

Shares of genes are what "reversed" usually means in print. Without any effect they are not one half: where the two contrasts share
a group, `claim_statistic.expected_correlation` gives their correlation, and a signature selected from the first is reversed by the
second in most genes (95 % for 5 control, 3 susceptible and 3 treated animals, none of them affected). Where a signature is empty
they take the value that supports neither reversal nor its opposite.

Rescue is how much of the stress signal a drug takes away, by regression with errors in variables. With x = susceptible - control
and y = drug - control of each gene, the slope of y on the true x is 1 without rescue, 0 for a full one, negative beyond control.
Ordinary regression gets it wrong twice: x is estimated with error, and the errors of x and y are correlated because both contain
the controls. Both are known from the design, so

    slope = (S_xy - V_xy) / (S_xx - V_xx),        rescued share = 1 - slope = (S_xz - V_xz) / (S_xx - V_xx),   z = x - y

with S mean products over genes in units of residual standard deviation and V the error covariance. ``S_xz`` is the mean product of
susceptible - control and susceptible - drug, and ``V_xz = 1 / n_susceptible`` is the part of it that comes from the shared
susceptible animals alone: the artefact behind published reversal percentages, subtracted here.

The total least squares (Deming) slope is not used: it makes no allowance for other changes by the drug, which bias it.

All functions work along the last axis.

References
----------
Bagot RC et al. (2017) Biol Psychiatry 81:285-295. doi:10.1016/j.biopsych.2016.06.012
Fuller WA (1987) Measurement error models. Wiley. doi:10.1002/9780470316665 (section 1.2, and 2.2 with an error in the equation)
"""

import numpy as np

from responder_ml.arrays import Flags, Floats, Signs

_UNDECIDED = 0.5
"""Share returned for a signature without genes."""
# A stress signal below this share of the noise in susceptible - control is too small to divide by.
_SMALLEST_SIGNAL = 0.1


def reversal_share(signature: Signs, change: Floats) -> Floats:
    """Return the share of signature genes whose change has the opposite sign; one half if there are none.

    share = #{g : s_g c_g < 0} / #{g : s_g != 0}

    Parameters
    ----------
    signature
        Direction of each gene in the signature, 0 outside it, ``(..., n_genes)``.
    change
        The second contrast, any signed statistic, ``(..., n_genes)``.
    """
    return _share(signature * np.sign(change) < 0, signature != 0)


def agreement_share(signature: Signs, change: Floats) -> Floats:
    """Return the share of signature genes whose change has the same sign; one half if there are none."""
    return _share(signature * np.sign(change) > 0, signature != 0)


def called_reversal_share(signature: Signs, called: Signs) -> Floats:
    """Return the share of signature genes the second contrast calls in the opposite direction; 0 if there are none.

    Parameters
    ----------
    signature, called
        Directions, 0 where not in the signature or not called, ``(..., n_genes)``.
    """
    return _share(signature * called < 0, signature != 0, empty=0.0)


def signature_shift(signature: Signs, change: Floats) -> Floats:
    """Return the mean of sign times change over signature genes, in the units of the change; 0 if there are none."""
    members = np.count_nonzero(signature, axis=-1)
    total = np.einsum("...g,...g->...", signature.astype(np.float64), change)
    shift = np.divide(total, members, out=np.zeros(np.shape(total)), where=members > 0)
    return np.asarray(shift, dtype=np.float64)


def rescued_share(stress: Floats, treated: Floats, covariance: Floats) -> Floats:
    """Return the share of the stress signal that is gone in treated animals: 0 none, 1 all, above 1 beyond control.

    Where the stress signal ``S_xx - V_xx`` is below a tenth of its noise ``V_xx``, that tenth replaces it, so that the share is
    small instead of arbitrary.

    Parameters
    ----------
    stress
        Susceptible less control, each gene over its residual standard deviation, ``(..., n_genes)``.
    treated
        Drug less control, likewise.
    covariance
        Covariance of the two errors in the same units, ``(2, 2)``: for groups of n_S, n_D and n_C subjects
        1/n_S + 1/n_C, 1/n_D + 1/n_C on the diagonal and 1/n_C off it.
    """
    noise = covariance[0, 0]
    signal = _product(stress, stress) - noise
    removed = _product(stress, stress - treated) - (noise - covariance[0, 1])
    return np.asarray(removed / np.maximum(signal, _SMALLEST_SIGNAL * noise), dtype=np.float64)


def _share(part: Flags, members: Flags, empty: float = _UNDECIDED) -> Floats:
    total, count = np.count_nonzero(members, axis=-1), np.count_nonzero(part & members, axis=-1)
    share = np.divide(count, total, out=np.full(np.shape(total), empty), where=np.greater(total, 0))
    return np.asarray(share, dtype=np.float64)


def _product(first: Floats, second: Floats) -> Floats:
    return np.asarray(np.einsum("...g,...g->...", first, second) / first.shape[-1], dtype=np.float64)
