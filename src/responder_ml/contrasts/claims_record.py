"""The results of all claims of a job, as a table and as plain values for JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.claim_verdicts import HEADLINES, ClaimVerdict, headlines
from responder_ml.contrasts.founding_claims import CLAIMS, SUMMARIES
from responder_ml.contrasts.region_maps import RegionMap
from responder_ml.contrasts.region_ranks import RegionRank
from responder_ml.versions import versions_of

SCHEMA_VERSION = 1
_REPORTED_VERSIONS = ("responder-ml", "numpy", "scipy", "pandas")


@dataclass(frozen=True)
class RegionFacts:
    """Size of a region: genes expressed, and subjects per group."""

    name: str
    genes: int
    groups: Mapping[str, int]


@dataclass(frozen=True)
class ClaimsRecord:
    """The claims of one job.

    Attributes
    ----------
    name, seed, settings
        Name and seed of the job, and the settings of the claims.
    simulated
        Whether the animals are simulated.
    regions
        Size of each region.
    results
        The table of claims, all regions.
    ranks
        Ranks of the regions, empty with one region.
    verdicts
        One per claim.
    maps
        RRHO2 maps for figures.
    notes
        Caveats on all results.
    """

    name: str
    seed: int
    settings: Mapping[str, Any]
    simulated: bool
    regions: tuple[RegionFacts, ...]
    results: tuple[ClaimResult, ...] = field(repr=False)
    ranks: tuple[RegionRank, ...] = field(repr=False)
    verdicts: tuple[ClaimVerdict, ...]
    maps: tuple[RegionMap, ...] = field(repr=False)
    notes: tuple[str, ...]

    @property
    def headlines(self) -> dict[str, list[ClaimResult]]:
        """The lines that the verdicts rest on, by claim."""
        return {claim: headlines(self.results, claim) for claim in HEADLINES}

    def table(self) -> pd.DataFrame:
        """Return one row per claim statistic, region, drug and arm; an empty cell is a number that is not known."""
        leading = {id(line) for lines in self.headlines.values() for line in lines}
        return pd.DataFrame([_row(result, id(result) in leading) for result in self.results])

    def content(self) -> dict[str, Any]:
        """Return the record as plain values for JSON; every number is finite or null."""
        return {
            "schema_version": SCHEMA_VERSION,
            "name": self.name,
            "simulated": self.simulated,
            "seed": self.seed,
            "settings": dict(self.settings),
            "versions": versions_of(_REPORTED_VERSIONS),
            "regions": [
                {"name": region.name, "genes": region.genes, "groups": dict(region.groups)} for region in self.regions
            ],
            "claims": [{**asdict(verdict), "statement": CLAIMS[verdict.claim]} for verdict in self.verdicts],
            "rows": [_plain(row) for row in self.table().to_dict("records")],
            "ranks": [asdict(rank) for rank in self.ranks],
            "notes": list(self.notes),
        }


def _row(result: ClaimResult, leading: bool) -> dict[str, Any]:
    low, high = result.interval or (np.nan, np.nan)
    return {
        "claim": result.claim,
        "region": result.region,
        "drug": result.drug,
        "arm": result.arm,
        "statistic": result.statistic,
        "headline": leading,
        "observed": result.observed,
        "expected_no_effect": _number(result.expected_no_effect),
        "null_sd": _number(result.null_sd),
        "p_value": _number(result.p_value),
        "smallest_p": _number(result.smallest_p),
        "low": low,
        "high": high,
        "design_value": _number(result.design_value),
        "null": result.null,
        "exact": result.exact,
        "labellings": result.labellings,
        "genes": _number(result.genes),
        "subjects": "; ".join(f"{name} {count}" for name, count in result.n.items()),
        "hypothesis": result.hypothesis,
        "meaning": SUMMARIES[result.statistic],
        "note": result.note,
        "alternative": result.alternative,
        "needs": "; ".join(f"{part.words}: p = {part.p_value:.4g}" for part in result.parts),
        "with_shared_animals": _number(result.with_shared_animals),
        "power_if_full": _number(result.power),
        "smallest_group_needed": _number(result.needed),
    }


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(key): None if isinstance(value, float) and not np.isfinite(value) else value for key, value in row.items()
    }
