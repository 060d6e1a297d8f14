"""Eigengene (PLAGE): the direction in which a signature's genes vary together, learnt from training rows and frozen."""

from typing import Any

import numpy as np
from scipy.linalg import eigh

from responder_ml.arrays import Floats
from responder_ml.features.signatures.frozen_z import frozen_z, gene_scale
from responder_ml.features.signatures.scorer import SignatureScorer, set_sums

# A sum of the loadings of a unit vector below this is rounding.
_NO_SIGN = 1e-9


def eigengene_loadings(z: Floats, members: Any) -> Floats:
    """Return the loading of each entry of the sets: z times loadings has standard deviation 1 over these samples.

    Parameters
    ----------
    z
        Training samples x genes, each gene with mean 0.
    members
        Sparse genes x sets table of signed weights; only the signs count, and only for the sign of the loadings.
    """
    by_gene = np.ascontiguousarray(z.T)
    genes = np.repeat(np.arange(members.shape[0]), np.diff(members.indptr))
    entries = np.argsort(members.indices, kind="stable")
    ends = np.cumsum(np.bincount(members.indices, minlength=members.shape[1]))
    loadings = np.empty(members.nnz)
    for of_set in np.split(entries, ends[:-1]):
        loadings[of_set] = _leading(by_gene[genes[of_set]], np.sign(members.data[of_set]))
    return loadings


def _leading(part: Floats, signs: Floats) -> Floats:
    """Return the leading left singular vector of genes x samples, scaled and with the sign of the signed mean."""
    n_genes, n_samples = part.shape
    # The smaller of the two products of the table with itself has the same leading eigenvalue.
    wide = n_genes > n_samples
    product = part.T @ part if wide else part @ part.T
    last = len(product) - 1
    values, vectors = eigh(product, subset_by_index=[last, last], check_finite=False)
    # A table of zeros, but for rounding, has no direction.
    if values[0] <= np.finfo(np.float64).eps * n_genes * n_samples:
        return np.zeros(n_genes)
    size = np.sqrt(values[0])
    direction = part @ vectors[:, 0] / size if wide else vectors[:, 0]
    return np.asarray(_orientation(direction, signs) * np.sqrt(n_samples - 1.0) / size * direction, dtype=np.float64)


def _orientation(direction: Floats, signs: Floats) -> float:
    """Return the sign that makes scores rise with the signed mean; if none does, with up genes, then with the first gene."""
    # The scores' covariance with the signed mean is the eigenvalue times the first sum.
    for total in (direction @ signs, direction @ (signs > 0), direction[0]):
        if abs(total) > _NO_SIGN:
            return float(np.sign(total))
    return 1.0


def eigengene(z: Floats, loadings: Any) -> Floats:
    """Return samples x sets.

    Parameters
    ----------
    z
        Samples x genes.
    loadings
        Sparse genes x sets table of `eigengene_loadings`.
    """
    return set_sums(z, loadings)


class Eigengene(SignatureScorer):
    """Leading principal component of a signature's z-scores over the training rows.

    PLAGE's activity of a set over the training rows is the leading right singular vector of its genes x samples
    z-scores; here it is scaled to standard deviation 1. New samples are projected on the same loadings. The sign is
    that of the correlation with the mean z-score of up genes less down genes, so a high score means high up genes. Where
    that correlation is zero (an up and a down gene that only rise together), the up genes' loadings add up to more than
    zero.

    Weights of genes are not used beyond their sign.

    Attributes
    ----------
    mean_, scale_
        Mean and standard deviation (n - 1) of each gene over the training rows, log2 expression, shape ``(n_genes,)``.
    weights_
        Loading of each member's z, shape ``(n_members,)``.

    Notes
    -----
    Training rows give means, standard deviations and loadings. A gene that does not vary there contributes zero; a
    signature of such genes scores 0.

    References
    ----------
    Tomfohr J, Lu J, Kepler TB (2005) Pathway level analysis of gene expression using singular value decomposition.
    BMC Bioinformatics 6:225. doi:10.1186/1471-2105-6-225
    """

    name = "eigengene"
    summary = "leading principal component of the signature's genes over the training rows, kept for new samples"
    reference = "doi:10.1186/1471-2105-6-225"
    additive = True
    sample_wise = False
    least_samples = 2

    def _learn(self, X: Floats) -> None:
        self.mean_, self.scale_ = gene_scale(X)
        self.weights_ = eigengene_loadings(frozen_z(X, self.mean_, self.scale_), self.members)

    def _score(self, X: Floats) -> Floats:
        return eigengene(self._gene_values(X), self._table(self.weights_))

    def _gene_values(self, X: Floats) -> Floats:
        return frozen_z(X, self.mean_, self.scale_)
