"""Whether a model may be applied to a sample: how far the sample is from the training samples, without its label.

Four criteria, each with limits learnt by leaving training subjects out:

* The order of genes: Spearman correlation of the sample with the training profile, over genes spread over the range of
  expression.
* The model's own features: Mahalanobis distance of the standardised features, with the covariance shrunk towards the
  identity.
* For counts, the sequencing depth.
* The markers of regions and of contamination: see `marker_check`.

A further sample of the training kind crosses each of these limits but that of depth with probability `SHARE_BEYOND`,
under normal theory.

References
----------
Ledoit O, Wolf M (2004) A well-conditioned estimator for large-dimensional covariance matrices.
doi:10.1016/S0047-259X(03)00096-4
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn.covariance import ledoit_wolf_shrinkage

from responder_ml.arrays import Flags, Floats, Indices, Labels
from responder_ml.evaluation.marker_check import MarkerCheck, prediction_limit
from responder_ml.features.missing_genes import typical_sample
from responder_ml.search.mean_model import ScoringModel
from responder_ml.search.outcome_model import OutcomeModel
from responder_ml.search.search_data import Block, SearchData
from responder_ml.search.shared_gaps import share_once
from responder_ml.statistics.training_sets import TrainingSets

FOLDS = 20
"""Most groups of subjects left out in turn."""
PROFILE_GENES = 2000
"""Most genes of the profile."""
_LEAST_PROFILE_GENES = 50
# A library a tenth of the smallest one in training has lost its weakly expressed genes.
_LEAST_DEPTH = 0.1
# Some shrinkage always, so that a feature constant in training does not make a distance infinite.
_LEAST_SHRINKAGE = 0.05


@dataclass(frozen=True)
class Spread:
    """The covariance of standardised features, shrunk towards the identity.

    Attributes
    ----------
    axes, variance
        Principal axes, shape ``(n_features, n_axes)``, and the variance along each.
    shrinkage
        Weight of the identity.
    """

    axes: Floats
    variance: Floats
    shrinkage: float

    @classmethod
    def of(cls, standardised: Floats) -> "Spread":
        """Learn from training samples x features; the weight is Ledoit and Wolf's."""
        centred = standardised - standardised.mean(axis=0)
        _, singular, axes = np.linalg.svd(centred, full_matrices=False)
        weight = float(ledoit_wolf_shrinkage(centred, assume_centered=True)) if np.any(centred) else 1.0
        return cls(np.ascontiguousarray(axes.T), singular**2 / len(centred), max(weight, _LEAST_SHRINKAGE))

    def distance(self, standardised: Floats) -> Floats:
        """Return each sample's Mahalanobis distance from the training mean, which is 0.

        With weight s the inverse is ``1 / s`` across the axes and ``1 / (s + (1 - s) v)`` along one of variance v.
        """
        weighted = (1.0 - self.shrinkage) * self.variance
        reduction = weighted / (self.shrinkage * (self.shrinkage + weighted))
        squared = np.sum(standardised**2, axis=1) / self.shrinkage
        squared -= np.sum((standardised @ self.axes) ** 2 * reduction, axis=1)
        return np.asarray(np.sqrt(np.maximum(squared, 0.0)), dtype=np.float64)


