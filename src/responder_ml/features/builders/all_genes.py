"""All detected genes as one signature, for differences that are spread over many genes."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Labels, Strings
from responder_ml.features.builders.builder import Builder, Ranked, is_graded
from responder_ml.features.builders.context import Context
from responder_ml.features.expression_filter import ExpressionFilter, SharedDetection, detected
from responder_ml.features.normalise import Normalisation, Normaliser, SharedShifts, log2_expression
from responder_ml.features.signatures.frozen_z import frozen_z, gene_scale
from responder_ml.features.signatures.scorer import GeneParts
from responder_ml.parameters import Finite, Share
from responder_ml.statistics.many_contrasts import Designs
from responder_ml.statistics.training_sets import TrainingSets

# Most inner products stored at once, in all: 64 MiB.
_MOST_STORED = 2**23


def projection_weights(z: Floats, positive: Flags, negative: Flags, covariates: Floats | None = None) -> Floats:
    """Return the difference of each gene's class means, over the Euclidean length of all; zeros where no gene differs at all.

    Parameters
    ----------
    z
        Samples x genes, in standard deviations of the training rows.
    positive, negative
        Rows of the classes, shape ``(n_samples,)``.
    covariates
        Samples x covariates that are held constant in the difference.
    """
    if covariates is None:
        difference = z[positive].mean(axis=0) - z[negative].mean(axis=0)
    else:
        rows = positive | negative
        difference = class_contrast(positive, negative, covariates)[rows] @ z[rows]
    return of_length_one(difference)


def outcome_weights(z: Floats, direction: Floats) -> Floats:
    """Return each gene's covariance with a graded outcome, over the Euclidean length of all.

    Parameters
    ----------
    z
        Samples x genes, in standard deviations of the training rows.
    direction
        What intercept and covariates leave of the outcome, 0 outside the training rows (`Designs`), shape ``(n_samples,)``.
    """
    rows = direction != 0
    return of_length_one(direction[rows] @ z[rows])


def of_length_one(weights: Floats) -> Floats:
    """Return weights over their Euclidean length; zeros where all are zero."""
    length = float(np.linalg.norm(weights))
    return np.asarray(weights / length if length > 0 else np.zeros_like(weights), dtype=np.float64)


class AllGenes(Builder):
    """One score per sample: the projection of all detected genes on their differences between the classes of the training rows.

    No gene is selected. The score is ``sum(d z) / ||d||`` with ``z = (x - mean) / sd`` on the training rows' scale and ``d``
    the difference of the class means of z: the line between the two centroids. Dividing by the variance within classes once more,
    as diagonal discriminant analysis does, costs power with ten training rows, whose variances are mostly noise. With a graded
    outcome ``d`` is the covariance of z with it. The score sees a difference that is spread thinly over thousands of genes, of
    which a list of the best twenty holds almost nothing, and sees little where only a few genes differ: it belongs beside
    `Genes`, not in its place.

    Training rows score further apart than new samples will, since their labels gave the weights. With one column a classifier
    has nothing to weight, so this shows in the size of log-odds, not in their order.

    Parameters
    ----------
    normalisation, min_expression, min_share, units
        As for `Genes`.

    Attributes
    ----------
    genes_
        Names of the detected genes.
    mean_, scale_
        Mean and standard deviation (n - 1) of each of these over the training rows, log2 units.
    weights_
        Weight of each gene's z.

    References
    ----------
    Dudoit S, Fridlyand J, Speed TP (2002) doi:10.1198/016214502753479248 (discriminant analysis by class means)
    Goeman JJ, van de Geer SA, de Kort F, van Houwelingen HC (2004) doi:10.1093/bioinformatics/btg382 (all genes at once)
    """

    name = "all_genes"
    summary = (
        "one signature over all detected genes, weighted by the difference of their class means in each training set"
    )
    reference = "doi:10.1198/016214502753479248"
    takes_outcomes = True

    def __init__(
        self,
        normalisation: Normalisation = "tmm",
        min_expression: Finite = 1.0,
        min_share: Share = 0.25,
        units: str = "log2",
    ) -> None:
        self.normalisation = normalisation
        self.min_expression = min_expression
        self.min_share = min_share
        self.units = units

    def share(self, X: Floats, genes: Strings, context: Context | None = None) -> "SharedAllGenes":
        """Normalise the cohort and count detections once."""
        return SharedAllGenes(self, X, None if context is None else context.adjusted)

    def row_weights(
        self, products: Floats, positive: Flags, negative: Flags, covariates: Floats | None = None
    ) -> Floats:
        """Return the weight of every sample's z in the signature's direction, 0 outside the training rows.

        Parameters
        ----------
        products
            Inner products ``z z'`` of all samples, on the scale of the training rows.
        positive, negative
            Training rows of the classes, shape ``(n_samples,)``.
        covariates
            Samples x covariates that are held constant.
        """
        return class_contrast(positive, negative, covariates)

    def gene_weights(self, z: Floats, positive: Flags, negative: Flags, covariates: Floats | None = None) -> Floats:
        """Return the weight of every gene, of length one, or zeros; ``z`` samples x genes, the rest as for `row_weights`."""
        return projection_weights(z, positive, negative, covariates)

    def _fit(self, X: Floats, labels: Labels | Floats, genes: Strings, context: Context | None) -> None:
        self.normaliser_ = Normaliser(self.units, self.normalisation).fit(X)
        self.filter_ = ExpressionFilter(self.units, self.min_expression, self.min_share).fit(X)
        self.expressed_ = np.flatnonzero(self.filter_.kept_)
        self.genes_ = genes[self.expressed_]
        log2 = self.normaliser_.transform_genes(X, self.expressed_)
        self.mean_, self.scale_ = gene_scale(log2)
        covariates = None if context is None else context.adjusted
        z = frozen_z(log2, self.mean_, self.scale_)
        if is_graded(labels):
            self.weights_ = outcome_weights(z, Designs.of_labels(labels, covariates).direction[0])
        else:
            self.weights_ = self.gene_weights(z, labels == 1, labels == 0, covariates)
        self.position_ = np.zeros(1, dtype=np.intp)
        self.names_ = np.array([self.name], dtype=str)

    def _transform(self, X: Floats) -> Floats:
        z = frozen_z(self.normaliser_.transform_genes(X, self.expressed_), self.mean_, self.scale_)
        return np.asarray((z @ self.weights_)[:, None], dtype=np.float64)

    def genes_of(self, column: int) -> tuple[Strings, Floats]:
        """Return all detected genes and their signed shares of the weights."""
        return self.genes_, _shares(self.weights_)


class SharedAllGenes:
    """The normalised expression of one cohort and, for each training set, the projection of all genes.

    Parameters
    ----------
    builder
        Gives the settings and the weights.
    X
        Samples x genes in the builder's units.
    covariates
        What is held constant in the differences, samples x covariates.
    """

    def __init__(self, builder: AllGenes, X: Floats, covariates: Floats | None = None) -> None:
        self._builder = builder
        self._covariates = covariates
        self._cohort = _DetectedGenes(builder, X)

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return each training set's projection, one column."""
        # Builders that weight the same genes differently have the same inner products: one of them computes them for all.
        cohort = sets.known.setdefault(self._cohort.identity, self._cohort)
        if sets.graded:
            directions = Designs.of_outcome(sets.rows, np.asarray(sets.labels, np.float64), self._covariates).direction
            return [
                _projected(cohort, training, partial(_as_it_is, row), partial(outcome_weights, direction=row))
                for training, row in zip(sets.rows, directions, strict=True)
            ]
        projections = []
        for training, positive, negative in zip(sets.rows, sets.positive, sets.negative, strict=True):
            classes = {"positive": positive, "negative": negative, "covariates": self._covariates}
            of_rows = partial(self._builder.row_weights, **classes)
            projections.append(_projected(cohort, training, of_rows, partial(self._builder.gene_weights, **classes)))
        return projections


