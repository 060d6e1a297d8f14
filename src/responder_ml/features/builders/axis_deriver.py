"""Signatures derived from contrasts of groups of samples, for many training sets at once."""

import numpy as np

from responder_ml.arrays import Flags, Floats
from responder_ml.features.builders.reference_groups import Axis, Group
from responder_ml.features.builders.reference_signatures import Signature
from responder_ml.features.expression_filter import SharedDetection, detected
from responder_ml.features.normalise import SharedExpression
from responder_ml.statistics.many_contrasts import MODELS_PER_BLOCK, Designs, ManyContrasts, strongest
from responder_ml.statistics.training_sets import TrainingSets

_DIGITS = 9


class AxisDeriver:
    """Expression prepared once per cohort, from which axes are derived for many training sets.

    A signature's weights are moderated t of its contrast over genes that enough of the contrast's samples express. The
    strongest genes of each side are kept. The difference between two further groups is removed by orthogonal projection.

    Parameters
    ----------
    inside, outside
        Samples x genes of the endpoint, and of the cohort's other samples.
    units, normalisation
        As for `Normaliser`; TMM's reference is chosen from training rows and samples outside.
    min_expression, min_share
        As for `ExpressionFilter`.
    n_genes
        Greatest number of genes on each side.
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
        is_detected = detected(values, units, min_expression)
        if is_detected is None:
            self._candidates = np.arange(values.shape[1])
        else:
            self._candidates = np.flatnonzero(is_detected.any(axis=0))
            is_detected = is_detected[:, self._candidates]
        self._detection = SharedDetection(is_detected, min_share)
        self._expression = SharedExpression(values, units, normalisation)
        self._contrasts = ManyContrasts(self._expression.base[:, self._candidates])
        self._n_outside = len(outside)
        self._n_genes = n_genes

    def derive(self, axis: Axis, sets: TrainingSets) -> list[Signature]:
        """Return the axis' signature under each training set."""
        signatures: list[Signature] = []
        for start in range(0, len(sets), MODELS_PER_BLOCK):
            signatures += self._derive_block(axis, sets[start : start + MODELS_PER_BLOCK])
        return signatures

    def _derive_block(self, axis: Axis, sets: TrainingSets) -> list[Signature]:
        rows = np.logical_or.reduce([group.rows(sets) for group in axis.groups])
        expressed = self._detection.expressed(rows)
        available = np.hstack([sets.rows, np.ones((len(sets), self._n_outside), dtype=bool)])
        shifts = self._expression.shifts(available)
        weights = self._t(axis.plus, axis.minus, sets, expressed, shifts)
        if axis.apart_from is not None:
            weights = _orthogonal(weights, self._t(*axis.apart_from, sets, expressed, shifts))
        chosen = [np.sort(strongest(row, self._n_genes)) for row in weights]
        return [
            Signature(self._candidates[genes], axis.sign * row[genes])
            for genes, row in zip(chosen, weights, strict=True)
        ]

    def _t(
        self, plus: Group, minus: Group, sets: TrainingSets, expressed: Flags | None, shifts: Floats | None
    ) -> Floats:
        designs = Designs.two_groups(plus.rows(sets), minus.rows(sets))
        return self._contrasts.moderated_t(designs, expressed, shifts)


def _orthogonal(weights: Floats, others: Floats) -> Floats:
    """Return each row less its projection on the other row; 0 where the other row is 0."""
    square = np.einsum("ij,ij->i", others, others)
    share = np.divide(np.einsum("ij,ij->i", weights, others), square, out=np.zeros_like(square), where=square > 0)
    apart = np.round(weights - share[:, None] * others, _DIGITS)
    apart[square == 0] = 0.0
    return np.asarray(apart, dtype=np.float64)
