"""Sign reversal: the share of a signature's genes that a second contrast moves the other way.

Percentages of this kind are what "reversed" usually means in print. Without any effect they are not one half: where the two
contrasts share a group, `shared_reference.expected_correlation` gives their correlation, and a signature selected from the first
is reversed by the second in most genes (95 % for 5 control, 3 susceptible and 3 treated animals, none of them affected).

All functions work along the last axis. Where a signature is empty they return the value that speaks neither way.

References
----------
Bagot RC et al. (2017) Biol Psychiatry 81:285-295. doi:10.1016/j.biopsych.2016.06.012
"""

import numpy as np

from responder_ml.arrays import Flags, Floats, Signs

UNDECIDED = 0.5
"""Share returned for a signature without genes."""


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


def _share(part: Flags, whole: Flags, empty: float = UNDECIDED) -> Floats:
    count, found = np.count_nonzero(whole, axis=-1), np.count_nonzero(part & whole, axis=-1)
    share = np.divide(found, count, out=np.full(np.shape(count), empty), where=np.greater(count, 0))
    return np.asarray(share, dtype=np.float64)


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
