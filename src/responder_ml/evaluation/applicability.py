"""Whether a model is entitled to an opinion on a sample: how far the sample is from the training samples, label-free.

Three questions, each with limits learnt by leaving training subjects out one at a time:

* Does the sample rank genes as training samples do? Spearman correlation with the training profile, over genes spread over
  the range of expression.
* Do the model's own features take values seen in training? Mahalanobis distance of the standardised features, with the
  covariance shrunk towards the identity.
* For counts: was it sequenced deeply enough?

A further sample of the training kind crosses each of the first two limits with probability `BEYOND`, on normal theory.

References
----------
Ledoit O, Wolf M (2004) A well-conditioned estimator for large-dimensional covariance matrices.
doi:10.1016/S0047-259X(03)00096-4
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, t
from sklearn.covariance import ledoit_wolf_shrinkage

from responder_ml.features.missing_genes import typical_sample

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

BEYOND = 0.005
"""Share of samples of the training kind expected beyond each limit."""
PROFILE_GENES = 2000
"""Genes the profile is compared on."""
_LEAST_PROFILE_GENES = 50
# A library a tenth of the shallowest one in training has lost its weak genes.
_LEAST_DEPTH = 0.1
# Some shrinkage always, so that a feature constant in training does not make a distance infinite.
_LEAST_SHRINKAGE = 0.05


@dataclass(frozen=True)
class Reference:
    """What training samples were like.

    Attributes
    ----------
    typical
        From `typical_sample`, in the model's units, shape ``(n_genes,)``.
    profile_genes
        Indices of the genes the profile is compared on.
    profile
        Mean within-sample rank of each of them.
    correlations
        Spearman correlation of each training sample with the profile of the other subjects.
    axes, spread
        Principal axes of the standardised features, shape ``(n_features, n_axes)``, and the variance along each.
    shrinkage
        Weight of the identity in the covariance, shape ``(1,)``.
    distances
        Mahalanobis distance of each training sample from the other subjects.
    libraries
        Library size of each training sample over the training genes; empty unless the units are counts.
    n_subjects
        Number of training subjects, shape ``(1,)``.
    """

    typical: Floats
    profile_genes: Indices
    profile: Floats
    correlations: Floats
    axes: Floats
    spread: Floats
    shrinkage: Floats
    distances: Floats
    libraries: Floats
    n_subjects: Indices

    @classmethod
    def learn(cls, values: Floats, units: str, standardised: Floats, subject_of: Indices) -> "Reference":
        """Learn from training samples.

        Parameters
        ----------
        values
            Samples x genes in ``units``.
        units
            ``counts``, ``log2`` or ``tpm``.
        standardised
            Samples x features as the classifier sees them.
        subject_of
            Subject index of each sample.
        """
        genes = _spread_genes(values)
        ranks = rankdata(values[:, genes], axis=1)
        axes, spread, shrinkage = _covariance(standardised)
        return cls(
            typical=typical_sample(values, units),
            profile_genes=genes,
            profile=ranks.mean(axis=0),
            correlations=_left_out_correlations(ranks, subject_of),
            axes=axes,
            spread=spread,
            shrinkage=np.array([shrinkage]),
            distances=left_out_distances(standardised, subject_of, shrinkage),
            libraries=values.sum(axis=1) if units == "counts" else np.empty(0),
            n_subjects=np.array([len(np.unique(subject_of))], dtype=np.intp),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the fields by name, for a file."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def least_correlation(self) -> float:
        """Correlation below which a sample does not look like training samples."""
        beyond = prediction_limit(-np.arctanh(np.clip(self.correlations, -1.0, 1.0 - 1e-12)), int(self.n_subjects[0]))
        return float(np.tanh(-beyond))

    @property
    def greatest_distance(self) -> float:
        """Distance above which the features are outside what training saw."""
        return float(np.exp(prediction_limit(np.log(np.maximum(self.distances, 1e-12)), int(self.n_subjects[0]))))

    @property
    def least_library(self) -> float:
        """Library size below which a sample is too shallow; 0 unless the units are counts."""
        return _LEAST_DEPTH * float(self.libraries.min()) if self.libraries.size else 0.0

    def correlate(self, values: Floats, found: NDArray[np.bool_]) -> Floats:
        """Return each sample's Spearman correlation with the profile over the genes found; nan with too few."""
        there = found[self.profile_genes]
        if np.count_nonzero(there) < _LEAST_PROFILE_GENES:
            return np.full(len(values), np.nan)
        ranks = rankdata(values[:, self.profile_genes[there]], axis=1)
        return _row_correlations(ranks, rankdata(self.profile[there]))

    def measure(self, standardised: Floats) -> Floats:
        """Return each sample's Mahalanobis distance from the training mean."""
        along = standardised @ self.axes
        weight, rest = self._inverse()
        squared = rest * np.sum(standardised**2, axis=1) - np.sum(along**2 * weight, axis=1)
        return np.sqrt(np.maximum(squared, 0.0))

    def percentile(self, distances: Floats) -> Floats:
        """Return the percentage of training samples that were nearer when left out."""
        return np.asarray(
            100.0 * np.searchsorted(np.sort(self.distances), distances, side="left") / len(self.distances),
            dtype=np.float64,
        )

    def _inverse(self) -> tuple[Floats, float]:
        """Return what the inverse covariance subtracts along each axis, and what it is across them."""
        shrinkage = float(self.shrinkage[0])
        kept = (1.0 - shrinkage) * self.spread
        return kept / (shrinkage * (shrinkage + kept)), 1.0 / shrinkage


