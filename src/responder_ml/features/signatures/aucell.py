"""AUCell: how near the top of the sample's ranking a signature's genes are."""

from typing import Any

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.errors import FeatureError
from responder_ml.features.signatures.ranks import share_among_ties
from responder_ml.features.signatures.scorer import SignatureScorer, set_sums, side_totals
from responder_ml.parameters import ShareAboveZero


def depth_of(n_genes: int, top: float) -> int:
    """Return the number of top ranks that count: a share of the genes, at least two."""
    return int(np.clip(np.ceil(top * n_genes), min(2, n_genes), n_genes))


def area_by_gene(expression: Floats, depth: int) -> Floats:
    """Return the area each gene adds under the recovery curve, samples x genes.

    It is the number of the first ``depth`` ranks that come after the gene, 0 beyond them. Tied genes share the mean of the
    areas at their ranks.
    """
    n_genes = expression.shape[1]
    area = np.zeros(expression.shape)
    lowest = np.partition(expression, n_genes - depth, axis=1)[:, n_genes - depth]
    for values, threshold, out in zip(expression, lowest, area, strict=True):
        candidates = np.flatnonzero(values >= threshold)
        order = candidates[np.argsort(-values[candidates])]
        amounts = np.maximum(depth - np.arange(1.0, order.size + 1.0), 0.0)
        out[order] = share_among_ties(values[order], amounts)
    return area


def aucell_weights(members: Any, depth: int) -> Floats:
    """Return each entry's sign over the greatest area that the genes on its side of its set can have."""
    count = np.minimum(side_totals(members, np.ones(members.nnz)), depth - 1.0)
    greatest = count * depth - count * (count + 1.0) / 2.0
    return np.asarray(np.sign(members.data) * (greatest > 0) / np.maximum(greatest, 1.0), dtype=np.float64)


def aucell(expression: Floats, weights: Any, depth: int) -> Floats:
    """Return the area under the recovery curve, up less down, samples x sets.

    Parameters
    ----------
    expression
        Samples x genes.
    weights
        Sparse genes x sets table of `aucell_weights`.
    depth
        Number of top ranks that count.
    """
    return set_sums(area_by_gene(expression, depth), weights)


class AUCell(SignatureScorer):
    """Area under the recovery curve of the up genes among the sample's highest, less that of the down genes.

    Among the first ``D`` ranks a gene of the list at rank p adds ``D - p``; the sum is divided by its greatest possible
    value. A list scores between 0 (no gene among the highest) and 1 (its genes come first).

    Nothing is learnt from training rows. Weights of genes are not used beyond their sign.

    Parameters
    ----------
    top
        Share of the genes that makes ``D``, above 0 and at most 1.

    Attributes
    ----------
    weights_
        Weight of the area each member adds, shape ``(n_members,)``.

    Raises
    ------
    FeatureError
        ``top`` is out of range.

    Notes
    -----
    Ties: tied genes share the mean of the areas at their ranks, which gives the mean score over all orders of them.

    References
    ----------
    Aibar S et al. (2017) SCENIC. Nat Methods 14:1083-1086. doi:10.1038/nmeth.4463
    """

    name = "aucell"
    summary = "how early the signature's genes turn up among the sample's highest 5 % of genes"
    reference = "doi:10.1038/nmeth.4463"
    by_order = True
    additive = True

    def __init__(self, top: ShareAboveZero = 0.05) -> None:
        self.top = top

    def _learn(self, X: Floats) -> None:
        if not 0 < self.top <= 1:
            raise FeatureError(f"top is {self.top}, but must be above 0 and at most 1: a share of the genes.")
        self.weights_ = aucell_weights(self.members, depth_of(X.shape[1], self.top))

    def _score(self, X: Floats) -> Floats:
        return aucell(X, self._table(self.weights_), depth_of(X.shape[1], self.top))

    def _gene_values(self, X: Floats) -> Floats:
        return area_by_gene(X, depth_of(X.shape[1], self.top))
