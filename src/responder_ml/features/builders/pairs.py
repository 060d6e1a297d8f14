"""Pairs of genes whose order within a sample differs between the classes: k top scoring pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Integers, Labels, Strings
from responder_ml.features.builders.builder import Builder, Ranked
from responder_ml.features.builders.context import Context
from responder_ml.features.builders.genes import Genes
from responder_ml.features.normalise import Normalisation
from responder_ml.features.signatures.ranks import average_ranks
from responder_ml.parameters import Count, Finite, Share
from responder_ml.statistics.training_sets import TrainingSets


@dataclass(frozen=True)
class GenePairs:
    """Disjoint pairs of genes, best first; the first gene of each is the one that comes first in the data.

    Attributes
    ----------
    first, second
        Indices of the genes, shape ``(n_pairs,)``.
    """

    first: Indices
    second: Indices

    def orders(self, values: Floats) -> Floats:
        """Return 1 where the second gene is the higher one, -1 where the first is, 0 for ties; samples x pairs."""
        return np.sign(values[:, self.second] - values[:, self.first])


def score_pairs(values: Floats, ranks: Floats, labels: Labels) -> Integers:
    """Return every pair's score, genes x genes; only the upper triangle counts.

    The score is the difference between the classes of the mean order (1 if the second gene is higher, -1 if the first is, 0
    for ties), which without ties is twice that of the probability of either order. Equal scores are ordered by the
    difference between the classes of the mean distance of the two genes in rank. Both are computed in whole numbers, so
    that ties are exact: ``score x unit + distance``, with a unit above any distance.

    Parameters
    ----------
    values
        Training samples x genes; only their order within a sample is used.
    ranks
        Average ranks of the same genes among all genes of the sample.
    labels
        0 or 1 of each sample.
    """
    positive, negative = labels == 1, labels == 0
    n_positive, n_negative = int(positive.sum()), int(negative.sum())
    orders = n_negative * _sum_of_orders(values[positive]) - n_positive * _sum_of_orders(values[negative])
    # Average ranks are halves.
    doubled = np.rint(2.0 * ranks).astype(np.int64)
    level = n_negative * doubled[positive].sum(axis=0) - n_positive * doubled[negative].sum(axis=0)
    distance = np.abs(level[:, None] - level[None, :])
    return np.asarray(np.abs(orders) * (distance.max(initial=0) + 1) + distance, dtype=np.int64)


def top_pairs(scores: Integers, count: int) -> tuple[Indices, Indices]:
    """Return the best disjoint pairs, best first: each takes its genes from those still free. Ties go to the earlier genes.

    Parameters
    ----------
    scores
        From `score_pairs`.
    count
        Greatest number of pairs.
    """
    rows, columns = np.triu_indices(len(scores), k=1)
    order = np.argsort(-scores[rows, columns], kind="stable")
    free = np.ones(len(scores), dtype=bool)
    chosen: list[int] = []
    for pair in order.tolist():
        if len(chosen) == min(count, len(scores) // 2):
            break
        if free[rows[pair]] and free[columns[pair]]:
            free[rows[pair]] = free[columns[pair]] = False
            chosen.append(pair)
    return rows[chosen], columns[chosen]


class Pairs(Builder):
    """Which of two genes is the higher one, for pairs whose order differs most between the classes of the training rows.

    A sample is compared with itself only: any scale or normalisation that keeps the order of genes within it leaves every
    column as it is, so a model can score samples of another platform. Genes are first narrowed down by moderated t in the
    training rows, as `Genes` does. A column is 1 where the second gene is the higher one, -1 where the first is.

    Parameters
    ----------
    n_genes
        Number of genes among which pairs are sought.
    max_pairs
        Longest prefix a classifier may see.
    normalisation, min_expression, min_share, covariates, units
        As for `Genes`; they matter for narrowing down only.

    Attributes
    ----------
    first_, second_
        Indices of the genes of each pair, best first, shape ``(n_pairs,)``.

    References
    ----------
    Tan AC et al. (2005) Simple decision rules for classifying human cancers from gene expression profiles.
    Bioinformatics 21:3896. doi:10.1093/bioinformatics/bti631
    """

    name = "pairs"
    summary = "order of two genes within the sample (k top scoring pairs), for use across platforms"
    reference = "doi:10.1093/bioinformatics/bti631"
    fixed_length = 9

    def __init__(
        self,
        n_genes: Count = 200,
        max_pairs: Count = 50,
        normalisation: Normalisation = "tmm",
        min_expression: Finite = 1.0,
        min_share: Share = 0.25,
        covariates: Sequence[str] = (),
        units: str = "log2",
    ) -> None:
        self.n_genes = n_genes
        self.max_pairs = max_pairs
        self.normalisation = normalisation
        self.min_expression = min_expression
        self.min_share = min_share
        self.covariates = covariates
        self.units = units

    @property
    def by_order(self) -> bool:
        """Always: a pair is an order."""
        return True

    def check(self, context: Context) -> None:
        """Check that the sheet has the covariates."""
        self.make_ranking().check(context)

    def share(self, X: Floats, genes: Strings, context: Context | None = None) -> "SharedPairs":
        """Normalise the cohort, count detections and rank genes within samples once."""
        return SharedPairs(self, X, genes, context)

    def make_ranking(self) -> Genes:
        """Return the unfitted ranking of genes that narrows them down."""
        return Genes(
            normalisation=self.normalisation,
            min_expression=self.min_expression,
            min_share=self.min_share,
            max_genes=self.n_genes,
            covariates=self.covariates,
            units=self.units,
        )

    def _fit(self, X: Floats, labels: Labels, genes: Strings, context: Context | None) -> None:
        candidates = self.make_ranking().fit(X, labels, genes=genes, context=context).position_
        pairs = find_pairs(X, average_ranks(X), np.ones(len(X), dtype=bool), labels, candidates, self.max_pairs)
        self.first_, self.second_ = pairs.first, pairs.second
        self.position_ = pairs.first * X.shape[1] + pairs.second
        self.names_ = np.array([f"{a}<{b}" for a, b in zip(genes[self.first_], genes[self.second_], strict=True)], str)
        self.genes_ = genes

    def _transform(self, X: Floats) -> Floats:
        return GenePairs(self.first_, self.second_).orders(X)

    def genes_of(self, column: int) -> tuple[Strings, Floats]:
        """Return the two genes: the second raises the column, the first lowers it."""
        pair = [int(self.first_[column]), int(self.second_[column])]
        return self.genes_[pair], np.array([-0.5, 0.5])


class SharedPairs:
    """Ranks within the samples of one cohort, and the pairs of each training set.

    Parameters
    ----------
    builder
        Gives the settings.
    X
        Samples x genes in the builder's units.
    genes
        Gene names.
    context
        Where the covariates are.
    """

    def __init__(self, builder: Pairs, X: Floats, genes: Strings, context: Context | None) -> None:
        self._ranking = builder.make_ranking().share(X, genes, context)
        self._values = X
        self._ranks = average_ranks(X)
        self._count = builder.max_pairs

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return each training set's pairs by score."""
        # The best pairs may be of any of the genes, however few pairs are read.
        whole = sets if sets.longest is None else TrainingSets(sets.rows, sets.labels, sets.alike)
        return [
            self._ranked(find_pairs(self._values, self._ranks, rows, labels, ranking.position, self._count))
            for ranking, rows, labels in zip(self._ranking.rank(whole), sets.rows, sets.labels, strict=True)
        ]

    def _ranked(self, pairs: GenePairs) -> Ranked:
        def genes_of(column: int) -> tuple[Indices, Floats]:
            return np.array([pairs.first[column], pairs.second[column]]), np.array([-0.5, 0.5])

        position = pairs.first * self._values.shape[1] + pairs.second
        return Ranked(position, lambda: pairs.orders(self._values), genes_of)


def find_pairs(
    values: Floats,
    ranks: Floats,
    rows: Flags,
    labels: Labels,
    candidates: Indices,
    count: int,
) -> GenePairs:
    """Return the best disjoint pairs among some genes.

    Parameters
    ----------
    values, ranks
        Samples x genes, and their average ranks within the sample.
    rows, labels
        Training samples, and 0 or 1 for each sample.
    candidates
        Indices of the genes among which pairs are sought.
    count
        Greatest number of pairs.
    """
    genes = np.sort(candidates)
    part = np.ix_(rows, genes)
    first, second = top_pairs(score_pairs(values[part], ranks[part], labels[rows]), count)
    return GenePairs(genes[first], genes[second])


def _sum_of_orders(values: Floats) -> Integers:
    """Return, for each pair, in how many samples the second gene is higher less in how many the first is."""
    lower = np.zeros((values.shape[1], values.shape[1]), dtype=np.int64)
    for sample in values:
        lower += sample[:, None] < sample[None, :]
    return lower - lower.T
