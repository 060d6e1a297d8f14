"""Relabel subjects between named groups and recompute everything: the null of statistics made of several contrasts.

Which groups are exchanged is the null hypothesis. Exchanging

* susceptible (vehicle) and drug-treated animals: "the drug changes nothing in susceptible animals". The exchanged animals stay
  susceptible animals, so a real difference between susceptible and control stays in every relabelling; what breaks is the claim
  that the drug undoes it. Both contrasts use the relabelled susceptible group, so the shared-reference artefact is in the null;
* responders and non-responders of a drug: "outcome has nothing to do with expression", whatever the drug does to both;
* responders of two drugs: "the two drugs do the same in responders";
* the two groups of one contrast: "the two groups do not differ".

Each holds exactly if the exchanged subjects are exchangeable under that hypothesis. Where batch differs between them they are not;
exchange within ``strata`` of batch, or accept that the test asks about batch as well.

References
----------
Phipson B, Smyth GK (2010) Permutation p-values should never be zero. Stat Appl Genet Mol Biol 9:39.
doi:10.2202/1544-6115.1585
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

# Statistics nearer than this, relative to the observed one if it exceeds 1, differ by rounding only.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class GroupRelabellings:
    """Relabelled groups.

    Attributes
    ----------
    codes
        Group of each subject, relabellings x subjects; the observed groups come first.
    labellings
        Distinct relabellings there are, the observed one included.
    exact
        Whether ``codes`` holds each of them once. Otherwise the rows after the first are random draws.
    """

    codes: Codes = field(repr=False)
    labellings: int
    exact: bool


@dataclass(frozen=True)
class RelabellingTest:
    """Statistics of the observed groups against their relabellings; arrays have one value per statistic.

    Attributes
    ----------
    observed
        Under the observed groups.
    expected, sd
        Mean and standard deviation over relabellings, the observed one included. Under the null hypothesis the observed value
        is on average equal to ``expected``, exactly.
    p_value
        (C + 1) / (B + 1), C of B relabellings at or above the observed value; large values speak for the claim.
    smallest_p
        The smallest p these relabellings can yield: the share of them that have the largest value.
    exact
        Whether all relabellings were used.
    labellings
        Distinct relabellings there are.
    """

    observed: Floats
    expected: Floats
    sd: Floats
    p_value: Floats
    smallest_p: Floats
    exact: bool
    labellings: int


def relabel_groups(
    codes: Codes,
    exchange: Sequence[Sequence[int]],
    *,
    limit: int,
    rng: np.random.Generator,
    strata: NDArray[np.integer] | None = None,
) -> GroupRelabellings:
    """Relabel subjects between the groups of each set in ``exchange``, keeping group sizes within strata.

    Parameters
    ----------
    codes
        Observed group of each subject, ``(n_subjects,)``.
    exchange
        Sets of groups whose subjects are exchanged among each other; no group is in two sets.
    limit
        Relabellings to enumerate at most; if there are more, ``limit`` random ones are drawn.
    rng
        Source of random draws; not touched by an enumeration.
    strata
        Any code per subject; subjects are exchanged within strata only.

    Raises
    ------
    ValueError
        ``limit`` is below 1, or a group is in two sets.
    """
    named = [code for family in exchange for code in family]
    if limit < 1 or len(set(named)) < len(named):
        raise ValueError("relabelling needs a limit of 1 or more and each group in one set at most")
    within = np.zeros(codes.size, dtype=np.intp) if strata is None else np.asarray(strata)
    members = [
        np.flatnonzero(np.isin(codes, family) & (within == level)) for family in exchange for level in np.unique(within)
    ]
    members = [each for each in members if each.size]
    labellings = prod(_count_arrangements(codes[each]) for each in members)
    if labellings <= limit:
        return GroupRelabellings(_enumerate(codes, members, labellings), labellings, True)
    drawn = np.tile(codes, (limit + 1, 1))
    for each in members:
        drawn[1:, each] = rng.permuted(drawn[1:, each], axis=1)
    return GroupRelabellings(drawn, labellings, False)


def summarise_relabellings(values: Floats, relabellings: GroupRelabellings) -> RelabellingTest:
    """Return the test of each statistic.

    Parameters
    ----------
    values
        Statistics under each relabelling, the observed one first; relabellings x statistics. None may be nan.
    relabellings
        What they were computed under.

    Raises
    ------
    ValueError
        A statistic is nan.
    """
    if np.isnan(values).any():
        raise ValueError("a statistic is nan under some relabelling; every relabelling must have a value")
    observed, largest = values[0], values.max(axis=0)
    return RelabellingTest(
        observed=observed,
        expected=values.mean(axis=0),
        sd=values.std(axis=0),
        p_value=_reached(values, observed).mean(axis=0),
        smallest_p=_reached(values, largest).mean(axis=0),
        exact=relabellings.exact,
        labellings=relabellings.labellings,
    )


def _reached(values: Floats, bar: Floats) -> NDArray[np.bool_]:
    return np.asarray(values >= bar - _ROUNDING * np.maximum(1.0, np.abs(bar)), dtype=np.bool_)


def _count_arrangements(codes: Codes) -> int:
    _, sizes = np.unique(codes, return_counts=True)
    left = np.cumsum(sizes[::-1])[::-1]
    return prod(comb(int(total), int(size)) for total, size in zip(left, sizes, strict=True))


def _enumerate(codes: Codes, members: list[Codes], labellings: int) -> Codes:
    """Return all relabellings, the observed one first."""
    tables = [_arrangements(codes[each]) for each in members]
    every = np.tile(codes, (labellings, 1))
    if tables:
        choice = np.unravel_index(np.arange(labellings), [len(table) for table in tables])
        for each, table, row in zip(members, tables, choice, strict=True):
            every[:, each] = table[row]
    is_observed = (every == codes).all(axis=1)
    return np.concatenate([every[is_observed], every[~is_observed]])


def _arrangements(codes: Codes) -> Codes:
    """Return every distinct order of ``codes``, one per row."""
    values, sizes = np.unique(codes, return_counts=True)
    if values.size == 1:
        return codes[None, :].copy()
    rest = _arrangements(np.repeat(values[1:], sizes[1:]))
    places = list(combinations(range(codes.size), int(sizes[0])))
    table = np.empty((len(places), len(rest), codes.size), dtype=np.intp)
    for row, chosen in enumerate(places):
        others = np.setdiff1d(np.arange(codes.size), chosen)
        table[row][:, list(chosen)] = values[0]
        table[row][:, others] = rest
    return table.reshape(-1, codes.size)
