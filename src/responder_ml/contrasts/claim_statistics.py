"""The statistics behind the founding study's claims, each a function of the contrasts of some named groups.

Larger values speak for the claim in all of them. Each is defined for every labelling: a share over an empty signature takes the
value that speaks neither way.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_ml.contrasts import connectivity, overlap, rescue, reversal
from responder_ml.contrasts.comparisons import Comparisons
from responder_ml.contrasts.rrho2 import CONCORDANT, DISCORDANT, rrho2_maximum
from responder_ml.contrasts.shared_reference import expected_correlation

Floats = NDArray[np.float64]
Signs = NDArray[np.int8]

CONTROL, RESILIENT, SUSCEPTIBLE = "control", "resilient", "susceptible"


@dataclass(frozen=True)
class Statistic:
    """One quantity computed from named groups.

    Attributes
    ----------
    claim
        Code of the claim it bears on, R2 to R7.
    name
        Its name in tables.
    summary
        What it is, in one line.
    compute
        From comparisons and group names to one value per labelling.
    genes
        Number of genes it is taken over, if that depends on the data.
    design
        Its value if no group differs from any other, from group sizes and names, where that is known in closed form.
    bounds
        Least and largest value it can take.
    """

    claim: str
    name: str
    summary: str
    compute: Callable[..., Floats]
    genes: Callable[..., Floats] | None = None
    design: Callable[..., float] | None = None
    bounds: tuple[float, float] = (-math.inf, math.inf)


def susceptible_genes(c: Comparisons) -> Signs:
    """Return genes called in susceptible - control and, where there are resilient animals, not in resilient - control."""
    if not c.has(RESILIENT):
        return c.called(SUSCEPTIBLE, CONTROL)
    return c.specific(SUSCEPTIBLE, RESILIENT, CONTROL)


def resilient_genes(c: Comparisons) -> Signs:
    """Return genes called in resilient - control and not in susceptible - control."""
    return c.specific(RESILIENT, SUSCEPTIBLE, CONTROL)


def _count(members: NDArray[np.bool_]) -> Floats:
    return np.count_nonzero(members, axis=1).astype(np.float64)


def _deg_count(c: Comparisons, plus: str, minus: str) -> Floats:
    return _count(c.called(plus, minus) != 0)


def _query(c: Comparisons) -> Signs:
    size = max(1, min(c.cutoffs.query, c.n_genes // 4))
    return c.keep(("query",), lambda: c.ranking(SUSCEPTIBLE, CONTROL).extremes(size))


def _step(c: Comparisons) -> int:
    return max(1, -(-c.n_genes // c.cutoffs.rrho2_lists))


def _reversal_share(c: Comparisons, treated: str) -> Floats:
    return reversal.reversal_share(susceptible_genes(c), c.t(treated, SUSCEPTIBLE))


def _called_reversal_share(c: Comparisons, treated: str) -> Floats:
    return reversal.called_reversal_share(susceptible_genes(c), c.called(treated, SUSCEPTIBLE))


def _susceptible_count(c: Comparisons, *_: str) -> Floats:
    return _count(susceptible_genes(c) != 0)


def _reversal_cosine(c: Comparisons, treated: str) -> Floats:
    return -overlap.cosine(c.t(SUSCEPTIBLE, CONTROL), c.t(treated, SUSCEPTIBLE))


def _reversal_spearman(c: Comparisons, treated: str) -> Floats:
    return -overlap.pearson(c.ranks(SUSCEPTIBLE, CONTROL), c.ranks(treated, SUSCEPTIBLE))


def _reversal_xsum(c: Comparisons, treated: str) -> Floats:
    extreme = max(1, min(c.cutoffs.extreme, c.n_genes // 2))
    return -connectivity.xsum(_query(c), c.t(treated, SUSCEPTIBLE), extreme, c.ranking(treated, SUSCEPTIBLE))


def _reversal_connectivity(c: Comparisons, treated: str) -> Floats:
    return -connectivity.weighted_connectivity(_query(c), c.t(treated, SUSCEPTIBLE), c.ranking(treated, SUSCEPTIBLE))


def _reversal_zhang(c: Comparisons, treated: str) -> Floats:
    query = np.where(_query(c) != 0, c.t(SUSCEPTIBLE, CONTROL), 0.0)
    return -connectivity.zhang(query, c.t(treated, SUSCEPTIBLE))


def _reversal_rrho2(c: Comparisons, treated: str) -> Floats:
    return rrho2_maximum(c.ranking(SUSCEPTIBLE, CONTROL), c.ranking(treated, SUSCEPTIBLE), DISCORDANT, _step(c))


def _rescue_angle(c: Comparisons, treated: str) -> Floats:
    to_stress, to_treated = c.weights(SUSCEPTIBLE, CONTROL), c.weights(treated, CONTROL)
    both = np.stack([to_stress, to_treated])
    # Group sizes, and with them the errors, are the same under every labelling but for covariates.
    errors = both @ c.fits.covariance[0] @ both.T
    return rescue.rescue_angle(c.effect(SUSCEPTIBLE, CONTROL) / c.scale, c.effect(treated, CONTROL) / c.scale, errors)


def _induction_share(c: Comparisons, treated: str) -> Floats:
    return reversal.agreement_share(resilient_genes(c), c.t(treated, SUSCEPTIBLE))


def _induction_share_from_control(c: Comparisons, treated: str) -> Floats:
    return reversal.agreement_share(resilient_genes(c), c.t(treated, CONTROL))


def _induction_shift(c: Comparisons, treated: str) -> Floats:
    return reversal.signature_shift(resilient_genes(c), c.effect(treated, SUSCEPTIBLE))


def _induction_cosine(c: Comparisons, treated: str) -> Floats:
    return overlap.cosine(c.t(RESILIENT, CONTROL), c.t(treated, SUSCEPTIBLE))


def _resilient_count(c: Comparisons, *_: str) -> Floats:
    return _count(resilient_genes(c) != 0)


def _aggravation_share(c: Comparisons, treated: str) -> Floats:
    return reversal.agreement_share(susceptible_genes(c), c.t(treated, SUSCEPTIBLE))


def _common_cosine(c: Comparisons, first: str, second: str) -> Floats:
    return overlap.cosine(c.t(first, SUSCEPTIBLE), c.t(second, SUSCEPTIBLE))


def _common_spearman(c: Comparisons, first: str, second: str) -> Floats:
    return overlap.pearson(c.ranks(first, SUSCEPTIBLE), c.ranks(second, SUSCEPTIBLE))


def _common_jaccard(c: Comparisons, first: str, second: str) -> Floats:
    return overlap.signed_jaccard(c.called(first, SUSCEPTIBLE), c.called(second, SUSCEPTIBLE))


def _common_log_odds(c: Comparisons, first: str, second: str) -> Floats:
    return overlap.log_odds_ratio(c.called(first, SUSCEPTIBLE), c.called(second, SUSCEPTIBLE), direction=1)


def _common_rrho2(c: Comparisons, first: str, second: str) -> Floats:
    return rrho2_maximum(c.ranking(first, SUSCEPTIBLE), c.ranking(second, SUSCEPTIBLE), CONCORDANT, _step(c))


def _union_count(c: Comparisons, first: str, second: str) -> Floats:
    return _count((c.called(first, SUSCEPTIBLE) != 0) | (c.called(second, SUSCEPTIBLE) != 0))


def _absence_share(c: Comparisons, responder: str, non_responder: str) -> Floats:
    changed = c.called(responder, SUSCEPTIBLE) != 0
    absent = _count(changed & c.equivalent(non_responder, SUSCEPTIBLE))
    return np.divide(absent, _count(changed), out=np.zeros(len(absent)), where=changed.any(axis=1))


def _responder_count(c: Comparisons, responder: str, _: str) -> Floats:
    return _count(c.called(responder, SUSCEPTIBLE) != 0)


def _only_first(c: Comparisons, first: str, second: str) -> Floats:
    return _count((c.called(first, SUSCEPTIBLE) != 0) & (c.called(second, SUSCEPTIBLE) == 0))


def _only_second(c: Comparisons, first: str, second: str) -> Floats:
    return _only_first(c, second, first)


def _opposition_share(c: Comparisons, responder: str, non_responder: str) -> Floats:
    return reversal.reversal_share(c.called(responder, SUSCEPTIBLE), c.t(non_responder, SUSCEPTIBLE))


def _opposition_cosine(c: Comparisons, responder: str, non_responder: str) -> Floats:
    return -overlap.cosine(c.t(responder, SUSCEPTIBLE), c.t(non_responder, SUSCEPTIBLE))


def _interaction_count(c: Comparisons, first: str, first_non: str, second: str, second_non: str) -> Floats:
    weights = c.weights(first, first_non) - c.weights(second, second_non)
    return _count(c.call(c.fits.effect(weights), c.fits.t(weights)) != 0)


def _between(first: tuple[str, str], second: tuple[str, str], sizes: Mapping[str, int]) -> float:
    return expected_correlation({first[0]: 1.0, first[1]: -1.0}, {second[0]: 1.0, second[1]: -1.0}, sizes)


def _reversal_design(sizes: Mapping[str, int], treated: str) -> float:
    return -_between((SUSCEPTIBLE, CONTROL), (treated, SUSCEPTIBLE), sizes)


def _induction_design(sizes: Mapping[str, int], treated: str) -> float:
    return _between((RESILIENT, CONTROL), (treated, SUSCEPTIBLE), sizes)


def _common_design(sizes: Mapping[str, int], first: str, second: str) -> float:
    return _between((first, SUSCEPTIBLE), (second, SUSCEPTIBLE), sizes)


def _opposition_design(sizes: Mapping[str, int], responder: str, non_responder: str) -> float:
    return -_common_design(sizes, responder, non_responder)


SHARE, CORRELATION, COUNT = (0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)

BURDEN = (Statistic("R2", "deg_count", "genes called changed, up or down", _deg_count, bounds=COUNT),)

REVERSAL = (
    Statistic(
        "R4",
        "reversal_share",
        "susceptible-specific genes with the opposite sign, share",
        _reversal_share,
        _susceptible_count,
        bounds=SHARE,
    ),
    Statistic(
        "R4",
        "called_reversal_share",
        "susceptible-specific genes called in the opposite direction, share",
        _called_reversal_share,
        _susceptible_count,
        bounds=SHARE,
    ),
    Statistic(
        "R4",
        "reversal_cosine",
        "minus the cosine of moderated t, all genes",
        _reversal_cosine,
        design=_reversal_design,
        bounds=CORRELATION,
    ),
    Statistic(
        "R4",
        "reversal_spearman",
        "minus Spearman's correlation of moderated t, all genes",
        _reversal_spearman,
        bounds=CORRELATION,
    ),
    Statistic("R4", "reversal_xsum", "minus XSum of the susceptibility query, units of t", _reversal_xsum),
    Statistic(
        "R4",
        "reversal_connectivity",
        "minus the weighted connectivity of the susceptibility query",
        _reversal_connectivity,
        bounds=CORRELATION,
    ),
    Statistic(
        "R4", "reversal_zhang", "minus Zhang's score of the susceptibility query", _reversal_zhang, bounds=CORRELATION
    ),
    Statistic(
        "R4", "reversal_rrho2", "largest -log10 p of the discordant RRHO2 quadrants", _reversal_rrho2, bounds=COUNT
    ),
    Statistic(
        "R4",
        "rescue_angle",
        "turn from no rescue (0) to full rescue (45), degrees",
        _rescue_angle,
        bounds=(-90.0, 90.0),
    ),
)

INDUCTION = (
    Statistic(
        "R5",
        "induction_share",
        "resilient-specific genes moved the resilient way from susceptible, share",
        _induction_share,
        _resilient_count,
        bounds=SHARE,
    ),
    Statistic(
        "R5",
        "induction_share_from_control",
        "resilient-specific genes on the resilient side of control, share",
        _induction_share_from_control,
        _resilient_count,
        bounds=SHARE,
    ),
    Statistic(
        "R5",
        "induction_shift",
        "mean shift of resilient-specific genes the resilient way, log2",
        _induction_shift,
        _resilient_count,
    ),
    Statistic(
        "R5",
        "induction_cosine",
        "cosine of moderated t with resilient - control, all genes",
        _induction_cosine,
        design=_induction_design,
        bounds=CORRELATION,
    ),
)

AGGRAVATION = (
    Statistic(
        "R6c",
        "aggravation_share",
        "susceptible-specific genes moved further the susceptible way, share",
        _aggravation_share,
        _susceptible_count,
        bounds=SHARE,
    ),
)

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