def prediction_limit(values: Floats, n_independent: int) -> float:
    """Return what a further normal value exceeds with probability `BEYOND`.

    ``mean + t(1 - BEYOND; n - 1) x sd x sqrt(1 + 1 / n)``

    Parameters
    ----------
    values
        Shape ``(n_samples,)``.
    n_independent
        Number of subjects behind them, at least 2.
    """
    quantile = float(t.ppf(1.0 - BEYOND, n_independent - 1))
    return float(values.mean() + quantile * values.std(ddof=1) * np.sqrt(1.0 + 1.0 / n_independent))


def left_out_distances(standardised: Floats, subject_of: Indices, shrinkage: float) -> Floats:
    """Return each sample's shrunk Mahalanobis distance from the samples of the other subjects.

    Mean and covariance without a subject differ from the full ones by a few rank-one terms, so one factorisation serves all
    subjects (Woodbury). With n samples in all and m = n - k left, centred rows C of the subject and s their sum, the
    covariance without it is ``(n S - C'C) / m - s s' / m^2`` and its mean is off the full one by ``-s / m``.

    Parameters
    ----------
    standardised
        Samples x features.
    subject_of
        Subject index of each sample.
    shrinkage
        Weight of the identity, above 0.
    """
    centred = standardised - standardised.mean(axis=0)
    count = len(centred)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    distances = np.empty(count)
    for subject in np.unique(subject_of):
        rows = np.flatnonzero(subject_of == subject)
        left = count - len(rows)
        kept = (1.0 - shrinkage) * singular**2 / left
        weight = kept / (shrinkage * (shrinkage + kept))
        total = centred[rows].sum(axis=0)
        update = np.vstack([centred[rows], total])
        deviation = centred[rows] + total / left
        size = (1.0 - shrinkage) * np.append(np.full(len(rows), 1.0 / left), 1.0 / left**2)
        solved = update / shrinkage - ((update @ axes.T) * weight) @ axes
        solved_deviation = deviation / shrinkage - ((deviation @ axes.T) * weight) @ axes
        inner = np.diag(1.0 / size) - update @ solved.T
        across = deviation @ solved.T
        squared = np.sum(deviation * solved_deviation, axis=1) + np.sum(
            across * np.linalg.solve(inner, across.T).T, axis=1
        )
        distances[rows] = np.sqrt(np.maximum(squared, 0.0))
    return distances


def _covariance(standardised: Floats) -> tuple[Floats, Floats, float]:
    """Return principal axes, variances along them, and the Ledoit-Wolf weight of the identity."""
    count = len(standardised)
    centred = standardised - standardised.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    shrinkage = float(ledoit_wolf_shrinkage(centred, assume_centered=True)) if np.any(centred) else 1.0
    return np.ascontiguousarray(axes.T), singular**2 / count, max(shrinkage, _LEAST_SHRINKAGE)


def _spread_genes(values: Floats) -> Indices:
    """Return genes that most samples express, evenly spaced over the range of expression, in gene order."""
    expressed = np.flatnonzero(np.mean(values > values.min(), axis=0) >= 0.5)
    if len(expressed) <= PROFILE_GENES:
        return expressed
    order = expressed[np.argsort(values[:, expressed].mean(axis=0), kind="stable")]
    return np.sort(order[np.linspace(0, len(order) - 1, PROFILE_GENES).astype(np.intp)])


def _left_out_correlations(ranks: Floats, subject_of: Indices) -> Floats:
    total = ranks.sum(axis=0)
    found = np.empty(len(ranks))
    for subject in np.unique(subject_of):
        rows = np.flatnonzero(subject_of == subject)
        others = total - ranks[rows].sum(axis=0)
        found[rows] = _row_correlations(ranks[rows], rankdata(others))
    return found


def _row_correlations(rows: Floats, profile: Floats) -> Floats:
    """Return the correlation of each row with a profile; 0 for a row without variation."""
    centred, level = rows - rows.mean(axis=1, keepdims=True), profile - profile.mean()
    size = np.sqrt(np.sum(centred**2, axis=1) * np.sum(level**2))
    product = centred @ level
    return np.asarray(np.divide(product, size, out=np.zeros(len(rows)), where=size > 0), dtype=np.float64)
