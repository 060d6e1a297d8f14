"""Everything the claims came to, in the form of a table for programs and of a record that holds nothing but plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from platform import python_version
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.claim_verdicts import HEADLINES, ClaimVerdict, headlines
from responder_ml.contrasts.founding_claims import CLAIMS, SUMMARIES
from responder_ml.contrasts.regions import RegionRank
from responder_ml.contrasts.rrho2 import Rrho2Map

SCHEMA_VERSION = 1
_REPORTED_VERSIONS = ("responder-ml", "numpy", "scipy", "pandas")


@dataclass(frozen=True)
class RegionFacts:
    """What a region brought: subjects per group, and genes expressed."""

    name: str
    genes: int
    groups: Mapping[str, int]


@dataclass(frozen=True)
class RegionMap:
    """An RRHO2 map of two contrasts of one region, each named plus less minus."""

    region: str
    first: str
    second: str
    values: Rrho2Map = field(repr=False)


@dataclass(frozen=True)
class ClaimsRecord:
    """The claims of one job.

    Attributes
    ----------
    name, seed, settings
        The job's, and how the claims were evaluated.
    simulated
        Whether the animals are simulated.
    regions
        What each region brought.
    results
        The table of claims, all regions.
    ranks
        Regions ranked, empty with one region.
    verdicts
        One per claim.
    maps
        RRHO2 maps for figures.
    notes
        What a reader must know of the whole.
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
        """Lines on which the verdicts rest, by claim."""
        return {claim: headlines(self.results, claim) for claim in HEADLINES}

    def table(self) -> pd.DataFrame:
        """Return one row per claim statistic, region, drug and arm; an empty cell is a number that is not known."""
        leading = {id(each) for lines in self.headlines.values() for each in lines}
        return pd.DataFrame([_row(each, id(each) in leading) for each in self.results])

    def content(self) -> dict[str, Any]:
        """Return the whole as plain values for JSON; every number is finite or null."""
        return {
            "schema_version": SCHEMA_VERSION,
            "name": self.name,
            "simulated": self.simulated,
            "seed": self.seed,
            "settings": dict(self.settings),
            "versions": {"python": python_version(), **{each: version(each) for each in _REPORTED_VERSIONS}},
            "regions": [{"name": each.name, "genes": each.genes, "groups": dict(each.groups)} for each in self.regions],
            "claims": [{**asdict(each), "statement": CLAIMS[each.claim]} for each in self.verdicts],
            "rows": [_plain(row) for row in self.table().to_dict("records")],
            "ranks": [asdict(each) for each in self.ranks],
            "notes": list(self.notes),
        }


def _row(each: ClaimResult, leading: bool) -> dict[str, Any]:
    low, high = each.interval or (np.nan, np.nan)
    return {
        "claim": each.claim,
        "region": each.region,
        "drug": each.drug,
        "arm": each.arm,
        "statistic": each.statistic,
        "headline": leading,
        "observed": each.observed,
        "expected_no_effect": _number(each.expected_no_effect),
        "null_sd": _number(each.null_sd),
        "p_value": _number(each.p_value),
        "smallest_p": _number(each.smallest_p),
        "low": low,
        "high": high,
        "design_value": _number(each.design_value),
        "null": each.null,
        "exact": each.exact,
        "labellings": each.labellings,
        "genes": _number(each.genes),
        "subjects": "; ".join(f"{name} {count}" for name, count in each.n.items()),
        "hypothesis": each.hypothesis,
        "meaning": SUMMARIES[each.statistic],
        "note": each.note,
    }


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(key): None if isinstance(value, float) and not np.isfinite(value) else value for key, value in row.items()
    }
