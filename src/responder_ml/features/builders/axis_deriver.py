"""Signatures derived from contrasts of groups of samples, for many training sets at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.features.builders.reference_groups import Axis, Group
from responder_ml.features.expression_filter import SharedDetection, detected
from responder_ml.features.normalise import SharedExpression
from responder_ml.features.signatures.scorer import GeneParts, SignatureScorer
from responder_ml.statistics.many_contrasts import MODELS_PER_BLOCK, Designs, ManyContrasts, strongest
from responder_ml.statistics.training_sets import TrainingSets

_DIGITS = 9


@dataclass(frozen=True)
class Signature:
    """Genes with signed weights, positive for up; no gene where it could not be derived.

    Attributes
    ----------
    genes
        Places of the genes, in the data's order, shape ``(n_members,)``.
    weights
        Shape ``(n_members,)``.
    """

    genes: Indices
    weights: Floats

    @property
    def shares(self) -> Floats:
        """Each gene's signed share of the signature; absolute shares add up to one."""
        return np.asarray(self.weights / np.abs(self.weights).sum(), dtype=np.float64)


def membership(signatures: Sequence[Signature], n_genes: int) -> Any:
    """Return a sparse genes x signatures table of weights."""
    genes = np.concatenate([each.genes for each in signatures])
    column = np.repeat(np.arange(len(signatures)), [each.genes.size for each in signatures])
    weights = np.concatenate([each.weights for each in signatures])
    return sparse.csr_array((weights, (genes, column)), shape=(n_genes, len(signatures)))


def signature_parts(
    scorer: SignatureScorer, signatures: Sequence[Signature], log2: Floats, training: Flags
) -> tuple[GeneParts, ...]:
    """Return what each gene adds to each signature's score; nothing for a signature without genes.

    Parameters
    ----------
    scorer
        Additive; it is fitted anew.
    signatures
        The signatures.
    log2
        Samples x genes.
    training
        Rows that a scorer which learns may see, boolean over samples.
    """
    nothing = GeneParts(np.empty(0, dtype=np.intp), np.empty((len(log2), 0)), np.empty(0))
    filled = [each for each in signatures if each.genes.size]
    if not filled:
        return (nothing,) * len(signatures)
    rows = log2 if scorer.sample_wise else log2[training]
    found = iter(scorer.fit(rows, members=membership(filled, log2.shape[1])).gene_parts(log2))
    return tuple(next(found) if each.genes.size else nothing for each in signatures)


class AxisDeriver:
    """Expression prepared once per cohort, from which axes are derived for many training sets.

    A signature's weights are moderated t of its contrast over genes that enough of the contrast's samples express. The
    strongest genes of each side are kept. What two further groups differ in is taken out as vectors are made orthogonal.

    Parameters
    ----------
    inside, outside
        Samples x genes of the endpoint, and of the cohort's other samples.
    units, normalisation
        As for `Normaliser`; TMM's reference is chosen from training rows and samples outside.
    min_expression, min_share
        As for `ExpressionFilter`.
    n_genes
        Genes kept on each side at most.
    """

    def __init__(
        self,
        inside: Floats,
        outside: Floats,
        *,
        units: str,
        normalisation: str,
        min_expression: float,
        min_share: float,
        n_genes: int,
    ) -> None:
        values = np.vstack([inside, outside])
        found = detected(values, units, min_expression)
        self._candidates = np.arange(values.shape[1]) if found is None else np.flatnonzero(found.any(axis=0))
        self._detection = SharedDetection(None if found is None else found[:, self._candidates], min_share)
        self._expression = SharedExpression(values, units, normalisation)
        self._contrasts = ManyContrasts(self._expression.base[:, self._candidates])
        self._n_outside = len(outside)
        self._n_genes = n_genes

    def derive(self, axis: Axis, sets: TrainingSets) -> list[Signature]:
        """Return the axis' signature under each training set."""
        found: list[Signature] = []
        for start in range(0, len(sets), MODELS_PER_BLOCK):
            found += self._derive_block(axis, sets[start : start + MODELS_PER_BLOCK])
        return found

    def _derive_block(self, axis: Axis, sets: TrainingSets) -> list[Signature]:
        rows = np.logical_or.reduce([group.rows(sets) for group in axis.groups])
        kept = self._detection.expressed(rows)
        known = np.hstack([sets.rows, np.ones((len(sets), self._n_outside), dtype=bool)])
        shifts = self._expression.shifts(known)
        weights = self._t(axis.plus, axis.minus, sets, kept, shifts)
        if axis.apart_from is not None:
            weights = _orthogonal(weights, self._t(*axis.apart_from, sets, kept, shifts))
        chosen = [np.sort(strongest(each, self._n_genes)) for each in weights]
        return [
            Signature(self._candidates[genes], axis.sign * each[genes])
            for genes, each in zip(chosen, weights, strict=True)
        ]

    def _t(self, plus: Group, minus: Group, sets: TrainingSets, kept: Flags | None, shifts: Floats | None) -> Floats:
        designs = Designs.two_groups(plus.rows(sets), minus.rows(sets))
        return self._contrasts.moderated_t(designs, kept, shifts)


def _orthogonal(weights: Floats, others: Floats) -> Floats:
    """Return each row less its projection on the other row; 0 where there is no other to be apart from."""
    square = np.einsum("ij,ij->i", others, others)
    share = np.divide(np.einsum("ij,ij->i", weights, others), square, out=np.zeros_like(square), where=square > 0)
    apart = np.round(weights - share[:, None] * others, _DIGITS)
    apart[square == 0] = 0.0
    return np.asarray(apart, dtype=np.float64)
