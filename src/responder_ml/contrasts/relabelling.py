"""Relabel subjects between named groups, and test statistics against their values under relabelling.

Which groups are exchanged is the null hypothesis. Exchanging

* susceptible (vehicle) and drug-treated animals: "the drug changes nothing in susceptible animals". The exchanged animals stay
  susceptible animals, so a real difference between susceptible and control stays in every relabelling; what breaks is the claim
  that the drug undoes it. Both contrasts use the relabelled susceptible group, so the shared-reference artefact is in the null;
* responders and non-responders of a drug: "outcome has nothing to do with expression", whatever the drug does in both;
* responders of two drugs: "the two drugs do the same in responders";
* the two groups of one contrast: "the two groups do not differ".

Each is exact if the exchanged subjects are exchangeable under that hypothesis. Where batch differs between them they are not:
exchange within ``strata`` of batch, which leaves few relabellings, or put batch in the model and rotate its residuals (`rotation`).

`compare_with_null` tests observed values against null values, however the null was made. The observed value counts among the null
values, so that no p is 0.

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

from responder_ml.arrays import Flags, Floats, Indices

# Statistics nearer than this, relative to the value compared with if it exceeds 1, differ by rounding only.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class GroupRelabellings:
    """Relabelled groups.

    Attributes
    ----------
    codes
        Group of each subject, relabellings x subjects; the observed groups come first.
    labellings
        Number of distinct relabellings, the observed one included.
    exact
        Whether ``codes`` holds each of them once. Otherwise the rows after the first are random draws.
    """

    codes: Indices = field(repr=False)
    labellings: int
    exact: bool


def relabel_groups(
    codes: Indices,
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
        Source of random draws; not used by an enumeration.
    strata
        Any code per subject; subjects are exchanged within strata only.

    Raises
    ------
    ValueError
        ``limit`` is below 1, or a group is in two sets.
    """
    exchanged = [code for groups in exchange for code in groups]
    if limit < 1 or len(set(exchanged)) < len(exchanged):
        raise ValueError("relabelling needs a limit of 1 or more and each group in one set at most")
    stratum = np.zeros(codes.size, dtype=np.intp) if strata is None else np.asarray(strata)
    blocks = [
        np.flatnonzero(np.isin(codes, groups) & (stratum == level))
        for groups in exchange
        for level in np.unique(stratum)
    ]
    blocks = [block for block in blocks if block.size]
    labellings = prod(count_arrangements(codes[block]) for block in blocks)
    if labellings <= limit:
        return GroupRelabellings(_enumerate(codes, blocks, labellings), labellings, True)
    drawn = np.tile(codes, (limit + 1, 1))
    for block in blocks:
        drawn[1:, block] = rng.permuted(drawn[1:, block], axis=1)
    return GroupRelabellings(drawn, labellings, False)


def count_arrangements(codes: Indices) -> int:
    """Return the number of distinct orders of the codes."""
    _, sizes = np.unique(codes, return_counts=True)
    remaining = np.cumsum(sizes[::-1])[::-1]
    return prod(comb(int(total), int(size)) for total, size in zip(remaining, sizes, strict=True))


def _enumerate(codes: Indices, blocks: list[Indices], labellings: int) -> Indices:
    """Return all relabellings, the observed one first."""
    tables = [_arrangements(codes[block]) for block in blocks]
    relabelled = np.tile(codes, (labellings, 1))
    if tables:
        choice = np.unravel_index(np.arange(labellings), [len(table) for table in tables])
        for block, table, row in zip(blocks, tables, choice, strict=True):
            relabelled[:, block] = table[row]
    is_observed = (relabelled == codes).all(axis=1)
    return np.concatenate([relabelled[is_observed], relabelled[~is_observed]])


def _arrangements(codes: Indices) -> Indices:
    """Return every distinct order of ``codes``, one per row."""
    values, sizes = np.unique(codes, return_counts=True)
    if values.size == 1:
        return codes[None, :].copy()
    rest = _arrangements(np.repeat(values[1:], sizes[1:]))
    choices = list(combinations(range(codes.size), int(sizes[0])))
    table = np.empty((len(choices), len(rest), codes.size), dtype=np.intp)
    for row, chosen in enumerate(choices):
        others = np.setdiff1d(np.arange(codes.size), chosen)
        table[row][:, list(chosen)] = values[0]
        table[row][:, others] = rest
    return table.reshape(-1, codes.size)


@dataclass(frozen=True)
class NullTest:
    """Statistics and their null; arrays have one value per statistic.

    Attributes
    ----------
    observed
        Under the observed groups.
    expected, sd
        Mean and standard deviation over the null, the observed value included. If the null hypothesis holds, the observed value
        equals ``expected`` on average, exactly.
    p_value
        (C + 1) / (B + 1), C of B null values at or above the observed one; large values support the claim.
    smallest_p
        The smallest p this null can yield: the share of its values that equal the largest.
    """

    observed: Floats
    expected: Floats
    sd: Floats
    p_value: Floats
    smallest_p: Floats


def compare_with_null(values: Floats) -> NullTest:
    """Test each statistic against its null.

    Parameters
    ----------
    values
        Statistics, draws x statistics; the observed ones are the first row. None may be nan.

    Raises
    ------
    ValueError
        A statistic is nan: the comparison would count it in favour of the observed value.
    """
    if np.isnan(values).any():
        raise ValueError("a statistic is nan under the null; every draw must have a value")
    observed = values[0]
    return NullTest(
        observed=observed,
        expected=values.mean(axis=0),
        sd=values.std(axis=0),
        p_value=_reached(values, observed).mean(axis=0),
        smallest_p=_reached(values, values.max(axis=0)).mean(axis=0),
    )


def _reached(values: Floats, threshold: Floats) -> Flags:
    return np.asarray(values >= threshold - _ROUNDING * np.maximum(1.0, np.abs(threshold)), dtype=np.bool_)
