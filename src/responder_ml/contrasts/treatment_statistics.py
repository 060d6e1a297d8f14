"""Statistics of one treated group: does it reverse susceptibility (R4), induce resilience (R5), or aggravate (R6c)?"""

from collections.abc import Mapping

import numpy as np

from responder_ml.arrays import Floats, Signs
from responder_ml.contrasts import connectivity, overlap, reversal
from responder_ml.contrasts.claim_statistic import (
    CORRELATION,
    COUNT,
    SHARE,
    Statistic,
    count_genes,
    expected_correlation,
    resilient_genes,
    rrho2_step,
    susceptible_genes,
)
from responder_ml.contrasts.comparisons import Comparisons
from responder_ml.contrasts.groups import CONTROL, RESILIENT, SUSCEPTIBLE
from responder_ml.contrasts.rrho2 import DISCORDANT, rrho2_maximum


def _query(c: Comparisons) -> Signs:
    size = max(1, min(c.cutoffs.query, c.n_genes // 4))
    return c.cached(("query",), lambda: c.ranking(SUSCEPTIBLE, CONTROL).extremes(size))


def _reversal_share(c: Comparisons, treated: str) -> Floats:
    return reversal.reversal_share(susceptible_genes(c), c.t(treated, SUSCEPTIBLE))


def _called_reversal_share(c: Comparisons, treated: str) -> Floats:
    return reversal.called_reversal_share(susceptible_genes(c), c.called(treated, SUSCEPTIBLE))


def _susceptible_count(c: Comparisons, *_: str) -> Floats:
    return count_genes(susceptible_genes(c) != 0)


def _reversal_cosine(c: Comparisons, treated: str) -> Floats:
    return -overlap.cosine(c.t(SUSCEPTIBLE, CONTROL), c.t(treated, SUSCEPTIBLE))


def _reversal_spearman(c: Comparisons, treated: str) -> Floats:
    return -overlap.pearson(c.ranks(SUSCEPTIBLE, CONTROL), c.ranks(treated, SUSCEPTIBLE))


def _reversal_xsum(c: Comparisons, treated: str) -> Floats:
    extreme = max(1, min(c.cutoffs.extreme, c.n_genes // 2))
    return -connectivity.xsum(_query(c), c.t(treated, SUSCEPTIBLE), c.ranking(treated, SUSCEPTIBLE), extreme)


def _reversal_connectivity(c: Comparisons, treated: str) -> Floats:
    return -connectivity.weighted_connectivity(_query(c), c.t(treated, SUSCEPTIBLE), c.ranking(treated, SUSCEPTIBLE))


def _reversal_zhang(c: Comparisons, treated: str) -> Floats:
    query = np.where(_query(c) != 0, c.t(SUSCEPTIBLE, CONTROL), 0.0)
    return -connectivity.zhang(query, c.t(treated, SUSCEPTIBLE))


def _reversal_rrho2(c: Comparisons, treated: str) -> Floats:
    return rrho2_maximum(c.ranking(SUSCEPTIBLE, CONTROL), c.ranking(treated, SUSCEPTIBLE), DISCORDANT, rrho2_step(c))


def _rescued_share(c: Comparisons, treated: str) -> Floats:
    to_stress, to_treated = c.weights(SUSCEPTIBLE, CONTROL), c.weights(treated, CONTROL)
    both = np.stack([to_stress, to_treated])
    # Relabelling keeps group sizes and rotation the design, so the errors are the same throughout.
    errors = c.fits.error_factor * (both @ c.fits.covariance[0] @ both.T)
    return reversal.rescued_share(
        c.effect(SUSCEPTIBLE, CONTROL) / c.scale, c.effect(treated, CONTROL) / c.scale, errors
    )


def _induction_share(c: Comparisons, treated: str) -> Floats:
    return reversal.agreement_share(resilient_genes(c), c.t(treated, SUSCEPTIBLE))


def _induction_share_from_control(c: Comparisons, treated: str) -> Floats:
    return reversal.agreement_share(resilient_genes(c), c.t(treated, CONTROL))


def _induction_shift(c: Comparisons, treated: str) -> Floats:
    return reversal.signature_shift(resilient_genes(c), c.effect(treated, SUSCEPTIBLE))


def _induction_cosine(c: Comparisons, treated: str) -> Floats:
    return overlap.cosine(c.t(RESILIENT, CONTROL), c.t(treated, SUSCEPTIBLE))


def _resilient_count(c: Comparisons, *_: str) -> Floats:
    return count_genes(resilient_genes(c) != 0)


def _aggravation_share(c: Comparisons, treated: str) -> Floats:
    return reversal.agreement_share(susceptible_genes(c), c.t(treated, SUSCEPTIBLE))


def _reversal_design(sizes: Mapping[str, int], treated: str) -> float:
    return -expected_correlation((SUSCEPTIBLE, CONTROL), (treated, SUSCEPTIBLE), sizes)


def _induction_design(sizes: Mapping[str, int], treated: str) -> float:
    return expected_correlation((RESILIENT, CONTROL), (treated, SUSCEPTIBLE), sizes)


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
    Statistic("R4", "rescued_share", "share of the stress signal that is gone (1 - slope)", _rescued_share),
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
