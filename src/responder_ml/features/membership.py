"""Gene sets matched to the genes of an expression matrix.

Gene names are matched exactly, case included. The share of each set's genes that the data have is reported, and a set with
too few of them is left out by name.
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
from responder_ml.errors import FeatureError, list_names
from responder_ml.features.gene_sets import GeneSet

_SHOWN = 5


@dataclass(frozen=True)
class Membership:
    """Gene sets matched to the genes of one expression matrix.

    Attributes
    ----------
    names
        Sets that are kept, in their original order.
    weights
        ``scipy.sparse.csr_array`` of signed weights, genes x kept sets.
    coverage
        One row for each set, kept or not: ``genes`` in the set, ``found`` among them, the share ``coverage`` and the
        share of absolute weight ``weight_coverage``.
    dropped
        Why each other set was left out.
    """

    names: tuple[str, ...]
    weights: Any
    coverage: pd.DataFrame
    dropped: dict[str, str]


def match_sets_to_genes(
    sets: Iterable[GeneSet], genes: Sequence[str], *, min_genes: int, min_coverage: float
) -> Membership:
    """Match gene sets to the genes of an expression matrix.

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
    rows_of = {str(gene): index for index, gene in enumerate(genes)}
    _check_unique([gene_set.name for gene_set in sets], "gene sets", "Name each set differently.")
    if len(rows_of) < len(genes):
        _check_unique([str(gene) for gene in genes], "genes of the expression", "Keep one row for each gene.")
    sizes = np.array([len(gene_set.up) + len(gene_set.down) for gene_set in sets], dtype=np.int64)
    of_set = np.repeat(np.arange(len(sets)), sizes)
    listed = chain.from_iterable(chain(gene_set.up, gene_set.down) for gene_set in sets)
    # Half as wide as the default: a product reads as many positions as there are members.
    rows = np.fromiter(map(rows_of.get, listed, repeat(-1)), dtype=np.int32, count=len(of_set))
    weights = np.concatenate([_signed_weights(gene_set) for gene_set in sets]) if sets else np.empty(0)
    present = rows >= 0
    coverage = _coverage(sets, of_set, weights, present)
    dropped = _reasons(sets, coverage, of_set[present], weights[present], min_genes, min_coverage)
    is_kept = np.array([gene_set.name not in dropped for gene_set in sets], dtype=bool)
    if not is_kept.any():
        raise FeatureError(_no_set_message(sets, list(rows_of), int(present.sum()), dropped))
    used = present & is_kept[of_set]
    ends = np.cumsum(np.bincount(of_set[used], minlength=len(sets))[is_kept])
    # Genes are already grouped by set, which is what a table compressed by column holds.
    by_set = (weights[used], rows[used], np.concatenate(([0], ends)).astype(np.int32))
    table = sparse.csc_array(by_set, shape=(len(genes), int(is_kept.sum()))).tocsr()
    names = tuple(gene_set.name for gene_set in sets if gene_set.name not in dropped)
    return Membership(names, table, coverage, dropped)


def _coverage(sets: Sequence[GeneSet], of_set: Integers, weights: Floats, present: Flags) -> pd.DataFrame:
    both = np.array([len(gene_set.both_sides) for gene_set in sets], dtype=np.int64)
    n_listed = np.bincount(of_set, minlength=len(sets)) + both
    n_found = np.bincount(of_set[present], minlength=len(sets))
    # A gene on both sides has no weight of its own; it counts as a missing gene of weight 1.
    total = np.bincount(of_set, weights=np.abs(weights), minlength=len(sets)) + both
    weight_found = np.bincount(of_set[present], weights=np.abs(weights[present]), minlength=len(sets))
    return pd.DataFrame(
        {"genes": n_listed, "found": n_found, "coverage": n_found / n_listed, "weight_coverage": weight_found / total},
        index=pd.Index([gene_set.name for gene_set in sets], name="signature"),
    )


def _reasons(
    sets: Sequence[GeneSet],
    coverage: pd.DataFrame,
    of_set: Integers,
    weights: Floats,
    min_genes: int,
    min_coverage: float,
) -> dict[str, str]:
    """Return why each set that cannot be kept is left out; ``of_set`` and ``weights`` are those of the genes found."""
    ups = np.bincount(of_set[weights > 0], minlength=len(sets))
    downs = np.bincount(of_set[weights < 0], minlength=len(sets))
    table = zip(sets, coverage["genes"], coverage["found"], coverage["coverage"], ups, downs, strict=True)
    reasons = {}
    for gene_set, n_listed, n_found, share, up, down in table:
        if n_found < min_genes or n_found == 0:
            reasons[gene_set.name] = f"{n_found} of {n_listed} genes found, {max(min_genes, 1)} needed"
        elif share < min_coverage:
            reasons[gene_set.name] = f"{n_found} of {n_listed} genes found ({share:.0%}), {min_coverage:.0%} needed"
        elif (gene_set.up and up == 0) or (gene_set.down and down == 0):
            side = "up" if up == 0 else "down"
            reasons[gene_set.name] = f"none of its {len(gene_set.up if up == 0 else gene_set.down)} {side} genes found"
    return reasons


def _no_set_message(sets: Sequence[GeneSet], genes: list[str], n_found: int, dropped: dict[str, str]) -> str:
    listed = list(dict.fromkeys(chain.from_iterable((*gene_set.up, *gene_set.down) for gene_set in sets)))
    if not listed:
        return "There is no gene set. Give at least one."
    sides = (
        f"Sets name genes such as {list_names(listed, quote='')}; the expression has {list_names(genes, quote='')}. "
        "Names are matched exactly, case included."
    )
    if n_found:
        reasons = "; ".join(f"'{name}': {reason}" for name, reason in list(dropped.items())[:_SHOWN])
        return (
            f"None of the {len(sets)} gene sets has enough of its genes among the {len(genes)} of the expression "
            f"({reasons}). {sides} Check species and annotation, map the identifiers, or ask for fewer genes."
        )
    lower = {gene.lower() for gene in genes}
    differing = sum(gene.lower() in lower for gene in listed)
    hint = (
        f"{differing} would match if case were ignored, which usually means another species: use a table of orthologs."
        if differing
        else "The kinds of identifier differ: translate the sets by a mapping table, for instance symbol to Entrez id."
    )
    return (
        f"None of the {len(listed)} gene ids in {len(sets)} gene sets is among the {len(genes)} genes of the "
        f"expression. {sides} {hint}"
    )


def _signed_weights(gene_set: GeneSet) -> Floats:
    up, down = (
        np.ones(len(genes)) if weights is None else np.asarray(weights, dtype=np.float64)
        for genes, weights in ((gene_set.up, gene_set.up_weights), (gene_set.down, gene_set.down_weights))
    )
    return np.concatenate((up, -down))


def _check_unique(names: list[str], what: str, remedy: str) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise FeatureError(f"Among the {what} {list_names(repeated, quote='')} occur more than once. {remedy}")
