"""Claim R1 from a behaviour table: the share of treated animals that responded, compared with the share under vehicle.

Animals are chosen because they avoid other mice, and a second test of the lowest scorers is higher on average without any treatment
(regression to the mean). So the comparator is the spontaneous response of animals given vehicle, never zero. The animals of an
expression study are themselves chosen, so these shares are no evidence about a drug unless the table holds every animal treated.

References
----------
Clopper CJ, Pearson ES (1934) The use of confidence or fiducial limits. Biometrika 26:404-413. doi:10.1093/biomet/26.4.404
Newcombe RG (1998) Interval estimation for the difference between independent proportions. Stat Med 17:873-890.
doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binomtest, fisher_exact

from responder_ml.arrays import Flags
from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.study_regions import SheetWords
from responder_ml.errors import ContrastError

Rule = Literal["post", "delta", "both"]


@dataclass(frozen=True)
class ResponseRule:
    """When an animal counts as a responder by its social interaction ratio.

    The founding study's own cut-off and timing could not be verified; 1.0 after treatment is the customary border between avoiding
    and approaching, and stands here as an unverified default.

    Attributes
    ----------
    rule
        ``post``: ratio after treatment at least ``cut``. ``delta``: rise of at least ``delta``. ``both``: both.
    cut
        Ratio (time near the other mouse over time near an empty enclosure), not per cent.
    delta
        Rise of the ratio.
    """

    rule: Rule = "post"
    cut: float = 1.0
    delta: float = 0.2


def responds(post: ArrayLike, rule: ResponseRule, pre: ArrayLike | None = None) -> Flags:
    """Return which animals respond.

    Parameters
    ----------
    post, pre
        Ratio after and before treatment, ``(n_subjects,)``.
    rule
        When an animal counts.

    Raises
    ------
    ContrastError
        A ratio is missing or infinite (nothing explored in the first session), or the rule needs ``pre``.
    """
    after = np.asarray(post, dtype=np.float64)
    if rule.rule != "post" and pre is None:
        raise ContrastError(
            f"The response rule '{rule.rule}' needs the ratio before treatment. Give it, or use the rule 'post'."
        )
    before = after if pre is None else np.asarray(pre, dtype=np.float64)
    if not np.all(np.isfinite(after) & np.isfinite(before)):
        raise ContrastError(
            "A social interaction ratio is missing or infinite, as when an animal explored nothing in the first session. "
            "Leave such animals out of the behaviour table."
        )
    high, rose = after >= rule.cut, after - before >= rule.delta
    return {"post": high, "delta": rose, "both": high & rose}[rule.rule]


def response_fractions(drug: Sequence[str], responder: ArrayLike, vehicle: str = "saline") -> list[ClaimResult]:
    """Return claim R1: each drug's response share against vehicle, and the difference of each pair of drugs.

    A share carries its exact 95 % interval and Fisher's one-sided p against vehicle, whose share is the value expected with no
    effect; where no animal had vehicle both are None. A difference carries Newcombe's 95 % interval and Fisher's two-sided p. A
    large p does not show that the drugs are equal: the interval shows how unequal they could be.

    Parameters
    ----------
    drug
        What each susceptible animal was given.
    responder
        Whether it responded, as `responds` returns.
    vehicle
        Name of the vehicle.

    Raises
    ------
    ContrastError
        No animal was given a drug.
    """
    treatment, responded = np.asarray(drug).astype(str), np.asarray(responder, dtype=np.bool_)
    counts = {
        str(name): (int(responded[treatment == name].sum()), int(np.sum(treatment == name)))
        for name in np.unique(treatment)
    }
    drugs = [name for name in counts if name != vehicle]
    if not drugs:
        raise ContrastError(
            f"Every animal in the behaviour table has '{vehicle}'. Response shares need treated animals."
        )
    rows = [_share(name, counts[name], vehicle, counts.get(vehicle)) for name in drugs]
    return rows + [_difference(pair, counts[pair[0]], counts[pair[1]]) for pair in combinations(drugs, 2)]


def _share(name: str, treated: tuple[int, int], vehicle: str, untreated: tuple[int, int] | None) -> ClaimResult:
    hits, total = treated
    limits = binomtest(hits, total).proportion_ci(0.95, method="exact")
    p = None
    if untreated is not None:
        p = float(
            fisher_exact([[hits, total - hits], [untreated[0], untreated[1] - untreated[0]]], alternative="greater")[1]
        )
    return _result(
        name,
        "treated",
        "response_fraction",
        hits / total,
        None if untreated is None else untreated[0] / untreated[1],
        p,
        (float(limits.low), float(limits.high)),
        "the drug adds nothing to spontaneous response",
        {name: total} | ({} if untreated is None else {vehicle: untreated[1]}),
        "" if untreated is not None else f"no animal had {vehicle}, so spontaneous response is unknown",
    )


def _difference(pair: tuple[str, str], first: tuple[int, int], second: tuple[int, int]) -> ClaimResult:
    table = [[hits, total - hits] for hits, total in (first, second)]
    return _result(
        "+".join(pair),
        " less ".join(pair),
        "response_fraction_difference",
        first[0] / first[1] - second[0] / second[1],
        0.0,
        float(fisher_exact(table)[1]),
        newcombe_interval(first, second),
        "both drugs have the same response share",
        {pair[0]: first[1], pair[1]: second[1]},
        "two-sided; a large p does not show equality",
    )


def newcombe_interval(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    """Return Newcombe's 95 % hybrid score interval (his method 10) of the difference of two proportions, (hits, total) each."""
    (p1, low1, high1), (p2, low2, high2) = (_wilson(hits, total) for hits, total in (first, second))
    gap = p1 - p2
    below = np.hypot(p1 - low1, high2 - p2)
    above = np.hypot(high1 - p1, p2 - low2)
    return float(gap - below), float(gap + above)


