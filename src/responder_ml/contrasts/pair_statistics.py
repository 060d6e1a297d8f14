"""Statistics of two groups: how much differs (R2), what two drugs share (R3, R7), how non-responders differ (R6)."""

from collections.abc import Mapping

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.contrasts import overlap, reversal
from responder_ml.contrasts.claim_statistic import (
    CORRELATION,
    COUNT,
    SHARE,
    Statistic,
    count_genes,
    expected_correlation,
    rrho2_step,
)
from responder_ml.contrasts.comparisons import Comparisons
from responder_ml.contrasts.groups import SUSCEPTIBLE
from responder_ml.contrasts.rrho2 import CONCORDANT, rrho2_maximum


def _deg_count(c: Comparisons, plus: str, minus: str) -> Floats:
    return count_genes(c.called(plus, minus) != 0)


def _common_cosine(c: Comparisons, first: str, second: str) -> Floats:
    return overlap.cosine(c.t(first, SUSCEPTIBLE), c.t(second, SUSCEPTIBLE))


def _common_spearman(c: Comparisons, first: str, second: str) -> Floats:
    return overlap.pearson(c.ranks(first, SUSCEPTIBLE), c.ranks(second, SUSCEPTIBLE))


def _common_jaccard(c: Comparisons, first: str, second: str) -> Floats:
    return overlap.signed_jaccard(c.called(first, SUSCEPTIBLE), c.called(second, SUSCEPTIBLE))


def _common_log_odds(c: Comparisons, first: str, second: str) -> Floats:
    return overlap.log_odds_ratio(c.called(first, SUSCEPTIBLE), c.called(second, SUSCEPTIBLE))


def _common_rrho2(c: Comparisons, first: str, second: str) -> Floats:
    return rrho2_maximum(c.ranking(first, SUSCEPTIBLE), c.ranking(second, SUSCEPTIBLE), CONCORDANT, rrho2_step(c))


def _union_count(c: Comparisons, first: str, second: str) -> Floats:
    return count_genes((c.called(first, SUSCEPTIBLE) != 0) | (c.called(second, SUSCEPTIBLE) != 0))


def _absence_share(c: Comparisons, responder: str, non_responder: str) -> Floats:
    changed = c.called(responder, SUSCEPTIBLE) != 0
    absent = count_genes(changed & c.equivalent(non_responder, SUSCEPTIBLE))
    return np.divide(absent, count_genes(changed), out=np.zeros(len(absent)), where=changed.any(axis=1))


def _responder_count(c: Comparisons, responder: str, _: str) -> Floats:
    return count_genes(c.called(responder, SUSCEPTIBLE) != 0)


def _only_first(c: Comparisons, first: str, second: str) -> Floats:
    return count_genes((c.called(first, SUSCEPTIBLE) != 0) & (c.called(second, SUSCEPTIBLE) == 0))


def _only_second(c: Comparisons, first: str, second: str) -> Floats:
    return _only_first(c, second, first)


def _opposition_share(c: Comparisons, responder: str, non_responder: str) -> Floats:
    return reversal.reversal_share(c.called(responder, SUSCEPTIBLE), c.t(non_responder, SUSCEPTIBLE))


def _opposition_cosine(c: Comparisons, responder: str, non_responder: str) -> Floats:
    return -overlap.cosine(c.t(responder, SUSCEPTIBLE), c.t(non_responder, SUSCEPTIBLE))


def _interaction_count(c: Comparisons, first: str, first_non: str, second: str, second_non: str) -> Floats:
    weights = c.weights(first, first_non) - c.weights(second, second_non)
    return count_genes(c.call(c.fits.effect(weights), c.fits.t(weights)) != 0)


def _common_design(sizes: Mapping[str, int], first: str, second: str) -> float:
    return expected_correlation((first, SUSCEPTIBLE), (second, SUSCEPTIBLE), sizes)


def _opposition_design(sizes: Mapping[str, int], responder: str, non_responder: str) -> float:
    return -_common_design(sizes, responder, non_responder)


BURDEN = (Statistic("R2", "deg_count", "genes called changed, up or down", _deg_count, bounds=COUNT),)

NON_RESPONSE = (
    Statistic(
        "R6a",
        "absence_share",
        "responder genes shown equivalent to no change in non-responders, share",
        _absence_share,
        _responder_count,
        bounds=SHARE,
    ),
    Statistic("R6a", "response_degs", "genes called between responders and non-responders", _deg_count, bounds=COUNT),
    Statistic(
        "R6b",
        "non_responder_only_degs",
        "genes called in non-responders and not in responders",
        _only_second,
        bounds=COUNT,
    ),
    Statistic(
        "R6c",
        "opposition_share",
        "responder genes moved the other way in non-responders, share",
        _opposition_share,
        _responder_count,
        bounds=SHARE,
    ),
    Statistic(
        "R6c",
        "opposition_cosine",
        "minus the cosine of responder and non-responder changes, all genes",
        _opposition_cosine,
        design=_opposition_design,
        bounds=CORRELATION,
    ),
)

COMMON = (
    Statistic(
        "R3",
        "common_cosine",
        "cosine of moderated t of the two drugs, all genes",
        _common_cosine,
        design=_common_design,
        bounds=CORRELATION,
    ),
    Statistic(
        "R3",
        "common_spearman",
        "Spearman's correlation of moderated t of the two drugs",
        _common_spearman,
        bounds=CORRELATION,
    ),
    Statistic(
        "R3",
        "common_jaccard",
        "genes called alike by both drugs among those called by either, share",
        _common_jaccard,
        _union_count,
        bounds=SHARE,
    ),
    Statistic("R3", "common_log_odds", "natural log odds ratio of being called alike", _common_log_odds, _union_count),
    Statistic("R3", "common_rrho2", "largest -log10 p of the concordant RRHO2 quadrants", _common_rrho2, bounds=COUNT),
)

DRUG_SPECIFIC = (
    Statistic(
        "R7", "drug_only_degs", "genes called for this drug's responders and not the other's", _only_first, bounds=COUNT
    ),
)

INTERACTION = (
    Statistic(
        "R7", "interaction_degs", "genes called for response depending on the drug", _interaction_count, bounds=COUNT
    ),
)
