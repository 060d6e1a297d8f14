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
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Signs = NDArray[np.int8]

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


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_], empty: float = UNDECIDED) -> Floats:
    count, found = np.count_nonzero(whole, axis=-1), np.count_nonzero(part & whole, axis=-1)
    share = np.divide(found, count, out=np.full(np.shape(count), empty), where=np.greater(count, 0))
    return np.asarray(share, dtype=np.float64)
