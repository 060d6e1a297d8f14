"""Samples that lack some of a model's training genes, filled so that what is missing says as little as possible."""

import numpy as np

from responder_ml.arrays import Flags, Floats
from responder_ml.features.tmm import tmm_factor


def typical_sample(values: Floats, units: str) -> Floats:
    """Return the sample every training sample is nearest to on average, in ``units``.

    For counts that is each gene's mean share of the library times the median library; otherwise the mean.

    Parameters
    ----------
    values
        Training samples x genes.
    units
        ``counts``, ``log2`` or ``tpm``.
    """
    if units != "counts":
        return np.asarray(values.mean(axis=0), dtype=np.float64)
    library = values.sum(axis=1)
    shares = values / np.maximum(library, 1.0)[:, None]
    return np.asarray(shares.mean(axis=0) * np.median(library), dtype=np.float64)


def fill_missing(values: Floats, found: Flags, typical: Floats, units: str) -> Floats:
    """Give missing genes what a typical training sample would have had.

    Counts are scaled to the sample: the effective library is worked out by trimmed mean of M-values on the genes that
    are there, sample against typical sample. The library size, the reference comparison and the within-sample ranks
    that a builder then computes over all training genes are those of the genes present, undistorted by the filling.

    Parameters
    ----------
    values
        Samples x genes in ``units``; what stands in missing columns is not read.
    found
        Whether each gene is there, shape ``(n_genes,)``.
    typical
        From `typical_sample`.
    units
        ``counts``, ``log2`` or ``tpm``.

    Returns
    -------
    numpy.ndarray
        A new array, or ``values`` itself where no gene is missing.
    """
    if found.all():
        return values
    filled = np.where(found, values, typical)
    if units != "counts":
        return np.asarray(filled, dtype=np.float64)
    expected = np.ascontiguousarray(typical[found])
    for row in filled:
        there = np.ascontiguousarray(row[found])
        scale = there.sum() / max(expected.sum(), 1e-300) * tmm_factor(there, expected)
        row[~found] = typical[~found] * scale
    return np.asarray(filled, dtype=np.float64)
