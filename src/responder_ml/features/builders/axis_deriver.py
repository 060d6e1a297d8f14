"""Signatures derived from contrasts of groups of samples, for many training sets at once."""

import numpy as np

from responder_ml.arrays import Flags, Floats
from responder_ml.features.builders.reference_groups import Axis
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
        weights = self._t(axis, sets, expressed, shifts)
        signatures = []
        for of_set in zip(*weights, strict=True):
            t = of_set[0] if axis.apart_from is None else _orthogonal(*of_set)
            genes = np.sort(strongest(t, self._n_genes))
            signatures.append(Signature(self._candidates[genes], axis.sign * t[genes]))
        return signatures

    def _t(self, axis: Axis, sets: TrainingSets, expressed: Flags | None, shifts: Floats | None) -> list[Floats]:
        """Return t of the axis' contrast, and of the one it is set apart from, sets x genes."""
        # All contrasts at once: groups that they, or several training sets, have in common are added up once.
        contrasts = [(axis.plus, axis.minus), *([] if axis.apart_from is None else [axis.apart_from])]
        plus, minus = (np.vstack([groups[side].rows(sets) for groups in contrasts]) for side in (0, 1))
        usable = None if expressed is None else np.tile(expressed, (len(contrasts), 1))
        moves = None if shifts is None else np.tile(shifts, (len(contrasts), 1))
        t = self._contrasts.moderated_t(Designs.two_groups(plus, minus), usable, moves)
        return np.split(t, len(contrasts))


def _orthogonal(weights: Floats, others: Floats) -> Floats:
    """Return weights less their projection on others; 0 where these are all 0."""
    square = others @ others
    if square == 0:
        return np.zeros_like(weights)
    return np.asarray(np.round(weights - (weights @ others) / square * others, _DIGITS), dtype=np.float64)
