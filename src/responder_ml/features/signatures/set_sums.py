"""Weighted sums over the genes of every set at once: a sparse product, never a dense genes x sets table."""

from typing import Any

import numpy as np

from responder_ml.arrays import Floats


def set_sums(values: Floats, weights: Any) -> Floats:
    """Return each sample's weighted sum over each set's genes, samples x sets.

    A sample's sums are added up in gene order whoever stands beside it. Fastest for some 20 samples at a time: their
    sums over thousands of sets then stay in a processor's cache.

    Parameters
    ----------
    values
        Samples x genes.
    weights
        ``scipy.sparse.csr_array``, genes x sets.
    """
    # Transposed, the rows of genes become columns that scipy walks through once, in storage order.
    return np.asarray((weights.T @ np.ascontiguousarray(values.T)).T, dtype=np.float64)


def side_totals(members: Any, amounts: Floats) -> Floats:
    """Return, for each entry of the sets, the sum of ``amounts`` over all entries on its side of its set.

    Parameters
    ----------
    members
        ``scipy.sparse.csr_array``, genes x sets, signed: positive for up, negative for down.
    amounts
        One number for each stored entry of ``members``.
    """
    # Widened once: counting and looking up would each do it again.
    side = members.indices.astype(np.intp)
    if members.data.min(initial=0.0) < 0:
        side += members.shape[1] * (members.data < 0)
    return np.asarray(np.bincount(side, weights=amounts)[side], dtype=np.float64)
