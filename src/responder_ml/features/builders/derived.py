"""A signature derived from the training rows, scored as one feature of searched length."""

from collections.abc import Sequence

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Labels, Strings
from responder_ml.features.builders.builder import Builder, Ranked
from responder_ml.features.builders.context import Context
from responder_ml.features.builders.genes import Genes
from responder_ml.features.normalise import Normalisation
from responder_ml.features.signatures.frozen_z import frozen_z, gene_scale
from responder_ml.features.signatures.scorer import GeneParts
from responder_ml.parameters import Count, Finite, Share
from responder_ml.statistics.many_contrasts import Designs
from responder_ml.statistics.training_sets import TrainingSets

# A direction is that of a difference; differences that are rounding have none.
_DIGITS = 9


def running_score(z: Floats, signs: Floats) -> Floats:
    """Return the mean over the first k genes of their signed z, for k = 1, 2, ...

    Parameters
    ----------
    z
        Samples x genes, best gene first.
    signs
        1, -1 or 0 for each gene.
    """
    return np.asarray(np.cumsum(z * signs, axis=1) / np.arange(1.0, z.shape[1] + 1.0), dtype=np.float64)


def directions(log2: Floats, positive: Flags, negative: Flags, covariates: Floats | None) -> Floats:
    """Return the sign of each gene's difference between the classes, adjusted for covariates.

    Parameters
    ----------
    log2
        Samples x genes.
    positive, negative
        Rows of the classes, shape ``(n_samples,)``.
    covariates
        Samples x columns.
    """
    # Only training rows: not even 0 times a held-out value may enter, which could be infinite.
    rows = positive | negative
    contrast = _contrast(positive, negative, covariates)
    return np.asarray(np.sign(np.round(contrast @ log2[rows], _DIGITS)), dtype=np.float64)


def _contrast(positive: Flags, negative: Flags, covariates: Floats | None) -> Floats:
    """Return each training sample's share of the difference between the classes."""
    direction = Designs.two_groups(positive[None], negative[None], covariates).direction
    return np.asarray(direction[0, positive | negative], dtype=np.float64)


class Derived(Builder):
    """One list of up and down genes that separate the classes of the training rows, scored in every sample.

    Genes are ranked by moderated t as `Genes` does. The score of length k is the mean over the first k genes of
    ``sign(t) z``, with ``z = (x - mean) / sd`` of the training rows. Column k is the score of length k, so the search for a
    length is one along a running sum, and a classifier sees a single column.

    Training rows score further apart than new samples will, since their labels chose the genes. With one column a classifier
    has nothing to weight, so this shows in the size of log-odds, not in their order.

    Parameters
    ----------
    normalisation, min_expression, min_share, units
        As for `Genes`.
    max_genes
        Longest signature.
    covariates
        Columns of the sample sheet to adjust for in the genes' t, such as ``drug`` or ``batch``.

    Attributes
    ----------
    ranking_
        The genes in rank order.
    mean_, scale_
        Mean and standard deviation (n - 1) of each ranked gene over the training rows, log2 units, shape ``(n_ranked,)``.
    signs_
        Direction of each ranked gene, shape ``(n_ranked,)``.

    References
    ----------
    Smyth GK (2004) doi:10.2202/1544-6115.1027 (the ranking)
    Lee E et al. (2008) doi:10.1371/journal.pcbi.1000217 (the score)
    """

    name = "derived"
    summary = "one up/down signature derived by moderated t in each training set; its length is searched"
    reference = "doi:10.1371/journal.pcbi.1000217"
    shortest = 5
    fixed_length = 50
    cumulative = True

    def __init__(
        self,
        normalisation: Normalisation = "tmm",
        min_expression: Finite = 1.0,
        min_share: Share = 0.25,
        max_genes: Count = 500,
        covariates: Sequence[str] = (),
        units: str = "log2",
    ) -> None:
        self.normalisation = normalisation
        self.min_expression = min_expression
        self.min_share = min_share
        self.max_genes = max_genes
        self.covariates = covariates
        self.units = units

    def check(self, context: Context) -> None:
        """Check that the sheet has the covariates."""
        self.make_ranking().check(context)

    def share(self, X: Floats, genes: Strings, context: Context | None = None) -> "SharedDerived":
        """Normalise the cohort and count detections once."""
        return SharedDerived(self.make_ranking(), X, genes, context)

    def make_ranking(self) -> Genes:
        """Return the unfitted ranking of genes."""
        return Genes(
            normalisation=self.normalisation,
            min_expression=self.min_expression,
            min_share=self.min_share,
            max_genes=self.max_genes,
            covariates=self.covariates,
            units=self.units,
        )

    def _fit(self, X: Floats, labels: Labels, genes: Strings, context: Context | None) -> None:
        ranking = self.make_ranking()
        self.ranking_ = ranking.fit(X, labels, genes=genes, context=context)
        log2 = ranking.transform(X)
        self.mean_, self.scale_ = gene_scale(log2)
        self.signs_ = directions(log2, labels == 1, labels == 0, ranking.adjusted_for(context))
        self.position_ = np.arange(log2.shape[1])
        self.names_ = np.array([f"derived__{length}" for length in range(1, log2.shape[1] + 1)], dtype=str)

    def _transform(self, X: Floats) -> Floats:
        return running_score(frozen_z(self.ranking_.transform(X), self.mean_, self.scale_), self.signs_)

    def genes_of(self, column: int) -> tuple[Strings, Floats]:
        """Return the genes of the signature of that length and their equal, signed shares."""
        return self.ranking_.names_[: column + 1], _shares(self.signs_, column)