@dataclass(frozen=True)
class TrainingProfile:
    """What the training samples were like.

    Attributes
    ----------
    typical
        From `typical_sample`, in the model's units, shape ``(n_genes,)``.
    profile_genes
        Indices of the genes of the profile.
    profile
        Mean within-sample rank of each of them.
    correlations
        Spearman correlation of each training sample with the profile of the other subjects.
    axes, variance, shrinkage
        Of the standardised features, as in `Spread`; ``shrinkage`` has shape ``(1,)``.
    distances
        Mahalanobis distance of each training sample from `left_out_distances`.
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
    variance: Floats
    shrinkage: Floats
    distances: Floats
    libraries: Floats
    n_subjects: Indices

    @classmethod
    def learn(
        cls, model: ScoringModel | OutcomeModel, search_data: SearchData, units: str, labels: Labels | Floats
    ) -> "TrainingProfile":
        """Learn from training samples.

        Parameters
        ----------
        model
            Fitted to them.
        search_data
            The samples.
        units
            Units of their expression: ``counts``, ``log2`` or ``tpm``.
        labels
            0/1 of each sample, or its graded outcome.
        """
        values = search_data.expression
        genes = _choose_profile_genes(values)
        ranks = rankdata(values[:, genes], axis=1)
        spread = Spread.of(model.standardised(values, search_data.covariates))
        return cls(
            typical=typical_sample(values, units),
            profile_genes=genes,
            profile=ranks.mean(axis=0),
            correlations=_left_out_correlations(ranks, search_data.subject_of),
            axes=spread.axes,
            variance=spread.variance,
            shrinkage=np.array([spread.shrinkage]),
            distances=left_out_distances(model, search_data, labels),
            libraries=values.sum(axis=1) if units == "counts" else np.empty(0),
            n_subjects=np.array([search_data.n_subjects], dtype=np.intp),
        )

    @property
    def least_correlation(self) -> float:
        """Correlation below which a sample does not look like training samples."""
        limit = prediction_limit(-np.arctanh(np.clip(self.correlations, -1.0, 1.0 - 1e-12)), int(self.n_subjects[0]))
        return float(np.tanh(-limit))

    @property
    def greatest_distance(self) -> float:
        """Distance above which the features are outside the range of training."""
        return float(np.exp(prediction_limit(np.log(np.maximum(self.distances, 1e-12)), int(self.n_subjects[0]))))

    @property
    def least_library(self) -> float:
        """Library size below which a sample is too shallow; 0 unless the units are counts."""
        return _LEAST_DEPTH * float(self.libraries.min()) if self.libraries.size else 0.0

    def correlate(self, values: Floats, present: Flags) -> Floats:
        """Return each sample's Spearman correlation with the profile over the genes present; nan with too few of them."""
        in_table = present[self.profile_genes]
        if np.count_nonzero(in_table) < _LEAST_PROFILE_GENES:
            return np.full(len(values), np.nan)
        ranks = rankdata(values[:, self.profile_genes[in_table]], axis=1)
        return _row_correlations(ranks, rankdata(self.profile[in_table]))

    def measure(self, standardised: Floats) -> Floats:
        """Return each sample's Mahalanobis distance from the training mean."""
        return Spread(self.axes, self.variance, float(self.shrinkage[0])).distance(standardised)

    def percentile(self, distances: Floats) -> Floats:
        """Return the percentage of training samples that were nearer when left out."""
        return np.asarray(
            100.0 * np.searchsorted(np.sort(self.distances), distances, side="left") / len(self.distances),
            dtype=np.float64,
        )


@dataclass(frozen=True)
class Applicability:
    """How far samples are from training, and which limits they cross.

    Attributes
    ----------
    correlation
        Spearman correlation with the training profile; nan where too few of its genes are present.
    distance, percentile
        Mahalanobis distance in feature space, and the percentage of left-out training samples that were nearer.
    library
        Library size over the genes present; nan where unknown.
    flags
        For each sample the limits it crosses: ``profile``, ``distance``, ``depth``, ``region``, ``contamination``.
    reasons
        The same in a sentence; empty without flags.
    """

    correlation: Floats
    distance: Floats
    percentile: Floats
    library: Floats
    flags: tuple[tuple[str, ...], ...]
    reasons: tuple[str, ...]


def assess_applicability(
    training: TrainingProfile,
    values: Floats,
    present: Flags,
    standardised: Floats,
    markers: MarkerCheck | None = None,
) -> Applicability:
    """Compare samples with the limits of the training samples.

    Parameters
    ----------
    training
        What the training samples were like.
    values
        Samples x training genes in the model's units.
    present
        Whether each gene was measured.
    standardised
        Samples x features as the classifier gets them.
    markers
        The marker genes in training samples, if known.
    """
    correlation, distance = training.correlate(values, present), training.measure(standardised)
    library = np.full(len(values), np.nan)
    if training.libraries.size:
        library = values[:, present].sum(axis=1)
    least, greatest = training.least_correlation, training.greatest_distance
    # A table with part of the genes has part of the library.
    shallow = training.least_library * float(training.typical[present].sum() / max(training.typical.sum(), 1e-300))
    limits = (
        (
            "profile",
            correlation < least,
            correlation,
            "expression profile correlates {:.3f} with training, below",
            least,
        ),
        ("distance", distance > greatest, distance, "features lie {:.3g} from training, beyond", greatest),
        ("depth", library < shallow, library, "library of {:.0f} counts, below", shallow),
    )
    by_markers = [[] for _ in values] if markers is None else markers.find(values, present)
    flags, reasons = [], []
    for row in range(len(values)):
        crossed = [
            (name, f"{text.format(value[row])} {limit:.4g}")
            for name, beyond, value, text, limit in limits
            if beyond[row]
        ] + by_markers[row]
        flags.append(tuple(dict.fromkeys(name for name, _ in crossed)))
        reasons.append("; ".join(sentence for _, sentence in crossed))
    return Applicability(correlation, distance, training.percentile(distance), library, tuple(flags), tuple(reasons))


