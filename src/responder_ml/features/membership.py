"""Gene sets laid over the genes of an expression matrix.

Gene names are matched exactly, case included. Which genes of which set are there is reported, and a set with too few
of them is left out by name.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from responder_ml.arrays import Flags, Floats, Integers
from responder_ml.errors import FeatureError
from responder_ml.features.gene_sets import GeneSet

_SHOWN = 5


@dataclass(frozen=True)
class Membership:
    """Gene sets laid over the genes of one expression matrix.

    Attributes
    ----------
    names
        Sets that are kept, in their order.
    weights
        ``scipy.sparse.csr_array`` of signed weights, genes x kept sets.
    coverage
        One row for each set, kept or not: ``genes`` in the set, ``found`` among them, the share ``coverage`` and the
        share of absolute weight ``weight_coverage``.
    dropped
        Why each set that is not kept was left out.
    """

    names: tuple[str, ...]
    weights: Any
    coverage: pd.DataFrame
    dropped: dict[str, str]


def members(sets: Iterable[GeneSet], genes: Sequence[str], *, min_genes: int, min_coverage: float) -> Membership:
    """Lay sets over the genes of an expression matrix.

    Parameters
    ----------
    sets
        Gene sets with different names.
    genes
        Genes of the expression, each once.
    min_genes
        A set with fewer genes found is left out.
    min_coverage
        A set with a smaller share of its genes found is left out, 0 to 1. So is a two-sided set with a side not found.

    Raises
    ------
    FeatureError
        Two sets have one name, a gene occurs twice in the expression, or no set can be kept.
    """
    sets = tuple(sets)
    place = {str(gene): index for index, gene in enumerate(genes)}
    _check_unique([each.name for each in sets], "gene sets", "Name each set differently.")
    if len(place) < len(genes):
        _check_unique([str(gene) for gene in genes], "genes of the expression", "Keep one row for each gene.")
    sizes = np.array([len(each.up) + len(each.down) for each in sets], dtype=np.int64)
    of_set = np.repeat(np.arange(len(sets)), sizes)
    listed = chain.from_iterable(chain(each.up, each.down) for each in sets)
    # Half as wide as the default: a product reads as many positions as there are members.
    rows = np.fromiter(map(place.get, listed, repeat(-1)), dtype=np.int32, count=len(of_set))
    weights = np.concatenate([_signed_weights(each) for each in sets]) if sets else np.empty(0)
    there = rows >= 0
    coverage = _coverage(sets, of_set, weights, there)
    dropped = _reasons(sets, coverage, of_set[there], weights[there], min_genes, min_coverage)
    kept = np.array([each.name not in dropped for each in sets], dtype=bool)
    if not kept.any():
        raise FeatureError(_nothing_left(sets, place, int(there.sum()), dropped))
    used = there & kept[of_set]
    ends = np.cumsum(np.bincount(of_set[used], minlength=len(sets))[kept])
    # Genes already stand set by set, which is what a table compressed by column holds.
    by_set = (weights[used], rows[used], np.concatenate(([0], ends)).astype(np.int32))
    table = sparse.csc_array(by_set, shape=(len(genes), int(kept.sum()))).tocsr()
    return Membership(tuple(each.name for each in sets if each.name not in dropped), table, coverage, dropped)


def _coverage(sets: Sequence[GeneSet], of_set: Integers, weights: Floats, there: Flags) -> pd.DataFrame:
    both = np.array([len(each.both_sides) for each in sets], dtype=np.int64)
    listed = np.bincount(of_set, minlength=len(sets)) + both
    found = np.bincount(of_set[there], minlength=len(sets))
    # A gene on both sides has no weight of its own; it misses what a gene of weight 1 would.
    total = np.bincount(of_set, weights=np.abs(weights), minlength=len(sets)) + both
    present = np.bincount(of_set[there], weights=np.abs(weights[there]), minlength=len(sets))
    return pd.DataFrame(
        {"genes": listed, "found": found, "coverage": found / listed, "weight_coverage": present / total},
        index=pd.Index([each.name for each in sets], name="signature"),
    )


def _reasons(
    sets: Sequence[GeneSet],
    coverage: pd.DataFrame,
    of_set: Integers,
    weights: Floats,
    min_genes: int,
    min_coverage: float,
) -> dict[str, str]:
    """Say of each set that cannot be kept why; ``of_set`` and ``weights`` are those of the genes found."""
    ups = np.bincount(of_set[weights > 0], minlength=len(sets))
    downs = np.bincount(of_set[weights < 0], minlength=len(sets))
    table = zip(sets, coverage["genes"], coverage["found"], coverage["coverage"], ups, downs, strict=True)
    reasons = {}
    for each, listed, found, share, up, down in table:
        if found < min_genes or found == 0:
            reasons[each.name] = f"{found} of {listed} genes found, {max(min_genes, 1)} needed"
        elif share < min_coverage:
            reasons[each.name] = f"{found} of {listed} genes found ({share:.0%}), {min_coverage:.0%} needed"
        elif (each.up and up == 0) or (each.down and down == 0):
            side = "up" if up == 0 else "down"
            reasons[each.name] = f"none of its {len(each.up if up == 0 else each.down)} {side} genes found"
    return reasons


def _nothing_left(sets: Sequence[GeneSet], place: dict[str, int], found: int, dropped: dict[str, str]) -> str:
    wanted = list(dict.fromkeys(chain.from_iterable((*each.up, *each.down) for each in sets)))
    if not wanted:
        return "There is no gene set. Give at least one."
    sides = (
        f"Sets name genes such as {_some(wanted)}; the expression has {_some(list(place))}. "
        "Names are matched exactly, case included."
    )
    if found:
        reasons = "; ".join(f"'{name}': {reason}" for name, reason in list(dropped.items())[:_SHOWN])
        return (
            f"None of the {len(sets)} gene sets has enough of its genes among the {len(place)} of the expression "
            f"({reasons}). {sides} Check species and annotation, map the identifiers, or ask for fewer genes."
        )
    lower = {gene.lower() for gene in place}
    differing = sum(gene.lower() in lower for gene in wanted)
    hint = (
        f"{differing} would match if case were ignored, which usually means another species: use a table of orthologs."
        if differing
        else "The kinds of identifier differ: translate the sets by a mapping table, for instance symbol to Entrez id."
    )
    return (
        f"None of the {len(wanted)} gene ids in {len(sets)} gene sets is among the {len(place)} genes of the "
        f"expression. {sides} {hint}"
    )


def _signed_weights(each: GeneSet) -> Floats:
    up = np.ones(len(each.up)) if each.up_weights is None else np.asarray(each.up_weights, dtype=np.float64)
    down = np.ones(len(each.down)) if each.down_weights is None else np.asarray(each.down_weights, dtype=np.float64)
    return np.concatenate((up, -down))


def _check_unique(names: list[str], what: str, remedy: str) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise FeatureError(f"Among the {what} {_some(repeated)} occur more than once. {remedy}")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
