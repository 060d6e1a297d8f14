"""Weighted projection: the position of a sample along a signature's weights."""

from typing import Any

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.features.signatures.frozen_z import frozen_z, gene_scale
from responder_ml.features.signatures.scorer import SignatureScorer, set_sums


def unit_weights(members: Any) -> Floats:
    """Return each entry's signed weight over the Euclidean length of its set's weights."""
    square = np.bincount(members.indices, weights=members.data**2, minlength=members.shape[1])
    return np.asarray(members.data / np.sqrt(square)[members.indices], dtype=np.float64)


def weighted_projection(z: Floats, weights: Any) -> Floats:
    """Return the projection of each sample on the direction of each set, samples x sets.

    Parameters
    ----------
    z
        Samples x genes.
    weights
        Sparse genes x sets table of `unit_weights`.
    """
    return set_sums(z, weights)


class WeightedProjection(SignatureScorer):
    """Projection of a sample's z-scores on a signature's weights, ``sum(w z) / ||w||``.

    For signatures whose weights say how certain or how large a change is, such as moderated t: genes with larger weights
    count more. Down genes have negative weights. With equal weights it is the combined z-score.

    Attributes
    ----------
    mean_, scale_
        Mean and standard deviation (n - 1) of each gene over the training rows, log2 expression, shape ``(n_genes,)``.
    weights_
        Weight of each member's z, shape ``(n_members,)``.

    Notes
    -----
    Training rows give the means and standard deviations, nothing else. A gene that does not vary there contributes zero.

    References
    ----------
    Lee E et al. (2008) Inferring pathway activity toward precise disease classification. PLoS Comput Biol 4:e1000217.
    doi:10.1371/journal.pcbi.1000217 (the case of equal weights)
    """

    name = "weighted_projection"
    summary = "projection of the sample's z-scores, frozen on the training rows, on the signature's weights"
    reference = "doi:10.1371/journal.pcbi.1000217"
    additive = True
    sample_wise = False
    least_samples = 2

    def _learn(self, X: Floats) -> None:
        self.mean_, self.scale_ = gene_scale(X)
        self.weights_ = unit_weights(self.members)

    def _score(self, X: Floats) -> Floats:
        return weighted_projection(self._gene_values(X), self._table(self.weights_))

    def _gene_values(self, X: Floats) -> Floats:
        return frozen_z(X, self.mean_, self.scale_)
