"""Rank regions by a claim: which region leads, and how surely, over the subject bootstrap.

Regions are compared by the excess of a statistic over its value without effect in that region, since raw values differ between
regions whose groups differ in size. Draws of one subject are the same in all regions it gives, so what moves all regions together
does not pass for certainty about their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from responder_ml.contrasts.bootstrap import recentred_interval
from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.errors import ContrastError

RANKED_CLAIMS = ("R3", "R4", "R5")


@dataclass(frozen=True)
class RegionRank:
    """One region's standing in one claim statistic.

    Attributes
    ----------
    claim, drug, arm, statistic
        Which line of the table of claims.
    region
        Region.
    excess
        Observed value less its value without effect.
    interval
        95 % interval of the excess.
    rank
        Rank of the excess, 1 the largest.
    mean_rank
        Mean rank over bootstrap draws.
    first_share
        Share of draws in which the region leads; without any difference between regions one over their number is expected.
    """

    claim: str
    drug: str
    arm: str
    statistic: str
    region: str
    excess: float
    interval: tuple[float, float]
    rank: int
    mean_rank: float
    first_share: float


def rank_regions(results: Sequence[ClaimResult], claims: Sequence[str] = RANKED_CLAIMS) -> list[RegionRank]:
    """Rank the regions of several tables of claims, line by line.

    Parameters
    ----------
    results
        Lines of all regions together, evaluated with the same number of bootstrap draws, at least one.
    claims
        Claims to rank regions by.

    Returns
    -------
    list of RegionRank
        For each line that two regions or more have, its regions by rank.

    Raises
    ------
    ContrastError
        Lines without bootstrap draws, with different numbers of them, or twice for one region.
    """
    lines: dict[tuple[str, str, str, str], list[ClaimResult]] = {}
    for result in results:
        if result.claim in claims and result.expected_no_effect is not None:
            lines.setdefault((result.claim, result.drug, result.arm, result.statistic), []).append(result)
    ranked = []
    for line in lines.values():
        if len({each.region for each in line}) < len(line):
            raise ContrastError(
                f"A region has {line[0].statistic} twice. Give the table of claims of each region once."
            )
        if len(line) > 1:
            ranked += _rank(line)
    return ranked


def _rank(line: Sequence[ClaimResult]) -> list[RegionRank]:
    draws = [each.draws for each in line if each.draws is not None]
    if len(draws) < len(line) or len({len(each) for each in draws}) > 1 or not len(draws[0]):
        raise ContrastError(
            "Ranking regions needs the same number of bootstrap draws in each. Evaluate claims with bootstrap > 0."
        )
    excess = np.array([each.observed - (each.expected_no_effect or 0.0) for each in line])
    # Centred as the intervals are: the spread of the draws is of use, the noise redrawing adds to their centre is not.
    spread = np.stack([each - np.median(each) for each in draws], axis=1) + excess
    ranks = 1 + np.sum(spread[:, None, :] > spread[:, :, None], axis=2)
    # A draw in which several regions lead counts for each in equal parts.
    leads = (ranks == 1) / (ranks == 1).sum(axis=1, keepdims=True)
    order = np.argsort(-excess, kind="stable")
    return [
        RegionRank(
            claim=line[place].claim,
            drug=line[place].drug,
            arm=line[place].arm,
            statistic=line[place].statistic,
            region=line[place].region,
            excess=float(excess[place]),
            interval=recentred_interval(spread[:, place], float(excess[place])),
            rank=rank,
            mean_rank=float(ranks[:, place].mean()),
            first_share=float(leads[:, place].mean()),
        )
        for rank, place in enumerate(order, start=1)
    ]
