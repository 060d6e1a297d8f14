"""Keep genes that enough training samples express; labels are never looked at."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from responder_ml.arrays import Flags, Floats


def detected(values: Floats, units: str, minimum: float) -> Flags | None:
    """Return where a gene counts as expressed, samples x genes; None where the units allow no such cut-off.

    Parameters
    ----------
    values
        Samples x genes in ``units``.
    units
        ``counts`` are compared as counts per million of the sample's own library, ``tpm`` as they are; ``log2``
        values (arrays, for instance) have no common zero, so every gene counts as expressed.
    minimum
        Cut-off in counts per million or TPM.
    """
    if units == "log2":
        return None
    if units == "tpm":
        return np.asarray(values >= minimum)
    return np.asarray(values * 1e6 >= minimum * np.maximum(values.sum(axis=1, keepdims=True), 1.0))


def needed_samples(n_training: int, share: float) -> int:
    """Return the number of training samples that must express a gene: a share, at least one."""
    return max(1, int(np.ceil(share * n_training - 1e-9)))


class ExpressionFilter(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Drop genes expressed in too few training samples.

    Parameters
    ----------
    units
        ``counts``, ``tpm`` or ``log2``.
    minimum
        Counts per million (or TPM) from which a gene counts as expressed in a sample.
    share
        Share of training samples in which it must be.

    Attributes
    ----------
    kept_
        Genes kept, boolean, shape ``(n_genes,)``.
    """

    def __init__(self, units: str = "log2", minimum: float = 1.0, share: float = 0.25) -> None:
        self.units = units
        self.minimum = minimum
        self.share = share

    def fit(self, X: Floats, y: object = None) -> Self:
        """Learn from the training rows ``X`` (in ``units``) which genes to keep."""
        X = validate_data(self, X, dtype=np.float64)
        is_detected = detected(X, self.units, self.minimum)
        if is_detected is None:
            self.kept_ = np.ones(X.shape[1], dtype=bool)
        else:
            self.kept_ = is_detected.sum(axis=0) >= needed_samples(len(X), self.share)
        return self

    def transform(self, X: Floats) -> Floats:
        """Return the kept columns of ``X``."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(X[:, self.kept_], dtype=np.float64)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the kept columns."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        if input_features is not None:
            names = np.asarray(input_features, dtype=object)
        if names is None:
            names = np.asarray([f"x{index}" for index in range(self.n_features_in_)], dtype=object)
        return np.asarray(names[self.kept_], dtype=object)


class SharedDetection:
    """Detection of every gene in every sample, computed once per cohort, for many training sets at once.

    Most genes pass in every training set, or in none; only the rest are counted again for each set.

    Parameters
    ----------
    is_detected
        From `detected`, samples x genes, or None.
    share
        As for `ExpressionFilter`.
    """

    def __init__(self, is_detected: Flags | None, share: float) -> None:
        self._share = share
        self._all_expressed = is_detected is None
        if is_detected is not None:
            total = is_detected.sum(axis=0)
            self._always = total == len(is_detected)
            self._sometimes = np.flatnonzero((total > 0) & ~self._always)
            self._detections = is_detected[:, self._sometimes].astype(np.float32)

    def expressed(self, rows: Flags) -> Flags | None:
        """Return the genes that enough samples of each training set express, ``(n_sets, n_genes)``; None for all genes.

        Parameters
        ----------
        rows
            Training rows of each set, shape ``(n_sets, n_samples)``.
        """
        if self._all_expressed:
            return None
        expressed = np.tile(self._always, (len(rows), 1))
        needed = np.array([needed_samples(int(size), self._share) for size in rows.sum(axis=1)])
        expressed[:, self._sometimes] = rows.astype(np.float32) @ self._detections >= needed[:, None] - 0.5
        return expressed
