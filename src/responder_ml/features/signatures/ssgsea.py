"""Single-sample gene set enrichment: unnormalised enrichment score in closed form."""

from typing import Any

import numpy as np
from scipy import sparse

from responder_ml.arrays import Floats
from responder_ml.errors import FeatureError
from responder_ml.features.signatures.ranks import average_ranks
from responder_ml.features.signatures.scorer import SignatureScorer, set_sums
from responder_ml.parameters import NotNegative


def enrichment(ranks: Floats, sides: Any, sizes: Floats, alpha: float) -> Floats:
    """Return enrichment scores, samples x gene lists; 0 for a list of no gene or of all genes.

    From the highest gene down, one distribution function rises by ``rank^alpha`` at each gene of the list, the other by
    one at each gene outside. A step at rank r (1 for the lowest) counts at the r positions from there on, so the sum of
    differences is ``sum r^(1 + alpha) / sum r^alpha`` over the list less the mean rank outside.

    Parameters
    ----------
    ranks
        Samples x genes, from `average_ranks`.
    sides
        Sparse genes x lists table of ones.
    sizes
        Genes in each list, shape ``(n_lists,)``.
    alpha
        Exponent of ranks.
    """
    n_samples, n_genes = ranks.shape
    weight = np.sqrt(np.sqrt(ranks)) if alpha == 0.25 else ranks**alpha
    sums = set_sums(np.concatenate((ranks, weight, ranks * weight)), sides)
    rank_sum, weight_sum, product_sum = sums[:n_samples], sums[n_samples : 2 * n_samples], sums[2 * n_samples :]
    is_part = (sizes > 0) & (sizes < n_genes)
    inside = np.divide(product_sum, weight_sum, out=np.zeros(product_sum.shape), where=is_part)
    others = np.where(is_part, n_genes - sizes, 1.0)
    outside = (n_genes * (n_genes + 1) / 2 - rank_sum) / others
    return np.where(is_part, inside - outside, 0.0)


class SsGsea(SignatureScorer):
    """Enrichment score of the up genes less that of the down genes, in units of ranks.

    The score of a list is the sum over all ranks, from the highest gene down, of the list's share of weight down to this
    rank less the share of other genes down to it; a gene's weight is its rank to the power ``alpha``. It is not divided
    by a range of scores: that range would depend on the other samples.

    Nothing is learnt from training rows. Weights of genes are not used beyond their sign.

    Parameters
    ----------
    alpha
        Exponent of ranks, at least 0.

    Attributes
    ----------
    side_of_
        Gene list of each member: its set, or for a down gene its set plus the number of sets.
    sizes_
        Genes in each list.

    Raises
    ------
    FeatureError
        ``alpha`` is negative.

    Notes
    -----
    Ties: tied genes have their mean rank, as weight and as position. That gives the mean score over all orders of the
    tied genes.

    References
    ----------
    Barbie DA et al. (2009) Systematic RNA interference reveals that oncogenic KRAS-driven cancers require TBK1. Nature
    462:108-112. doi:10.1038/nature08460
    """

    name = "ssgsea"
    summary = "enrichment score of the signature's genes in the sample's ranking, not normalised across samples"
    reference = "doi:10.1038/nature08460"
    by_order = True

    def __init__(self, alpha: NotNegative = 0.25) -> None:
        self.alpha = alpha

    def _learn(self, X: Floats) -> None:
        if not self.alpha >= 0:
            raise FeatureError(f"alpha is {self.alpha}, but must be at least 0.")
        n_sets = self.names_.size
        down = self.member_weight_ < 0
        self.side_of_ = (self.set_of_ + n_sets * down).astype(self.set_of_.dtype)
        self.sizes_ = np.bincount(self.side_of_, minlength=2 * n_sets if down.any() else n_sets).astype(np.float64)

    def _score(self, X: Floats) -> Floats:
        n_sets = self.names_.size
        shape = (X.shape[1], self.sizes_.size)
        sides = sparse.csr_array((np.ones(self.side_of_.size), self.side_of_, self.gene_starts_), shape=shape)
        scores = enrichment(average_ranks(X), sides, self.sizes_, self.alpha)
        if self.sizes_.size == n_sets:
            return scores
        return np.asarray(scores[:, :n_sets] - scores[:, n_sets:], dtype=np.float64)
