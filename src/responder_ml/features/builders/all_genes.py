"""All detected genes as one signature, for differences that are spread over many genes."""

from collections.abc import Sequence

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Labels, Strings
from responder_ml.features.builders.builder import Builder, Ranked
from responder_ml.features.builders.context import Context
from responder_ml.features.builders.genes import Genes
from responder_ml.features.signatures.frozen_z import frozen_z, gene_scale
from responder_ml.features.signatures.scorer import GeneParts
from responder_ml.statistics.training_sets import TrainingSets

# More genes than any platform has.
_EVERY_GENE = 10**9


def projection_weights(z: Floats, positive: Flags, negative: Flags) -> Floats:
    """Return the difference of each gene's class means, over the Euclidean length of all; zeros where no gene differs at all.

    Parameters
    ----------
    z
        Samples x genes, in standard deviations of the training rows.
    positive, negative
        Rows of the classes, shape ``(n_samples,)``.
    """
    difference = z[positive].mean(axis=0) - z[negative].mean(axis=0)
    length = float(np.linalg.norm(difference))
    return np.asarray(difference / length if length > 0 else np.zeros_like(difference), dtype=np.float64)


class AllGenes(Builder):
    """One score per sample: the projection of all detected genes on their differences between the classes of the training rows.

    No gene is selected. The score is ``sum(d z) / ||d||`` with ``z = (x - mean) / sd`` on the training rows' scale and ``d``
    the difference of the class means of z: the line between the two centroids. Dividing by the variance within classes once more,
    as diagonal discriminant analysis does, costs power with ten training rows, whose variances are mostly noise. The score sees a
    difference that is spread thinly over thousands of genes, of which a list of the best twenty holds almost nothing, and sees
    little where only a few genes differ: it belongs beside `Genes`, not in its place.

    Training rows score further apart than new samples will, since their labels gave the weights. With one column a classifier
    has nothing to weight, so this shows in the size of log-odds, not in their order.

    Parameters
    ----------
    normalisation, min_expression, min_share, units
        As for `Genes`.

    Attributes
    ----------
    ranking_
        The detected genes.
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

    def __init__(
        self, normalisation: str = "tmm", min_expression: float = 1.0, min_share: float = 0.25, units: str = "log2"
    ) -> None:
        self.normalisation = normalisation
        self.min_expression = min_expression
        self.min_share = min_share
        self.units = units

    def share(self, X: Floats, genes: Strings, context: Context | None = None) -> "SharedAllGenes":
        """Normalise the cohort and count detections once."""
        return SharedAllGenes(self.make_ranking(), X, genes)

    def make_ranking(self) -> Genes:
        """Return the unfitted ranking of all detected genes."""
        return Genes(
            normalisation=self.normalisation,
            min_expression=self.min_expression,
            min_share=self.min_share,
            max_genes=_EVERY_GENE,
            units=self.units,
        )

    def _fit(self, X: Floats, labels: Labels, genes: Strings, context: Context | None) -> None:
        self.ranking_ = self.make_ranking().fit(X, labels, genes=genes)
        log2 = self.ranking_.transform(X)
        self.mean_, self.scale_ = gene_scale(log2)
        z = frozen_z(log2, self.mean_, self.scale_)
        self.weights_ = projection_weights(z, labels == 1, labels == 0)
        self.position_ = np.zeros(1, dtype=np.intp)
        self.names_ = np.array(["all_genes"], dtype=str)

    def _transform(self, X: Floats) -> Floats:
        z = frozen_z(self.ranking_.transform(X), self.mean_, self.scale_)
        return np.asarray((z @ self.weights_)[:, None], dtype=np.float64)

    def genes_of(self, column: int) -> tuple[Strings, Floats]:
        """Return all detected genes and their signed shares of the weights."""
        return self.ranking_.names_, _shares(self.weights_)


class SharedAllGenes:
    """The normalised expression of one cohort and, for each training set, the projection of all genes.

    Parameters
    ----------
    ranking
        Unfitted; gives the settings.
    X
        Samples x genes in the builder's units.
    genes
        Gene names.
    """

    def __init__(self, ranking: Genes, X: Floats, genes: Strings) -> None:
        self._ranking = ranking.share(X, genes)

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return each training set's projection, one column."""
        return [self._projected(genes, sets[index : index + 1]) for index, genes in enumerate(self._ranking.rank(sets))]

    def _projected(self, genes: Ranked, one: TrainingSets) -> Ranked:
        training, positive, negative = one.rows[0], one.positive[0], one.negative[0]

        def learn() -> tuple[Floats, Floats]:
            log2 = genes.values()
            z = frozen_z(log2, *gene_scale(log2[training]))
            return z, projection_weights(z, positive, negative)

        def values() -> Floats:
            z, weights = learn()
            return np.asarray((z @ weights)[:, None], dtype=np.float64)

        def genes_of(column: int) -> tuple[Indices, Floats]:
            return genes.position, _shares(learn()[1])

        def gene_parts(columns: Sequence[int]) -> tuple[GeneParts, ...]:
            z, weights = learn()
            return tuple(GeneParts(genes.position, z * weights, weights) for _ in columns)

        return Ranked(np.zeros(1, dtype=np.intp), values, genes_of, gene_parts=gene_parts)


def _shares(weights: Floats) -> Floats:
    """Return signed shares; absolute shares add up to one unless every weight is zero."""
    return np.asarray(weights / max(float(np.abs(weights).sum()), np.finfo(float).tiny), dtype=np.float64)
