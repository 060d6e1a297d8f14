"""The verdict on each claim: one sentence, chosen by rule from a line of the table that was chosen in advance.

Each claim has one headline line: its test on true changes (`claim_tests`), the drugs together where there are two. "Consistent"
demands that every part of the claim is above zero at the level, the sign included. p-values are corrected for the regions of a
claim (Holm); beside it stands the p corrected for the claims as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.claim_tests import BOTH_ARMS, LACKING, STATEMENTS
from responder_ml.contrasts.claim_words import describe_estimate, describe_full
from responder_ml.contrasts.founding_claims import CLAIMS
from responder_ml.contrasts.groups import RESPONDER
from responder_ml.contrasts.region_ranks import RANKED, RegionRank
from responder_ml.statistics.multiple_testing import holm

Level = Literal["consistent", "not_shown", "out_of_reach", "too_few_animals", "contradicted", "not_asked"]

_ARMS: Mapping[str, tuple[str, ...]] = {
    "R2": ("susceptible - control",),
    "R3": (RESPONDER,),
    "R4": (BOTH_ARMS, RESPONDER),
    "R5": (BOTH_ARMS, RESPONDER),
    "R6a": (BOTH_ARMS,),
    "R6b": (BOTH_ARMS,),
    "R6c": (BOTH_ARMS,),
    "R7": (RESPONDER,),
}
HEADLINES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    claim: (STATEMENTS[claim].name, arms) for claim, arms in _ARMS.items()
}
"""Statistic of each claim that its verdict rests on, and its arms, the preferred one first."""
_IN_EVERY_REGION = ("R2",)
_CLEAR_LEAD = 0.95
"""Share of draws in which a region that leads must be first."""
_EQUAL = 0.2
"""Largest difference of response fractions that counts as equal."""
_ENOUGH_POWER = 0.5
"""Power for the claim in full below which a claim not shown is one these animals cannot be asked."""
_WRONG_SIDE: Mapping[str, tuple[float, bool]] = {
    "R3": (0.0, False),
    "R4": (0.0, False),
    "R5": (0.0, False),
    "R6a": (1.0 - LACKING, False),
    "R6b": (0.0, False),
    "R6c": (0.0, True),
    "R7": (0.0, False),
}
"""Value that separates a claim from its contrary, and whether the contrary lies above it."""


@dataclass(frozen=True)
class ClaimVerdict:
    """The verdict on one claim in these animals.

    Attributes
    ----------
    claim
        Code, R1 to R8.
    level
        ``consistent`` with the claim, ``not_shown``, ``too_few_animals`` where the claim would probably be missed even if it held
        in full, ``out_of_reach`` where no p these animals allow is small enough, ``contradicted``, or ``not_asked`` where the data
        cannot answer it.
    sentence
        The same with its numbers.
    regions
        Regions in which it is consistent.
    p_value
        Smallest p of its regions (largest, where it is about every region), corrected for their number; None where it has none.
    p_across_claims
        The same, corrected for the number of claims that have one (Holm).
    """

    claim: str
    level: Level
    sentence: str
    regions: tuple[str, ...] = ()
    p_value: float | None = None
    p_across_claims: float | None = None


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
    verdicts["R8"] = _judge_ranks(results, ranks, verdicts["R3"])
    return _correct_across([verdicts[claim] for claim in CLAIMS])


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


def _correct_across(verdicts: Sequence[ClaimVerdict]) -> tuple[ClaimVerdict, ...]:
    tested = [verdict for verdict in verdicts if verdict.p_value is not None]
    corrected = holm(np.array([verdict.p_value for verdict in tested], dtype=np.float64))
    across = {verdict.claim: float(p) for verdict, p in zip(tested, corrected, strict=True)}
    return tuple(replace(verdict, p_across_claims=across.get(verdict.claim)) for verdict in verdicts)


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
    numbers = f"{describe_estimate(lines[first])}{correction}"
    regions = tuple(line.region for line, value in zip(lines, corrected, strict=True) if value <= alpha)

    def verdict(level: Level, text: str) -> ClaimVerdict:
        p_value = float(corrected.max() if every else corrected.min())
        return ClaimVerdict(claim, level, f"{text} {numbers}.", regions, p_value)

    if len(regions) == len(lines) or (regions and not every):
        return verdict("consistent", f"Consistent with the claim in {', '.join(regions)}.")
    if all(_lies_wrong(claim, line) for line in lines):
        return verdict("contradicted", f"Contradicted{'' if len(lines) == 1 else ' in every region'}.")
    if least > alpha:
        correction_word = " (corrected)" if correction else ""
        return verdict(
            "out_of_reach", f"Out of reach: with these animals no p below {least:.2g}{correction_word} is attainable."
        )
    shown = "Not shown" if len(lines) == 1 else "Not shown in any region"
    if every and len(lines) > 1:
        shown = f"Shown in {len(regions)} of {len(lines)} regions, not in all"
    best = max(lines, key=lambda line: line.power or 0.0)
    if not regions and best.power is not None and best.power < _ENOUGH_POWER:
        return verdict("too_few_animals", f"Cannot be asked of these animals: {describe_full(claim, best)}.")
    return verdict("not_shown", f"{shown}.")


def _lies_wrong(claim: str, line: ClaimResult) -> bool:
    """Tell whether a line's whole interval lies on the side of the claim's contrary."""
    if claim not in _WRONG_SIDE or line.interval is None:
        return False
    limit, above = _WRONG_SIDE[claim]
    return line.interval[0] > limit if above else line.interval[1] < limit


def _judge_ranks(results: Sequence[ClaimResult], ranks: Sequence[RegionRank], alike: ClaimVerdict) -> ClaimVerdict:
    """Judge R8: consistent only where the drugs act alike in a region that leads all three claims in nearly every draw."""
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
    if name not in alike.regions:
        return ClaimVerdict(
            "R8", "not_shown", f"{name} leads, but that the drugs act alike there (R3) is not shown: {text}."
        )
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
