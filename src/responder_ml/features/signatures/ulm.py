"""Univariate linear model: the t of a sample's expression regressed on a signature's weights."""

from typing import Any

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.features.signatures.frozen_z import is_constant
from responder_ml.features.signatures.scorer import SignatureScorer, set_sums

# Keeps t finite where the correlation is 1 or -1; the value decoupler adds.
_GUARD = 2.2e-16
# A spread below this share of the sum of squares is rounding: all genes have the same weight.
_NO_SPREAD = 1e-12


def weight_spread(members: Any) -> Floats:
    """Return each set's sum of squared deviations of its weights over all genes, those outside with weight 0."""
    n_genes, n_sets = members.shape
    total, square = (
        np.bincount(members.indices, weights=entries, minlength=n_sets) for entries in (members.data, members.data**2)
    )
    spread = square - total**2 / n_genes
    return np.where(spread > _NO_SPREAD * square, spread, 0.0)


def ulm(expression: Floats, members: Any, spread: Floats) -> Floats:
    """Return t of the slope, samples x sets; 0 where it is not defined.

    Parameters
    ----------
    expression
        Samples x genes.
    members
        Sparse genes x sets table of signed weights.
    spread
        From `weight_spread`.
    """
    n_genes = expression.shape[1]
    mean = expression.mean(axis=1)
    centred = expression - mean[:, None]
    own = np.einsum("ij,ij->i", centred, centred)
    own[is_constant(mean, own / n_genes, n_genes)] = 0.0
    correlation = set_sums(centred, members)
    correlation *= _inverse_root(own)[:, None]
    correlation *= _inverse_root(spread)
    np.clip(correlation, -1.0, 1.0, out=correlation)
    freedom = max(n_genes - 2, 0)
    rest = (1.0 - correlation + _GUARD) * (1.0 + correlation + _GUARD)
    return np.asarray(correlation * np.sqrt(freedom / rest), dtype=np.float64)


def _inverse_root(squares: Floats) -> Floats:
    """Return one over the square root, and 0 for 0."""
    return np.asarray(np.divide(1.0, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0), dtype=np.float64)


class Ulm(SignatureScorer):
    """t of the slope when a sample's expression is regressed on the signature's weights over all genes.

    Genes outside the signature have weight 0, up genes 1 or their weight, down genes the negative. With r the
    correlation of expression and weights over N genes, ``t = r sqrt((N - 2) / (1 - r^2))``: high when up genes are
    above, and down genes below, the rest of the same sample.

    Nothing is learnt from training rows.

    Attributes
    ----------
    spread_
        Sum of squared deviations of each set's weights over all genes, shape ``(n_sets,)``.

    Notes
    -----
    A signature that weighs all genes alike, and a sample whose genes are all equal, score 0.

    References
    ----------
    Badia-i-Mompel P et al. (2022) decoupleR. Bioinform Adv 2:vbac016. doi:10.1093/bioadv/vbac016
    """

    name = "ulm"
    summary = "t of the slope when the sample's expression is regressed on the signature's weights over all genes"
    reference = "doi:10.1093/bioadv/vbac016"

    def _learn(self, X: Floats) -> None:
        self.spread_ = weight_spread(self.members)

    def _score(self, X: Floats) -> Floats:
        return ulm(X, self.members, self.spread_)
