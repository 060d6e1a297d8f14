"""Fill in the training genes of a model that new samples lack, so that the missing genes say as little as possible."""

import numpy as np

from responder_ml.arrays import Flags, Floats
from responder_ml.features.tmm import tmm_factor


def typical_sample(values: Floats, units: str) -> Floats:
    """Return a typical training sample, in ``units``.

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


def fill_missing(values: Floats, present: Flags, typical: Floats, units: str) -> Floats:
    """Give missing genes the values of a typical training sample.

    Counts are scaled to the sample: its effective library size comes from the trimmed mean of M-values over the genes
    present, sample against typical sample. The library size, the comparison with the reference and the ranks within the
    sample that a builder then computes over all training genes are those of the genes present, undistorted by the filling.

    Parameters
    ----------
    values
        Samples x genes in ``units``; missing columns are not read.
    present
        Whether each gene is present, shape ``(n_genes,)``.
    typical
        From `typical_sample`.
    units
        ``counts``, ``log2`` or ``tpm``.

    Returns
    -------
    numpy.ndarray
        A new array, or ``values`` itself where no gene is missing.
    """
    if present.all():
        return values
    filled = np.where(present, values, typical)
    if units != "counts":
        return np.asarray(filled, dtype=np.float64)
    expected = np.ascontiguousarray(typical[present])
    for row in filled:
        observed = np.ascontiguousarray(row[present])
        scale = observed.sum() / max(expected.sum(), 1e-300) * tmm_factor(observed, expected)
        row[~present] = typical[~present] * scale
    return np.asarray(filled, dtype=np.float64)
