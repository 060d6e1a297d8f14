"""Singscore: how high a signature's genes rank within the sample."""

from typing import Any

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.features.signatures.ranks import average_ranks
from responder_ml.features.signatures.scorer import SignatureScorer, set_sums, side_totals


def centred_ranks(expression: Floats) -> Floats:
    """Return each gene's rank within its sample, less the mean rank."""
    return np.asarray(average_ranks(expression) - (expression.shape[1] + 1) / 2, dtype=np.float64)


def singscore_weights(members: Any) -> Floats:
    """Return the weight of each entry of the sets: 1 / (k (N - k)) up, its negative down, for k genes on that side.

    A side that holds all N genes has the same mean rank in every sample and has weight 0.
    """
    size = side_totals(members, np.ones(members.nnz))
    others = members.shape[0] - size
    return np.asarray(np.sign(members.data) * (others > 0) / (size * np.maximum(others, 1.0)), dtype=np.float64)


def singscore(expression: Floats, weights: Any) -> Floats:
    """Return centred singscores, samples x sets.

    Parameters
    ----------
    expression
        Samples x genes.
    weights
        Sparse genes x sets table of `singscore_weights`.
    """
    return set_sums(centred_ranks(expression), weights)


class Singscore(SignatureScorer):
    """Mean rank of a signature's genes, scaled by its theoretical range and centred.

    With N genes in the sample and k in the up set, the up score is ``(mean rank - low) / (high - low) - 1/2``,
    where ``low = (k + 1) / 2`` and ``high = (2 N - k + 1) / 2`` are the least and greatest mean rank that k genes can
    have. The down set is scored on ranks counted from the top. The score is the sum of both: between -1/2 and 1/2 for
    a one-sided, between -1 and 1 for a two-sided signature, 0 when the genes lie in the middle.

    Nothing is learnt from training rows, and only the order of genes within a sample counts. Weights of genes are not
    used beyond their sign.

    Attributes
    ----------
    weights_
        Weight of each member's centred rank, shape ``(n_members,)``.

    Notes
    -----
    Ties: mean ranks (the R package takes the least rank of a tie instead).

    References
    ----------
    Foroutan M et al. (2018) Single sample scoring of molecular phenotypes. BMC Bioinformatics 19:404.
    doi:10.1186/s12859-018-2435-4
    """

    name = "singscore"
    summary = "mean rank of the signature's genes within the sample, scaled to its possible range and centred"
    reference = "doi:10.1186/s12859-018-2435-4"
    by_order = True
    additive = True

    def _learn(self, X: Floats) -> None:
        self.weights_ = singscore_weights(self.members)

    def _score(self, X: Floats) -> Floats:
        return singscore(X, self._table(self.weights_))

    def _gene_values(self, X: Floats) -> Floats:
        return centred_ranks(X)
