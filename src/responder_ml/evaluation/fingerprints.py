"""Has a sample been in training? Its order of genes says so, whatever its name, file, depth or scale.

A fingerprint holds, for some hundred pairs of genes of about equal expression, which of the two is higher. In such pairs the order
differs from sample to sample, so two samples agree in little more than half of them, and a sample agrees with itself, or with a
rounded, logarithmised or depth-scaled copy, in nearly all. No expression value can be read from it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.arrays import Flags, Floats, Indices, Strings
from responder_ml.cohort.endpoint import LabelledCohort

PAIRS = 512
"""Most pairs of a fingerprint."""
LEAST_PAIRS = 64
"""With fewer pairs measured, samples are not compared."""
# Neighbours in mean expression, up to this distance, may form a pair.
_REACH = 16
# Of the smallest disagreement between two training subjects: a sample nearer than that to a training sample is a copy of it.
_COPY_SHARE = 0.25
# Training samples that agree in more than this are copies of one another, and say nothing about different samples.
_COPIES_IN_TRAINING = 0.98


@dataclass(frozen=True)
class Fingerprints:
    """Fingerprints of the training samples.

    Attributes
    ----------
    first, second
        The genes of each pair, shape ``(n_pairs,)``.
    bits
        Whether the first is higher, a bit per pair, eight to a byte, one row per training sample.
    names, subjects
        Name and subject of each training sample.
    least_agreement
        Share of pairs from which on a sample is a copy, shape ``(1,)``.
    """

    first: Indices
    second: Indices
    bits: NDArray[np.uint8]
    names: Strings
    subjects: Strings
    least_agreement: Floats

    @classmethod
    def of(cls, labelled: LabelledCohort) -> "Fingerprints":
        """Learn from the samples of an endpoint."""
        names = np.asarray(labelled.cohort.obs_names, dtype=np.str_)
        return cls.learn(labelled.expression, names, np.asarray(labelled.cohort.obs["subject"], dtype=np.str_))

    @classmethod
    def learn(cls, values: Floats, names: Strings, subjects: Strings) -> "Fingerprints":
        """Learn from training samples x genes, their names, and the subject of each.

        Pairs whose order is most evenly divided over the training samples tell samples apart best.
        """
        order = np.argsort(values.mean(axis=0), kind="stable")
        order = order[np.ptp(values[:, order], axis=0) > 0]
        reach = range(1, min(_REACH, max(len(order) - 1, 0)) + 1)
        if not reach:
            first = second = np.empty(0, dtype=np.intp)
            share = np.empty(0)
        else:
            first = np.concatenate([order[:-step] for step in reach])
            second = np.concatenate([order[step:] for step in reach])
            # One distance after the other: all pairs at once would be sixteen times the expression, twice.
            ordered = values[:, order]
            share = np.concatenate([np.mean(ordered[:, :-step] > ordered[:, step:], axis=0) for step in reach])
        chosen = np.argsort(np.abs(share - 0.5), kind="stable")[:PAIRS]
        first, second = first[chosen].astype(np.intp), second[chosen].astype(np.intp)
        is_higher = values[:, first] > values[:, second]
        nearest = 0.5
        if len(first):
            agreement = _agreement(is_higher, is_higher)
            others = agreement[(subjects[:, None] != subjects) & (agreement < _COPIES_IN_TRAINING)]
            nearest = float(others.max()) if others.size else nearest
        least = np.array([1.0 - _COPY_SHARE * (1.0 - nearest)])
        return cls(first, second, np.packbits(is_higher, axis=1), names, subjects, least)

    def checksum(self) -> float:
        """Return one number that depends on every value."""
        pairs = np.sum((1.0 + np.arange(len(self.first))) * (self.first + 2.0 * self.second))
        names = sum(map(ord, "".join([*self.names.tolist(), *self.subjects.tolist()])))
        bits = float(np.sum(self.bits * (1.0 + np.arange(self.bits.size).reshape(self.bits.shape))))
        return float(pairs + bits + names + self.least_agreement[0])

    def nearest(self, values: Floats, present: Flags) -> "NearestTraining | None":
        """Compare samples with the training samples; None with too few pairs measured.

        Parameters
        ----------
        values
            Samples x genes present, on any scale that keeps the order of genes within a sample; not-a-number in gaps.
        present
            Whether each training gene was measured.
        """
        measured = present[self.first] & present[self.second]
        if np.count_nonzero(measured) < LEAST_PAIRS:
            return None
        column_of = np.cumsum(present) - 1
        first, second = (values[:, column_of[genes[measured]]] for genes in (self.first, self.second))
        has_both = ~(np.isnan(first) | np.isnan(second))
        known = np.unpackbits(self.bits, axis=1, count=len(self.first))[:, measured].astype(np.bool_)
        agreement = _agreement(first > second, known, has_both)
        best = np.argmax(agreement, axis=1)
        highest = agreement[np.arange(len(best)), best]
        is_copy = (highest >= self.least_agreement[0]) & (np.count_nonzero(has_both, axis=1) >= LEAST_PAIRS)
        return NearestTraining(self.names[best], highest, is_copy)


@dataclass(frozen=True)
class NearestTraining:
    """The nearest training sample of each of some samples.

    Attributes
    ----------
    names
        Its name.
    agreement
        Share of pairs of genes in the same order.
    is_copy
        Whether the sample is that training sample, or a copy of it.
    """

    names: Strings
    agreement: Floats
    is_copy: Flags


def _agreement(one: Flags, other: Flags, has_both: Flags | None = None) -> Floats:
    """Return the share of columns in which each row of one agrees with each row of the other, of the columns it has."""
    signs = [2.0 * rows.astype(np.float32) - 1.0 for rows in (one, other)]
    count: Floats | int = one.shape[1]
    if has_both is not None:
        signs[0] *= has_both
        count = np.maximum(np.count_nonzero(has_both, axis=1), 1)[:, None].astype(np.float64)
    return np.asarray(0.5 + 0.5 * (signs[0] @ signs[1].T) / count, dtype=np.float64)
