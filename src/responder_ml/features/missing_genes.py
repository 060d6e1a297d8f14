"""Fill in values that samples lack, so that what is missing says as little as possible.

Genes that new samples lack altogether, and single gaps in training or new samples, get the values of a typical training
sample: one rule for training and scoring, learnt from training rows alone.
"""

import numpy as np

from responder_ml.arrays import Flags, Floats
from responder_ml.features.tmm import tmm_factor


def typical_sample(values: Floats, units: str) -> Floats:
    """Return a typical training sample, in ``units``.

    For counts that is each gene's mean share of the library times the median library; otherwise the mean.

    Parameters
    ----------
    values
        Training samples x genes; gaps are not-a-number and count for nothing.
    units
        ``counts``, ``log2`` or ``tpm``.
    """
    if np.isnan(values).any():
        return _typical_with_gaps(values, units)
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


def fill_gaps(values: Floats, present: Flags, typical: Floats, units: str) -> Floats:
    """Give single gaps the values of a typical training sample; each sample is filled by itself, as by `fill_missing`.

    Parameters
    ----------
    values
        Samples x genes in ``units``; gaps are not-a-number.
    present, typical, units
        As for `fill_missing`; of genes that are not present nothing is changed.

    Returns
    -------
    numpy.ndarray
        A new array, or ``values`` itself where there is no gap.
    """
    gaps = np.isnan(values) & present
    rows = np.flatnonzero(gaps.any(axis=1))
    if not len(rows):
        return values
    filled = values.copy()
    for row in rows:
        complete = fill_missing(values[row][None], ~np.isnan(values[row]), typical, units)[0]
        filled[row, gaps[row]] = complete[gaps[row]]
    return filled


def fill_from(values: Floats, gaps: Flags, rows: Flags, units: str) -> Floats:
    """Return values whose gaps are filled from some rows alone.

    Parameters
    ----------
    values
        Samples x genes in ``units``; what stands in the gaps is not read.
    gaps
        Where a value is missing, shape of ``values``.
    rows
        The training rows, shape ``(n_samples,)``.
    units
        ``counts``, ``log2`` or ``tpm``.
    """
    measured = np.where(gaps, np.nan, values)
    everywhere = np.ones(values.shape[1], dtype=np.bool_)
    return fill_gaps(measured, everywhere, typical_sample(measured[rows], units), units)


def _typical_with_gaps(values: Floats, units: str) -> Floats:
    """Return a typical sample of rows with gaps; a gene without any value gets what most genes have."""
    library = np.nansum(values, axis=1) if units == "counts" else np.ones(len(values))
    shares = values / np.maximum(library, 1.0)[:, None]
    is_measured = ~np.isnan(shares)
    typical = np.where(is_measured, shares, 0.0).sum(axis=0) / np.maximum(is_measured.sum(axis=0), 1)
    known = is_measured.any(axis=0)
    typical[~known] = np.median(typical[known]) if known.any() else 0.0
    return np.asarray(typical * np.median(library), dtype=np.float64)
