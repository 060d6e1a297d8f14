"""RRHO2 maps of the contrasts the claims compare: stress with each drug's responders, and the drugs with each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.contrasts.groups import CONTROL, FEWEST, RESPONDER, SUSCEPTIBLE, Groups
from responder_ml.contrasts.rrho2 import Rrho2Map, rrho2
from responder_ml.contrasts.study_regions import StudyRegion
from responder_ml.errors import ContrastError
from responder_ml.statistics.linear_model import ModeratedFit, fit_linear_model

_LISTS = 20
"""Lists along each axis: enough to see where an overlap is, few enough for a page of maps."""


@dataclass(frozen=True)
class RegionMap:
    """An RRHO2 map of two contrasts of one region, each named "plus less minus"."""

    region: str
    first: str
    second: str
    values: Rrho2Map = field(repr=False)


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
    pairs = [(SUSCEPTIBLE, CONTROL), *((name, SUSCEPTIBLE) for name in responders)]
    t = fit_contrasts(region.expression, groups, pairs, region.covariates).t
    names = [f"{plus} less {minus}" for plus, minus in pairs]
    step = max(1, -(-region.expression.shape[1] // _LISTS))
    compared = [(0, drug) for drug in range(1, len(pairs))] + list(combinations(range(1, len(pairs)), 2))
    return [
        RegionMap(region.name, names[first], names[second], rrho2(t[first], t[second], step))
        for first, second in compared
    ]


def fit_contrasts(
    expression: Floats, groups: Groups, pairs: Sequence[tuple[str, str]], covariates: Floats | None = None
) -> ModeratedFit:
    """Contrast pairs of groups gene by gene in one linear model of all groups that have subjects.

    Parameters
    ----------
    expression
        Subjects x genes, log2 units.
    groups
        One group per subject; subjects without a group are left out.
    pairs
        Names of the groups compared: the mean of the first less the mean of the second.
    covariates
        Subjects x covariates, such as indicators of batch or drug.

    Raises
    ------
    ContrastError
        An unknown or empty group, or groups that covariates cannot be distinguished from.
    """
    grouped = groups.codes >= 0
    present = np.unique(groups.codes[grouped])
    design = (groups.codes[grouped][:, None] == present).astype(np.float64)
    if covariates is not None:
        design = np.concatenate([design, covariates[grouped]], axis=1)
    weights = np.zeros((len(pairs), design.shape[1]))
    for row, pair in enumerate(pairs):
        for name, sign in zip(pair, (1.0, -1.0), strict=True):
            if not groups.size(name):
                raise ContrastError(f"Group '{name}' has no subject. Groups: {', '.join(groups.names)}.")
            weights[row, np.searchsorted(present, groups.code(name))] += sign
    return fit_linear_model(expression[grouped], design, weights)
