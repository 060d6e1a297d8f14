"""Signatures as genes with signed weights: read from a table, scored, and resolved to genes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone

from responder_ml.arrays import Flags, Floats, Indices, Strings
from responder_ml.errors import FeatureError
from responder_ml.features.gene_map import read_one_to_one, translate
from responder_ml.features.gene_sets import read_signature_table
from responder_ml.features.membership import match_sets_to_genes
from responder_ml.features.signatures.scorer import GeneParts, SignatureScorer


@dataclass(frozen=True)
class Signature:
    """Genes with signed weights, positive for up; no gene where it could not be derived.

    Attributes
    ----------
    genes
        Columns of the genes in the data, ascending, shape ``(n_members,)``.
    weights
        Shape ``(n_members,)``.
    """

    genes: Indices
    weights: Floats

    @property
    def shares(self) -> Floats:
        """Each gene's signed share of the signature; absolute shares add up to one."""
        return np.asarray(self.weights / np.abs(self.weights).sum(), dtype=np.float64)


def weight_table(signatures: Sequence[Signature], n_genes: int) -> Any:
    """Return a sparse genes x signatures table of weights."""
    genes = np.concatenate([signature.genes for signature in signatures])
    column = np.repeat(np.arange(len(signatures)), [signature.genes.size for signature in signatures])
    weights = np.concatenate([signature.weights for signature in signatures])
    return sparse.csr_array((weights, (genes, column)), shape=(n_genes, len(signatures)))


def score_signatures(
    scorer: SignatureScorer,
    signatures: Sequence[Signature],
    log2: Floats,
    training: Flags | slice = slice(None),
    gene_values: Floats | None = None,
) -> Floats:
    """Return samples x signatures; 0 for signatures without genes.

    Parameters
    ----------
    scorer
        It is not changed: a copy of it is fitted.
    signatures
        The signatures.
    log2
        Samples x genes.
    training
        Rows from which a scorer may learn, boolean over samples; all by default.
    gene_values
        The scorer's `gene_values` of ``log2``, where they are known.
    """
    scores = np.zeros((len(log2), len(signatures)))
    columns = np.flatnonzero([signature.genes.size for signature in signatures])
    if columns.size:
        table = weight_table([signature for signature in signatures if signature.genes.size], log2.shape[1])
        fitted = clone(scorer).fit(log2[training], members=table)
        scores[:, columns] = fitted.transform(log2) if gene_values is None else fitted.scores_of(gene_values)
    return scores


def signature_parts(
    scorer: SignatureScorer,
    signatures: Sequence[Signature],
    log2: Floats,
    training: Flags,
    gene_values: Floats | None = None,
) -> tuple[GeneParts, ...]:
    """Return what each gene adds to each signature's score; empty for a signature without genes.

    Parameters
    ----------
    scorer
        Additive. It is not changed: a copy of it is fitted.
    signatures
        The signatures.
    log2
        Samples x genes.
    training
        Rows from which a scorer may learn, boolean over samples.
    gene_values
        The scorer's `gene_values` of ``log2``, where they are known.
    """
    empty = GeneParts(np.empty(0, dtype=np.intp), np.empty((len(log2), 0)), np.empty(0))
    with_genes = [signature for signature in signatures if signature.genes.size]
    if not with_genes:
        return (empty,) * len(signatures)
    rows = log2 if scorer.sample_wise else log2[training]
    fitted = clone(scorer).fit(rows, members=weight_table(with_genes, log2.shape[1]))
    parts = iter(fitted.gene_parts(log2) if gene_values is None else fitted.parts_of(gene_values))
    return tuple(next(parts) if signature.genes.size else empty for signature in signatures)


def read_signatures(
    path: str, genes: Strings, *, n_genes: int, min_coverage: float, gene_map: str | None
) -> dict[str, Signature]:
    """Return the signatures of a table over the data's genes.

    Parameters
    ----------
    path
        A table as `read_signature_table` reads it.
    genes
        Gene names of the data.
    n_genes
        Greatest number of genes on each side.
    min_coverage
        Share of a signature's genes that the data must have.
    gene_map
        Table that translates the signatures' gene identifiers to those of the data.

    Raises
    ------
    FeatureError
        The table cannot be read, or the data lack too many of a signature's genes.
    """
    sets = read_signature_table(path, n_genes)
    if gene_map is not None:
        sets = translate(sets, read_one_to_one(gene_map))
    matched = match_sets_to_genes(sets, genes.tolist(), min_genes=1, min_coverage=min_coverage)
    if matched.dropped:
        reasons = "; ".join(f"'{name}': {reason}" for name, reason in matched.dropped.items())
        raise FeatureError(
            f"{path}: the data lack too many genes of {reasons}. Leave the signature out of the table, map its "
            "genes to the data's identifiers, or lower `min_coverage`."
        )
    return {
        name: Signature(np.flatnonzero(weights), weights[weights != 0])
        for name, weights in zip(matched.names, matched.weights.toarray().T, strict=True)
    }