def _as_it_is(direction: Floats, products: Floats) -> Floats:
    """Return a direction that does not depend on the inner products."""
    return direction


def _projected(
    cohort: "_DetectedGenes",
    training: Flags,
    row_weights: Callable[[Floats], Floats],
    gene_weights: Callable[[Floats], Floats],
) -> Ranked:
    """Return the projection of one training set, given how weights of samples and of genes follow from products and z."""

    def values() -> Floats:
        products = cohort.inner_products(training)
        rows = row_weights(products)
        score = products @ rows
        length = float(np.sqrt(max(float(rows @ score), 0.0)))
        return np.asarray((score / length if length > 0 else np.zeros_like(score))[:, None], dtype=np.float64)

    def genes_of(column: int) -> tuple[Indices, Floats]:
        z, genes = cohort.standardised(training)
        return genes, _shares(gene_weights(z))

    def gene_parts(columns: Sequence[int]) -> tuple[GeneParts, ...]:
        z, genes = cohort.standardised(training)
        weights = gene_weights(z)
        return tuple(GeneParts(genes, z * weights, weights) for _ in columns)

    return Ranked(np.zeros(1, dtype=np.intp), values, genes_of, gene_parts=gene_parts)


class _DetectedGenes:
    """The detected genes of one cohort, on the scale of any training set.

    A projection needs the genes only through the inner products of samples, ``z z'``, which depend on which samples are trained
    on but not on their labels. They are stored, so that relabellings of the same training set cost next to nothing.
    """

    def __init__(self, builder: AllGenes, X: Floats) -> None:
        settings = builder.units, builder.normalisation, builder.min_expression, builder.min_share
        self.identity = f"all genes {hashlib.blake2b(np.ascontiguousarray(X).data).hexdigest()} {X.shape} {settings}"
        is_detected = detected(X, builder.units, builder.min_expression)
        self._candidates = np.arange(X.shape[1]) if is_detected is None else np.flatnonzero(is_detected.any(axis=0))
        self._detection = SharedDetection(
            None if is_detected is None else is_detected[:, self._candidates], builder.min_share
        )
        self._shifts = SharedShifts(X, builder.units, builder.normalisation)
        self._log2 = log2_expression(X, builder.units)[:, self._candidates]
        self._products: dict[bytes, Floats] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return the state as first made: products stored since decide nothing, and equal work must have equal states."""
        return {**vars(self), "_products": {}}

    def inner_products(self, training: Flags) -> Floats:
        """Return ``z z'`` of all samples, on the scale of the training rows."""
        key = training.tobytes()
        if key not in self._products:
            if len(self._products) * self._log2.shape[0] ** 2 > _MOST_STORED:
                self._products.clear()
            z, _ = self.standardised(training)
            self._products[key] = z @ z.T
        return self._products[key]

    def standardised(self, training: Flags) -> tuple[Floats, Indices]:
        """Return the detected genes of all samples in standard deviations of the training rows, and their positions."""
        shifts, expressed = self._shifts.shifts(training[None]), self._detection.expressed(training[None])
        used = slice(None) if expressed is None else np.flatnonzero(expressed[0])
        log2 = self._log2[:, used] if shifts is None else self._log2[:, used] + shifts[0][:, None]
        return frozen_z(log2, *gene_scale(log2[training])), self._candidates[used]


def class_contrast(positive: Flags, negative: Flags, covariates: Floats | None) -> Floats:
    """Return the weight of every sample in the difference of the classes, with covariates held constant."""
    if covariates is None:
        return np.asarray(positive / np.count_nonzero(positive) - negative / np.count_nonzero(negative))
    return np.asarray(Designs.two_groups(positive[None], negative[None], covariates).direction[0], dtype=np.float64)


def _shares(weights: Floats) -> Floats:
    """Return signed shares; absolute shares add up to one unless every weight is zero."""
    return np.asarray(weights / max(float(np.abs(weights).sum()), np.finfo(float).tiny), dtype=np.float64)
