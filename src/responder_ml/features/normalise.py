"""Frozen normalisation to the log2 scale: a sample's values never depend on which others are transformed with it.

Counts become log2 counts per million, with library sizes as they are (``log_cpm``) or scaled by the trimmed mean of
M-values against one reference sample chosen from the training rows and kept (``tmm``). TPM become log2(TPM + 1);
log2 values stay as they are.

References
----------
Law CW et al. (2014) voom. Genome Biol 15:R29. doi:10.1186/gb-2014-15-2-r29 (the log2 CPM with offsets 0.5 and 1)
Robinson MD, Oshlack A (2010) A scaling normalization method. Genome Biol 11:R25. doi:10.1186/gb-2010-11-3-r25 (TMM)
"""

from itertools import islice
from typing import Any, Literal, Self, get_args

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.errors import FeatureError
from responder_ml.features.tmm import tmm_factor, tmm_factors

Units = Literal["counts", "log2", "tpm"]
Normalisation = Literal["log_cpm", "tmm"]

_PREPARED_REFERENCES = 6


def log_cpm(counts: Floats, library: Floats) -> Floats:
    """Return log2 counts per million, (count + 0.5) / (library + 1) x 1e6.

    Parameters
    ----------
    counts
        Samples x genes.
    library
        Effective library size of each sample, counts.
    """
    log2 = np.asarray(counts + 0.5, dtype=np.float64)
    # In place: memory would not hold the steps of a large cohort side by side.
    np.log2(log2, out=log2)
    log2 += (np.log2(1e6) - np.log2(library + 1.0))[:, None]
    return log2


def upper_quartile(counts: Floats) -> Floats:
    """Return each sample's upper quartile of its non-zero counts over its library size.

    edgeR takes the quartile over the genes that any sample has counts of, so that its choice of a reference depends on all
    samples; this one does not, and may choose another reference sample.
    """
    quartiles = [np.quantile(row[row > 0], 0.75) if np.any(row > 0) else 0.0 for row in counts]
    return np.asarray(np.asarray(quartiles) / np.maximum(counts.sum(axis=1), 1.0), dtype=np.float64)


def choose_reference(quartiles: Floats) -> int:
    """Return the sample whose upper quartile is nearest the mean one."""
    return int(np.argmin(np.abs(quartiles - quartiles.mean())))


def log2_expression(values: Floats, units: str) -> Floats:
    """Return log2 CPM of counts, log2(TPM + 1), or log2 values as they are: the part that needs no training row."""
    check_normalisation(units, "log_cpm")
    if units == "counts":
        return log_cpm(values, values.sum(axis=1))
    return np.asarray(np.log2(values + 1.0) if units == "tpm" else values, dtype=np.float64)


class Normaliser(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Bring expression to the log2 scale with a reference frozen at fit.

    Parameters
    ----------
    units
        What the values are: ``counts``, ``log2`` or ``tpm``.
    method
        For counts only: ``log_cpm`` or ``tmm``.

    Attributes
    ----------
    reference_
        Counts of the training sample that TMM compares with, shape ``(n_genes,)``; empty where TMM is not used.

    Raises
    ------
    FeatureError
        Unknown units or method.
    """

    def __init__(self, units: str = "log2", method: str = "tmm") -> None:
        self.units = units
        self.method = method

    def fit(self, X: Floats, y: object = None) -> Self:
        """Choose and keep the reference sample from the training rows ``X``."""
        check_normalisation(self.units, self.method)
        X = validate_data(self, X, dtype=np.float64)
        uses_reference = self.units == "counts" and self.method == "tmm"
        self.reference_ = X[choose_reference(upper_quartile(X))].copy() if uses_reference else np.empty(0)
        return self

    def transform(self, X: Floats) -> Floats:
        """Return log2 expression, samples x genes."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.transform_genes(X, slice(None))

    def transform_genes(self, X: Floats, genes: Indices | slice) -> Floats:
        """Return log2 expression of some genes, samples x those genes; library sizes are those of all genes.

        Parameters
        ----------
        X
            Samples x all genes, not checked again.
        genes
            Columns of the genes.
        """
        values = X[:, genes]
        if self.units == "log2":
            return values
        if self.units == "tpm":
            return np.asarray(np.log2(values + 1.0), dtype=np.float64)
        library = X.sum(axis=1)
        if self.method == "tmm":
            library = library * tmm_factors(X, self.reference_)
        return log_cpm(values, library)


class SharedShifts:
    """The shift of each sample's log2 expression under each training set: one number per sample.

    TMM multiplies a library size, so on the log2 scale it shifts all genes of a sample together. The factors against a
    reference are computed the first time that a training set chooses it.

    Parameters
    ----------
    values
        Samples x genes in ``units``.
    units, method
        As for `Normaliser`.
    """

    def __init__(self, values: Floats, units: str, method: str) -> None:
        check_normalisation(units, method)
        self._counts = values if units == "counts" and method == "tmm" else None
        self._by_reference: dict[int, Floats] = {}
        if self._counts is not None:
            self._library = values.sum(axis=1)
            self._quartiles = upper_quartile(values)
            # Training sets nearly always choose a sample close to the mean of all. What is computed here, before the object
            # is sent to other processes, none of them computes again.
            nearest = np.argsort(np.abs(self._quartiles - self._quartiles.mean()), kind="stable")
            for reference in nearest[:_PREPARED_REFERENCES]:
                self._shift(int(reference))

    def __getstate__(self) -> dict[str, Any]:
        """Return the state as first made: shifts stored since decide nothing, and equal work must have equal states."""
        return {**vars(self), "_by_reference": dict(islice(self._by_reference.items(), _PREPARED_REFERENCES))}

    def shifts(self, rows: Flags) -> Floats | None:
        """Return what each training set adds to each sample, ``(n_sets, n_samples)``; None where no shift is ever needed.

        Parameters
        ----------
        rows
            Training rows of each set, shape ``(n_sets, n_samples)``.
        """
        if self._counts is None:
            return None
        return np.stack([self._shift(self._reference_of(training)) for training in rows])

    def _reference_of(self, training: Flags) -> int:
        candidates = np.flatnonzero(training)
        return int(candidates[choose_reference(self._quartiles[candidates])])

    def _shift(self, reference: int) -> Floats:
        if self._counts is None:
            raise FeatureError("Only counts normalised by TMM have a reference sample.")
        if reference not in self._by_reference:
            factors = np.array([tmm_factor(row, self._counts[reference]) for row in self._counts])
            self._by_reference[reference] = np.log2(self._library + 1.0) - np.log2(self._library * factors + 1.0)
        return self._by_reference[reference]


class SharedExpression(SharedShifts):
    """Every sample's log2 expression, computed once per cohort, and its shifts under each training set.

    Parameters
    ----------
    values, units, method
        As for `SharedShifts`.

    Attributes
    ----------
    base
        Log2 expression before any shift, samples x genes.
    """

    def __init__(self, values: Floats, units: str, method: str) -> None:
        super().__init__(values, units, method)
        self.base = log2_expression(values, units)


def check_normalisation(units: str, method: str) -> None:
    """Refuse unknown units or methods.

    Raises
    ------
    FeatureError
        Unknown units or an unknown method.
    """
    if units not in get_args(Units):
        raise FeatureError(f"Units are '{units}', but must be one of {', '.join(get_args(Units))}.")
    if method not in get_args(Normalisation):
        raise FeatureError(f"Normalisation is '{method}', but must be one of {', '.join(get_args(Normalisation))}.")