def _wilson(hits: int, total: int) -> tuple[float, float, float]:
    limits = binomtest(hits, total).proportion_ci(0.95, method="wilson")
    return hits / total, float(limits.low), float(limits.high)


def _result(
    drug: str,
    arm: str,
    statistic: str,
    observed: float,
    expected: float | None,
    p: float | None,
    interval: tuple[float, float],
    hypothesis: str,
    n: dict[str, int],
    note: str,
) -> ClaimResult:
    return ClaimResult(
        claim="R1", region="", drug=drug, arm=arm, statistic=statistic, observed=observed, expected_no_effect=expected,
        null_sd=None, p_value=p, null="fisher", exact=True, labellings=0, smallest_p=None, interval=interval, design_value=None,
        hypothesis=hypothesis, n=n, genes=None, note=note,
    )  # fmt: skip


def response_lines(
    table: pd.DataFrame, post: str, pre: str | None, rule: ResponseRule, words: SheetWords
) -> list[ClaimResult]:
    """Return claim R1 of the susceptible animals of a behaviour table: who was given what, and how they behaved.

    Parameters
    ----------
    table
        One or more rows per animal, which must agree: ``subject``, ``drug``, ``phenotype`` unless all are susceptible, and the
        ratio's column.
    post, pre
        Columns of the ratio after and, where the rule needs it, before treatment.
    rule
        When an animal counts as a responder.
    words
        Words of the table for the groups.

    Raises
    ------
    ContrastError
        A column is missing, a ratio is not a number, or an animal has two different values.
    """
    ratios = [post] if pre is None else [post, pre]
    missing = [name for name in ("subject", "drug", *ratios) if name not in table]
    if missing:
        raise ContrastError(
            f"The behaviour table needs the column(s) {', '.join(missing)}. It has: {', '.join(map(str, table.columns))}. "
            "Correct `claims.behaviour`."
        )
    if "phenotype" in table:
        table = table[table["phenotype"].astype(str) == words.susceptible]
    animals = table[["subject", "drug", *ratios]].drop_duplicates()
    twice = animals.loc[animals["subject"].duplicated(), "subject"].astype(str).tolist()
    if twice:
        raise ContrastError(
            f"The behaviour table gives {', '.join(twice[:5])} two different ratios or drugs. Give each animal once."
        )
    values = animals[ratios].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    responder = responds(values[:, 0], rule, None if pre is None else values[:, 1])
    return response_fractions(animals["drug"].astype(str).tolist(), responder, words.vehicle)
