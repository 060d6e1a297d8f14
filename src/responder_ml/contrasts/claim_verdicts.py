"""The verdict on each claim: one sentence, chosen by rule from a line of the table that was chosen in advance.

Each claim has one headline statistic. Reversal and induction are taken as responders minus non-responders where there are both:
both are compared with the same susceptible animals, so what a shared reference produces cancels. Which statistic stands for a claim
was chosen by its power on simulated animals. p-values are corrected for the regions of a claim (Holm), not for the number of
claims.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.founding_claims import CLAIMS, DIFFERENCE
from responder_ml.contrasts.groups import RESPONDER
from responder_ml.contrasts.region_ranks import RANKED, RegionRank
from responder_ml.statistics.multiple_testing import holm

Level = Literal["consistent", "not_shown", "out_of_reach", "contradicted", "not_asked"]

_BOTH, _STRESS = "responder and non_responder", "susceptible - control"
HEADLINES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "R2": ("deg_count", (_STRESS,)),
    "R3": ("common_cosine", (RESPONDER,)),
    "R4": ("reversal_cosine", (DIFFERENCE, RESPONDER)),
    "R5": ("induction_shift", (DIFFERENCE, RESPONDER)),
    "R6a": ("response_degs", (_BOTH,)),
    "R6b": ("non_responder_only_degs", (_BOTH,)),
    "R6c": ("opposition_cosine", (_BOTH,)),
    "R7": ("interaction_degs", ("drug x response",)),
}
"""Statistic of each claim that its verdict rests on, and its arms, the preferred one first."""
_IN_WORDS = {
    "deg_count": "genes called between susceptible and control animals",
    "common_cosine": "likeness of the two drugs' changes (cosine)",
    "reversal_cosine": "reversal (minus the cosine of drug and stress changes)",
    "induction_shift": "induction (shift of resilient-specific genes the resilient way, log2)",
    "response_degs": "genes called between responders and non-responders",
    "non_responder_only_degs": "genes called in non-responders only",
    "opposition_cosine": "opposition (minus the cosine of responder and non-responder changes)",
    "interaction_degs": "genes whose response depends on the drug",
}
_IN_EVERY_REGION = ("R2",)
_CLEAR_LEAD = 0.95
"""Share of bootstrap draws in which a region that leads must be first."""
_EQUAL = 0.2
"""Largest difference of response fractions that counts as equal."""


@dataclass(frozen=True)
class ClaimVerdict:
    """The verdict on one claim in these animals.

    Attributes
    ----------
    claim
        Code, R1 to R8.
    level
        ``consistent`` with the claim, ``not_shown``, ``out_of_reach`` where no p these animals allow is small enough,
        ``contradicted``, or ``not_asked`` where the data cannot answer it.
    sentence
        The same with its numbers.
    regions
        Regions in which it is consistent.
    """

    claim: str
    level: Level
    sentence: str
    regions: tuple[str, ...] = ()


def judge_claims(results: Sequence[ClaimResult], ranks: Sequence[RegionRank], alpha: float) -> tuple[ClaimVerdict, ...]:
    """Return one verdict per claim, R1 to R8.

    Parameters
    ----------
    results
        The table of claims of all regions.
    ranks
        As `rank_regions` returns; empty with one region.
    alpha
        Level of the tests; a p equal to it counts as reached.
    """
    verdicts = {"R1": _judge_fractions([line for line in results if line.claim == "R1"])}
    verdicts |= {claim: _judge(claim, headlines(results, claim), alpha) for claim in HEADLINES}
    verdicts["R8"] = _judge_ranks(results, ranks)
    return tuple(verdicts[claim] for claim in CLAIMS)


def headlines(results: Sequence[ClaimResult], claim: str) -> list[ClaimResult]:
    """Return the headline line of a claim in each region: drugs together where there are two, in the preferred arm."""
    statistic, arms = HEADLINES[claim]
    best: dict[str, tuple[tuple[int, int], ClaimResult]] = {}
    for line in results:
        if line.statistic == statistic and line.arm in arms:
            order = (arms.index(line.arm), -line.drug.count("+"))
            if line.region not in best or order < best[line.region][0]:
                best[line.region] = (order, line)
    return [line for _, line in best.values()]


def _judge(claim: str, lines: Sequence[ClaimResult], alpha: float) -> ClaimVerdict:
    if not lines:
        return ClaimVerdict(claim, "not_asked", "Not asked: these animals lack the groups it compares.")
    every = claim in _IN_EVERY_REGION
    p = np.array([1.0 if line.p_value is None else line.p_value for line in lines])
    smallest = np.array([1.0 if line.smallest_p is None else line.smallest_p for line in lines])
    # "In every region" is shown where each region's own p is small enough; "in some region" needs a correction for the choice.
    corrected = p if every else holm(p)
    least = float(smallest.max()) if every else float(smallest.min()) * len(lines)
    first = int(np.argmin(p))
    correction = (
        "" if len(lines) == 1 or every else f", {corrected[first]:.2g} after correction for {len(lines)} regions"
    )
    numbers = f"{_numbers(lines[first])}{correction}"
    regions = tuple(line.region for line, value in zip(lines, corrected, strict=True) if value <= alpha)
    if len(regions) == len(lines) or (regions and not every):
        return ClaimVerdict(
            claim, "consistent", f"Consistent with the claim in {', '.join(regions)}. {numbers}.", regions
        )
    if least > alpha:
        text = f"Out of reach: with these animals no p below {least:.2g}{' (corrected)' if correction else ''} is attainable."
        return ClaimVerdict(claim, "out_of_reach", f"{text} {numbers}.")
    if every:
        shown = f"Shown in {len(regions)} of {len(lines)} regions, not in all" if len(lines) > 1 else "Not shown"
        return ClaimVerdict(claim, "not_shown", f"{shown}. {numbers}.", regions)
    return ClaimVerdict(claim, "not_shown", f"Not shown{'' if len(lines) == 1 else ' in any region'}. {numbers}.")


def _numbers(line: ClaimResult) -> str:
    less = ", responders minus non-responders," if line.arm == DIFFERENCE else ""
    no_effect = "unknown" if line.expected_no_effect is None else _short(line.expected_no_effect)
    p = "unknown" if line.p_value is None else f"{line.p_value:.2g}"
    words = f"{_IN_WORDS[line.statistic]}{less}"
    return f"{line.region}: {words} {_short(line.observed)}, {no_effect} expected with no effect, p = {p}"


def _judge_ranks(results: Sequence[ClaimResult], ranks: Sequence[RegionRank]) -> ClaimVerdict:
    """Judge R8: consistent only where one region leads all three claims in nearly every draw."""
    leaders: dict[str, RegionRank] = {}
    for claim in RANKED:
        lines = {(line.statistic, line.drug, line.arm) for line in headlines(results, claim)}
        for rank in ranks:
            if rank.rank == 1 and (rank.statistic, rank.drug, rank.arm) in lines and rank.claim == claim:
                leaders[claim] = rank
    if not leaders:
        return ClaimVerdict("R8", "not_asked", "Not asked: a ranking needs two regions or more, with bootstrap draws.")
    text = "; ".join(
        f"{first.region} in {claim} ({first.first_share:.0%} of draws)" for claim, first in leaders.items()
    )
    names = {first.region for first in leaders.values()}
    clear = len(names) == 1 and all(first.first_share >= _CLEAR_LEAD for first in leaders.values())
    if not clear:
        return ClaimVerdict("R8", "not_shown", f"No region leads clearly. First are {text}.")
    (name,) = names
    return ClaimVerdict("R8", "consistent", f"{name} leads. First are {text}.", (name,))


def _judge_fractions(lines: Sequence[ClaimResult]) -> ClaimVerdict:
    """Judge R1: the fractions of two drugs are called equal only where the interval of the difference is narrow."""
    pairs = [line for line in lines if line.statistic == "response_fraction_difference" and line.interval]
    if not pairs:
        return ClaimVerdict(
            "R1", "not_asked", "Not asked: it needs `claims.behaviour` and animals of two drugs in that table."
        )
    shares = [line for line in lines if line.statistic == "response_fraction"]
    text = "; ".join(f"{share.drug} {share.observed:.0%} of {share.n[share.drug]}" for share in shares)
    widest = max(pairs, key=lambda pair: abs(pair.observed))
    low, high = widest.interval or (-1.0, 1.0)
    text += f"; largest difference {widest.observed:+.0%} ({low:+.0%} to {high:+.0%})"
    if low > 0 or high < 0:
        return ClaimVerdict("R1", "contradicted", f"The fractions differ: {text}.")
    if max(-low, high) <= _EQUAL:
        return ClaimVerdict("R1", "consistent", f"The fractions differ by less than {_EQUAL:.0%}: {text}.")
    return ClaimVerdict("R1", "not_shown", f"Too few animals to call the fractions equal or not: {text}.")


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value + 0.0:.2f}".replace("-0.00", "0.00")
