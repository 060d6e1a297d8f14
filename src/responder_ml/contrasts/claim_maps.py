"""RRHO2 maps of the contrasts the claims compare: stress against each drug's responders, and the drugs with each other."""

from itertools import combinations

from responder_ml.contrasts.claim_statistic import CONTROL, SUSCEPTIBLE
from responder_ml.contrasts.claims_record import RegionMap
from responder_ml.contrasts.contrast import Contrast, Groups, contrast_table
from responder_ml.contrasts.founding_claims import FEWEST, RESPONDER
from responder_ml.contrasts.rrho2 import rrho2
from responder_ml.contrasts.study_regions import StudyRegion

_LISTS = 20
"""Lists along each axis: enough to see where an overlap lies, few enough for a page of maps."""


def map_region(region: StudyRegion) -> list[RegionMap]:
    """Return the maps of one region, from moderated t of one linear model of all its groups.

    Parameters
    ----------
    region
        As `split_regions` returns it.
    """
    present = [name for name in region.groups.names if region.groups.size(name) >= FEWEST]
    labels = [region.groups.names[code] if code >= 0 else "" for code in region.groups.codes]
    groups = Groups.of([name if name in present else "" for name in labels])
    responders = [name for name in present if name.endswith(f" {RESPONDER}")]
    pairs = [Contrast(f"{SUSCEPTIBLE} less {CONTROL}", SUSCEPTIBLE, CONTROL)]
    pairs += [Contrast(f"{name} less {SUSCEPTIBLE}", name, SUSCEPTIBLE) for name in responders]
    table = contrast_table(region.expression, groups, pairs, region.covariates)
    step = max(1, -(-region.expression.shape[1] // _LISTS))
    wanted = [(0, place) for place in range(1, len(pairs))] + list(combinations(range(1, len(pairs)), 2))
    return [
        RegionMap(region.name, pairs[one].name, pairs[other].name, rrho2(table.t[one], table.t[other], step))
        for one, other in wanted
    ]
