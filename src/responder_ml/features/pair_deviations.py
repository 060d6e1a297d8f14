"""Expression of matched pairs: what is above or below the pair's own mean, on the log2 scale."""

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.features.expression_filter import detected
from responder_ml.features.normalise import log2_expression
from responder_ml.statistics.columns import deviations_within

_LEAST_EXPRESSION = 1.0


def pair_deviations(values: Floats, units: str, pair_of: Indices) -> Floats:
    """Return each subject's log2 expression less the mean of its pair; nothing is learnt from any other pair.

    Whatever multiplies a gene in both members (litter, donor, batch of the pair) cancels. The two members of a pair get values of
    opposite sign, half their log2 ratio. A gene that neither expresses has no difference, since that of two counts near
    zero is noise: the filter on expression works pair by pair here.

    Parameters
    ----------
    values
        Subjects x genes in ``units``.
    units
        ``counts`` (log2 counts per million are taken), ``tpm`` (of one more) or ``log2``.
    pair_of
        Pair of each subject, from 0 without gaps, shape ``(n_subjects,)``.
    """
    deviations = deviations_within(log2_expression(values, units), pair_of)
    is_detected = detected(values, units, _LEAST_EXPRESSION)
    if is_detected is None:
        return deviations
    in_pair = np.zeros((int(pair_of.max()) + 1, values.shape[1]), dtype=bool)
    np.logical_or.at(in_pair, pair_of, is_detected)
    return np.asarray(np.where(in_pair[pair_of], deviations, 0.0))
