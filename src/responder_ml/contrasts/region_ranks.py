"""Rank regions by a claim: which region leads, and how surely, over the subject bootstrap.

Regions are compared by the excess of a statistic over its value without effect in that region, since raw values differ between
regions whose groups differ in size. A subject is drawn alike in all regions it gives, so what moves all regions together is not
mistaken for certainty about their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from responder_ml.contrasts.bootstrap import recentred_interval
from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.errors import ContrastError

RANKED = ("R3", "R4", "R5")
"""Claims by which regions are ranked."""


@dataclass(frozen=True)
class RegionRank:
    """One region's rank in one claim statistic.

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


def rank_regions(results: Sequence[ClaimResult]) -> list[RegionRank]:
    """Rank the regions of several tables of claims, line by line.

    Parameters
    ----------
    results
        Lines of all regions together, evaluated with the same number of bootstrap draws, at least one.

    Returns
    -------
    list of RegionRank
        For each line of a ranked claim that two regions or more have, its regions by rank.

    Raises
    ------
    ContrastError
        Lines without bootstrap draws, with different numbers of them, or twice for one region.
    """
    lines: dict[tuple[str, str, str, str], list[ClaimResult]] = {}
    for result in results:
        if result.claim in RANKED and result.expected_no_effect is not None:
            lines.setdefault((result.claim, result.drug, result.arm, result.statistic), []).append(result)
    ranks = []
    for line in lines.values():
        if len({result.region for result in line}) < len(line):
            raise ContrastError(
                f"A region has {line[0].statistic} twice. Give the table of claims of each region once."
            )
        if len(line) > 1:
            ranks += _rank(line)
    return ranks


def _rank(line: Sequence[ClaimResult]) -> list[RegionRank]:
    draws = [result.draws for result in line if result.draws is not None]
    if len(draws) < len(line) or len({len(values) for values in draws}) > 1 or not len(draws[0]):
        raise ContrastError(
            "Ranking regions needs the same number of bootstrap draws in each. Evaluate claims with bootstrap > 0."
        )
    excess = np.array([result.observed - (result.expected_no_effect or 0.0) for result in line])
    # Centred as the intervals are: the spread of the draws is used, the noise that redrawing adds to their centre is not.
    spread = np.stack([values - np.median(values) for values in draws], axis=1) + excess
    ranks = 1 + np.sum(spread[:, None, :] > spread[:, :, None], axis=2)
    # A draw in which several regions lead counts for each in equal parts.
    leads = (ranks == 1) / (ranks == 1).sum(axis=1, keepdims=True)
    order = np.argsort(-excess, kind="stable")
    return [
        RegionRank(
            claim=line[index].claim,
            drug=line[index].drug,
            arm=line[index].arm,
            statistic=line[index].statistic,
            region=line[index].region,
            excess=float(excess[index]),
            interval=recentred_interval(spread[:, index], float(excess[index])),
            rank=rank,
            mean_rank=float(ranks[:, index].mean()),
            first_share=float(leads[:, index].mean()),
        )
        for rank, index in enumerate(order, start=1)
    ]