class SharedDerived:
    """The ranking of genes of one cohort and, for each training set, the running score of its list.

    Parameters
    ----------
    ranking
        Unfitted; gives the settings.
    X
        Samples x genes in the builder's units.
    genes
        Gene names.
    context
        Where the covariates are.
    """

    def __init__(self, ranking: Genes, X: Floats, genes: Strings, context: Context | None) -> None:
        self._covariates = ranking.adjusted_for(context)
        self._ranking = ranking.share(X, genes, context)

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return each training set's signatures by length."""
        return [self._running(genes, sets[index : index + 1]) for index, genes in enumerate(self._ranking.rank(sets))]

    def _running(self, genes: Ranked, one: TrainingSets) -> Ranked:
        training, positive, negative = one.rows[0], one.positive[0], one.negative[0]

        def values() -> Floats:
            # Compiled code is slow to load, and commands that only read a job do not need it.
            from responder_ml.features.builders.running_scores import running_scores

            by_gene = np.ascontiguousarray(genes.values().T)
            scores = np.empty_like(by_gene)
            contrast = _contrast(positive, negative, self._covariates)
            running_scores(by_gene, np.flatnonzero(training), contrast, scores)
            return scores.T

        def genes_of(column: int) -> tuple[Indices, Floats]:
            signs = directions(genes.values(), positive, negative, self._covariates)
            return genes.position[: column + 1], _shares(signs, column)

        def gene_parts(columns: Sequence[int]) -> tuple[GeneParts, ...]:
            log2 = genes.values()
            mean, scale = gene_scale(log2[training])
            signed = directions(log2, positive, negative, self._covariates)
            z = frozen_z(log2, mean, scale)
            return tuple(
                GeneParts(genes.position[:length], z[:, :length] * (signed[:length] / length), signed[:length] / length)
                for length in (column + 1 for column in columns)
            )

        return Ranked(np.arange(len(genes.position)), values, genes_of, cumulative=True, gene_parts=gene_parts)


def _shares(signs: Floats, column: int) -> Floats:
    """Return equal, signed shares of the first genes; absolute shares add up to one unless no gene has a direction."""
    return np.asarray(signs[: column + 1] / max(np.abs(signs[: column + 1]).sum(), 1.0), dtype=np.float64)
