"""What is done about batch that the sheet names and the claims do not: relabel within it, hold it constant, or say why not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.nuisance_kind import as_kind
from responder_ml.contrasts.group_fits import group_designs
from responder_ml.contrasts.groups import CONTROL, FEWEST, NON_RESPONDER, RESPONDER, SUSCEPTIBLE, Groups
from responder_ml.contrasts.relabelling import count_arrangements

# Fewest relabellings of each comparison within batches: no p at 0.05 without them.
_FEWEST_RELABELLINGS = 20
# Fewest residual degrees of freedom to hold a batch constant: fewer leave no variance worth the name.
_FEWEST_DF = 4


@dataclass(frozen=True)
class BatchPlan:
    """What is done about batch in one region.

    Attributes
    ----------
    sentence
        The same in words; empty where there is nothing to do.
    covariates
        Subjects x indicators of batch, None where it is not held constant.
    strata
        Code per subject within which relabelling stays, None where it does not.
    """

    sentence: str
    covariates: Floats | None = field(default=None, repr=False)
    strata: Indices | None = field(default=None, repr=False)


def plan_batch(groups: Groups, sheet: pd.DataFrame, names: Sequence[str]) -> BatchPlan:
    """Return the plan for columns of categories of a sheet, one or more, whose rows are the subjects of the groups."""
    member = np.array(
        [code >= 0 and groups.size(groups.names[code]) >= FEWEST for code in groups.codes], dtype=np.bool_
    )
    words = pd.concat([as_kind(sheet[name], "category") for name in names], axis=1)
    codes = np.asarray(pd.factorize(words.agg("\x1f".join, axis=1), sort=True)[0], dtype=np.intp)
    if len(np.unique(codes[member])) < 2:
        return BatchPlan("")
    word = " and ".join(names)
    indicators = (codes[:, None] == np.unique(codes[member])[1:]).astype(np.float64)
    used = Groups.of([groups.names[code] for code in groups.codes[member]])
    design = group_designs(used.codes[None], len(used.names), indicators[member])[0]
    rank = int(np.linalg.matrix_rank(design))
    if rank < design.shape[1] or len(design) - rank < _FEWEST_DF:
        return BatchPlan(
            f"{word} is not handled: it cannot be told from the groups with these animals, so p can be too small."
        )
    if _fewest_relabellings(groups, codes) >= _FEWEST_RELABELLINGS:
        return BatchPlan(f"{word} is held constant, and animals are relabelled within it.", indicators, codes)
    return BatchPlan(
        f"{word} is held constant, and residuals are rotated: within it too few relabellings are possible.", indicators
    )


def _fewest_relabellings(groups: Groups, codes: Indices) -> int:
    """Return the least number of relabellings within batches of any comparison that the claims make."""
    sets = [
        (name, name.replace(f" {RESPONDER}", f" {NON_RESPONDER}"))
        for name in groups.names
        if name.endswith(f" {RESPONDER}")
    ]
    pairs = [pair for pair in sets if all(groups.size(name) >= FEWEST for name in pair)]
    responders = tuple(name for name in groups.names if name.endswith(f" {RESPONDER}") and groups.size(name) >= FEWEST)
    exchanges = [
        ((SUSCEPTIBLE, CONTROL),),
        *((pair,) for pair in pairs),
        *([((SUSCEPTIBLE, *responders),)] if responders else []),
    ]
    return min(
        prod(
            count_arrangements(
                groups.codes[np.isin(groups.codes, [groups.names.index(name) for name in names]) & (codes == level)]
            )
            for names in exchange
            for level in np.unique(codes)
        )
        for exchange in exchanges
    )