def left_out_distances(model: ScoringModel | OutcomeModel, search_data: SearchData, labels: Labels | Floats) -> Floats:
    """Return each training sample's distance from the training samples of the other subjects.

    The features are chosen again without the subject (without one of `FOLDS` groups of subjects, where there are more):
    chosen by their class difference, they vary less on the rows that chose them than on any other.

    Parameters
    ----------
    model
        Gives the builders and the numbers of features; its fitted state is not used.
    search_data
        Training samples.
    labels
        0/1 of each sample, or its graded outcome.
    """
    of_subject = np.zeros(search_data.n_subjects, dtype=labels.dtype)
    of_subject[search_data.subject_of] = labels
    # Subjects of one class are assigned to folds in turn, so that every fold leaves some of each class in training.
    fold = np.empty(search_data.n_subjects, dtype=np.intp)
    fold[np.argsort(of_subject, kind="stable")] = np.arange(search_data.n_subjects) % min(FOLDS, search_data.n_subjects)
    held_out = fold[search_data.subject_of] == np.arange(fold.max() + 1)[:, None]
    sets = TrainingSets(~held_out, np.tile(of_subject[search_data.subject_of], (len(held_out), 1)))
    ranked = [share_once(builder, search_data).rank(sets) for builder, _ in model.prefixes]
    distances = np.empty(len(labels))
    for index, test in enumerate(held_out):
        train_parts, test_parts = [], []
        for of_builder, (_, lengths) in zip(ranked, model.prefixes, strict=True):
            block = Block.build(of_builder[index], np.flatnonzero(~test), np.flatnonzero(test), sets.labels[0])
            first, *others = (block.columns(length) for length in lengths)
            columns = np.unique(np.concatenate([first, *others])) if others else first
            train_parts.append(block.train[:, columns])
            test_parts.append(block.test[:, columns])
        distances[test] = Spread.of(np.concatenate(train_parts, axis=1)).distance(np.concatenate(test_parts, axis=1))
    return distances


def _choose_profile_genes(values: Floats) -> Indices:
    """Return genes that most samples express, evenly spaced over the range of expression, in gene order."""
    expressed = np.flatnonzero(np.mean(values > values.min(), axis=0) >= 0.5)
    if len(expressed) <= PROFILE_GENES:
        return expressed
    order = expressed[np.argsort(values[:, expressed].mean(axis=0), kind="stable")]
    return np.sort(order[np.linspace(0, len(order) - 1, PROFILE_GENES).astype(np.intp)])


def _left_out_correlations(ranks: Floats, subject_of: Indices) -> Floats:
    """Return the correlation of each sample's ranks with the mean ranks of the other subjects."""
    total = ranks.sum(axis=0)
    correlations = np.empty(len(ranks))
    for subject in np.unique(subject_of):
        rows = np.flatnonzero(subject_of == subject)
        others = total - ranks[rows].sum(axis=0)
        correlations[rows] = _row_correlations(ranks[rows], rankdata(others))
    return correlations


def _row_correlations(rows: Floats, profile: Floats) -> Floats:
    """Return the correlation of each row with a profile; 0 for a row without variation."""
    centred, profile_centred = rows - rows.mean(axis=1, keepdims=True), profile - profile.mean()
    size = np.sqrt(np.sum(centred**2, axis=1) * np.sum(profile_centred**2))
    product = centred @ profile_centred
    return np.asarray(np.divide(product, size, out=np.zeros(len(rows)), where=size > 0), dtype=np.float64)
