"""Mean z-score of a signature's genes."""

from typing import Any, Literal, get_args

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.errors import FeatureError
from responder_ml.features.signatures.frozen_z import frozen_z, gene_scale, is_constant
from responder_ml.features.signatures.scorer import SignatureScorer, set_sums, side_totals

Against = Literal["training", "sample"]


def mean_z_weights(members: Any) -> Floats:
    """Return each entry's signed weight over the sum of absolute weights on its side of its set."""
    amounts = members.data if members.data.min(initial=0.0) >= 0 else np.abs(members.data)
    return np.asarray(members.data / side_totals(members, amounts), dtype=np.float64)


def z_within_sample(expression: Floats) -> Floats:
    """Return each value against the mean and standard deviation (n - 1) of its own sample over genes."""
    centred, inverse = centre_within_sample(expression)
    return np.asarray(centred * inverse[:, None], dtype=np.float64)


def centre_within_sample(expression: Floats) -> tuple[Floats, Floats]:
    """Return each value less its sample's mean over genes, and one over the sample's standard deviation, 0 for 0."""
    n_genes = expression.shape[1]
    mean = expression.mean(axis=1)
    centred = expression - mean[:, None]
    variance = np.einsum("ij,ij->i", centred, centred) / max(n_genes - 1, 1)
    flat = is_constant(mean, variance, n_genes)
    return centred, np.divide(1.0, np.sqrt(variance), out=np.zeros_like(mean), where=~flat)


def mean_z(z: Floats, weights: Any) -> Floats:
    """Return the weighted mean of z over each set's up genes less that over its down genes, samples x sets.

    Parameters
    ----------
    z
        Samples x genes.
    weights
        Sparse genes x sets table of `mean_z_weights`.
    """
    return set_sums(z, weights)


class MeanZ(SignatureScorer):
    """Mean z-score of the up genes less mean z-score of the down genes.

    ``sum(w z) / sum(w)`` over the up genes less the same over the down genes, with ``z = (x - mean) / sd``. Times the
    square root of the number of genes it is the combined z-score of Lee et al.

    Parameters
    ----------
    against
        ``training``: a gene's mean and standard deviation over the training rows, frozen. ``sample``: mean and standard
        deviation over all genes of the sample itself, which learns nothing from the training rows (decoupler's z-score for
        one-sided sets, but for the square root of the number of genes).

    Attributes
    ----------
    mean_, scale_
        Mean and standard deviation (n - 1) of each gene over the training rows, log2 expression, shape ``(n_genes,)``;
        empty if ``against`` is ``sample``.
    totals_
        Sum of each set's weights, shape ``(n_sets,)``, where no set has a down side; otherwise empty.
    weights_
        Weight of each member's z, shape ``(n_members,)``, where a set has a down side; otherwise empty: a division of
        each score by its total takes the place of one of each member's weight.

    Raises
    ------
    FeatureError
        ``against`` is neither.

    Notes
    -----
    A gene that does not vary over the training rows contributes zero and still counts among the genes of its set.

    References
    ----------
    Lee E et al. (2008) Inferring pathway activity toward precise disease classification. PLoS Comput Biol 4:e1000217.
    doi:10.1371/journal.pcbi.1000217
    """

    name = "mean_z"
    summary = "mean z-score of the signature's genes, against the training rows' mean and standard deviation"
    reference = "doi:10.1371/journal.pcbi.1000217"
    additive = True
    sample_wise = False
    least_samples = 2

    def __init__(self, against: str = "training") -> None:
        self.against = against

    def _learn(self, X: Floats) -> None:
        if self.against not in get_args(Against):
            raise FeatureError(f"against is '{self.against}', but must be one of {', '.join(get_args(Against))}.")
        self.mean_, self.scale_ = gene_scale(X) if self.against == "training" else (np.empty(0), np.empty(0))
        members = self.members
        one_sided = members.data.min(initial=0.0) >= 0
        self.totals_ = members.T @ np.ones(members.shape[0]) if one_sided else np.empty(0)
        self.weights_ = np.empty(0) if one_sided else mean_z_weights(members)

    def _score(self, X: Floats) -> Floats:
        table = self.members if self.totals_.size else self._table(self.weights_)
        if self.against == "sample":
            # One factor for all genes of a sample is one for all its scores, which are fewer.
            centred, inverse = centre_within_sample(X)
            scores = mean_z(centred, table) * inverse[:, None]
        else:
            scores = mean_z(self._gene_values(X), table)
        return scores / self.totals_ if self.totals_.size else scores

    def _member_weights(self) -> Floats:
        return mean_z_weights(self.members) if self.totals_.size else self.weights_

    def _gene_values(self, X: Floats) -> Floats:
        if self.against == "sample":
            return z_within_sample(X)
        return frozen_z(X, self.mean_, self.scale_)
