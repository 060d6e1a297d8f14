"""A stranger's expression in a model's gene order, with what is missing counted and never papered over.

Genes are matched by exact name: no case is changed, no version cut off, no ortholog assumed. Whatever the table has
beyond the model's genes is dropped before anything is computed, so a wider table cannot change a number.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags, Floats, Indices, Strings
from responder_ml.cohort.gene_ids import kind_of
from responder_ml.cohort.units import check_units, convert_units
from responder_ml.errors import CoverageError, ExpressionError, GeneNameError, list_names

Behind = Mapping[str, tuple[Strings, Floats]]

LEAST_WEIGHT = 0.8
"""Least share of the gene weight behind a model's features that a table must have."""
LEAST_GENES = 0.5
"""Least share of the training genes, which library sizes and within-sample ranks rest on."""


@dataclass(frozen=True)
class Coverage:
    """How much of what a model needs a table has.

    Attributes
    ----------
    features
        For each feature, the share of its gene weight present, 0 to 1.
    weight
        The same over all features, each weighing what it does in the model.
    genes
        Share of the training genes present.
    missing
        Genes behind features that the table lacks, those that weigh most first.
    """

    features: dict[str, float]
    weight: float
    genes: float
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Matched:
    """A table's gene axis held against a model's.

    Attributes
    ----------
    genes
        The model's training genes, in order.
    found
        Whether the table has each, shape ``(n_genes,)``.
    place
        Where the found ones stand in the table, in the model's order.
    coverage
        What that amounts to.
    """

    genes: Strings
    found: Flags
    place: Indices
    coverage: Coverage

    def spread(self, present: Floats) -> Floats:
        """Return samples x training genes from samples x found genes, with not-a-number where a gene is missing."""
        if self.found.all():
            return present
        values = np.full((len(present), len(self.found)), np.nan)
        values[:, self.found] = present
        return values


@dataclass(frozen=True)
class Aligned:
    """Samples in a model's gene order and units.

    Attributes
    ----------
    samples
        Sample names.
    values
        Samples x the model's genes, in its units, rows contiguous; not-a-number throughout where a gene is missing.
    found
        Whether the table has each gene, shape ``(n_genes,)``.
    coverage
        What that amounts to.
    """

    samples: tuple[str, ...]
    values: Floats
    found: Flags
    coverage: Coverage


def align(
    expression: pd.DataFrame,
    genes: Sequence[str],
    behind: Behind,
    *,
    units: str,
    wanted_units: str,
    depth: float = 0.0,
    feature_weight: Mapping[str, float] | None = None,
    least_weight: float = LEAST_WEIGHT,
    least_genes: float = LEAST_GENES,
) -> Aligned:
    """Bring a table into a model's gene order and units.

    Parameters
    ----------
    expression
        Samples x genes in ``units``.
    genes, behind, feature_weight, least_weight, least_genes
        As for `match_genes`.
    units, wanted_units, depth
        As for `convert_units`.

    Raises
    ------
    CoverageError, GeneNameError, ExpressionError
        As `match_genes` and `to_model_units` do.
    """
    matched = match_genes(
        expression.columns.astype(str).tolist(),
        genes,
        behind,
        feature_weight=feature_weight,
        least_weight=least_weight,
        least_genes=least_genes,
    )
    samples = tuple(str(sample) for sample in expression.index)
    present = np.ascontiguousarray(expression.to_numpy()[:, matched.place], dtype=np.float64)
    values = to_model_units(present, matched, samples, units=units, wanted_units=wanted_units, depth=depth)
    return Aligned(samples, values, matched.found, matched.coverage)


def match_genes(
    names: Sequence[str],
    genes: Sequence[str],
    behind: Behind,
    *,
    feature_weight: Mapping[str, float] | None = None,
    least_weight: float = LEAST_WEIGHT,
    least_genes: float = LEAST_GENES,
) -> Matched:
    """Find a model's genes among a table's.

    Parameters
    ----------
    names
        The table's genes.
    genes
        The model's training genes, in order.
    behind
        The genes behind each of the model's features and each gene's signed share of it.
    feature_weight
        What each feature weighs in the model; equal by default.
    least_weight, least_genes
        Shares below which the table is refused.

    Raises
    ------
    CoverageError
        Too few of the genes are there.
    GeneNameError
        A gene the model needs occurs more than once.
    """
    wanted = np.asarray(genes, dtype=str)
    _check_unique(names, wanted)
    where = {name: position for position, name in enumerate(names)}
    place = np.array([where.get(gene, -1) for gene in wanted.tolist()], dtype=np.intp)
    found = place >= 0
    coverage = measure_coverage(wanted.tolist(), found, behind, feature_weight)
    check_coverage(coverage, wanted.tolist(), names, least_weight=least_weight, least_genes=least_genes)
    return Matched(wanted, found, place[found], coverage)


def to_model_units(
    present: Floats, matched: Matched, samples: Sequence[str], *, units: str, wanted_units: str, depth: float
) -> Floats:
    """Return samples x training genes in the model's units, rows contiguous, not-a-number where a gene is missing.

    Parameters
    ----------
    present
        Samples x found genes in ``units``.
    matched
        From `match_genes`.
    samples
        Sample names, for messages.
    units, wanted_units, depth
        As for `convert_units`.

    Raises
    ------
    ExpressionError
        Values are not finite, contradict the units, or the units cannot be brought to the model's.
    """
    if not samples:
        raise ExpressionError("The table has no samples. Give at least one.")
    _check_values(present, units, samples, matched.genes[matched.found])
    return matched.spread(convert_units(present, units, wanted_units, depth))


def measure_coverage(
    genes: Sequence[str],
    found: Flags,
    behind: Behind,
    feature_weight: Mapping[str, float] | None = None,
) -> Coverage:
    """Weigh what is there against what the features rest on.

    Parameters
    ----------
    genes, found
        Training genes and whether the table has each.
    behind, feature_weight
        As for `align`.
    """
    present = {str(gene) for gene, there in zip(genes, found, strict=True) if there}
    shares: dict[str, float] = {}
    lost: dict[str, float] = {}
    weights = {name: 1.0 if feature_weight is None else feature_weight[name] for name in behind}
    total = sum(weights.values())
    for name, (members, parts) in behind.items():
        there = np.array([str(member) in present for member in members], dtype=np.bool_)
        size = np.abs(parts)
        shares[name] = float(size[there].sum() / size.sum())
        for member, part in zip(members[~there], size[~there], strict=True):
            lost[str(member)] = lost.get(str(member), 0.0) + weights[name] * float(part)
    overall = sum(weights[name] * share for name, share in shares.items()) / total if total > 0 else 1.0
    missing = tuple(sorted(lost, key=lambda gene: (-lost[gene], gene)))
    return Coverage(shares, float(overall), float(found.mean()), missing)


def check_coverage(
    coverage: Coverage, genes: Sequence[str], names: Sequence[str], *, least_weight: float, least_genes: float
) -> None:
    """Refuse a table that lacks too much.

    Parameters
    ----------
    genes
        Training genes.
    names
        The table's genes.

    Raises
    ------
    CoverageError
        With how many are missing, the first five, and why the names may not match.
    """
    if coverage.weight >= least_weight and coverage.genes >= least_genes:
        return
    known = set(names)
    missing = list(coverage.missing) or [gene for gene in genes if gene not in known]
    raise CoverageError(
        f"The table has {coverage.genes:.0%} of the model's {len(genes)} training genes and {coverage.weight:.0%} of "
        f"the gene weight behind its features; {least_genes:.0%} and {least_weight:.0%} are needed. "
        f"{len(coverage.missing)} gene(s) behind features are missing; not found: {list_names(missing)}. {_hint(genes, names)}"
    )


def _check_unique(names: Sequence[str], genes: Strings) -> None:
    counted = Counter(names)
    repeated = [str(gene) for gene in genes if counted[str(gene)] > 1]
    if repeated:
        raise GeneNameError(
            f"{len(repeated)} gene(s) of the model occur more than once in the table: {list_names(repeated)}. "
            "Keep one row for each gene."
        )


def _check_values(values: Floats, units: str, samples: Sequence[str], genes: Strings) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ExpressionError(
            f"{int((~finite).sum())} value(s) are empty or not finite (first: gene '{genes[column]}', sample "
            f"'{samples[row]}'). Remove the gene, which counts as missing, or the sample."
        )
    check_units(values, units, samples=samples, genes=genes.tolist())


def _hint(genes: Sequence[str], names: Sequence[str]) -> str:
    """Say why names may not match; nothing is matched by it."""
    known = set(names)
    unmatched = [gene for gene in genes if gene not in known]
    wanted, given = kind_of(genes), kind_of(names)
    if wanted != given:
        return f"The model uses {wanted} names, the table {given} names: map them first."
    bare = {name.split(".")[0] for name in known}
    if wanted == "ensembl" and 2 * sum(gene.split(".")[0] in bare for gene in unmatched) > len(unmatched):
        return "The names differ by Ensembl version only: cut the part after the dot on both sides, or use one release."
    lower = {name.lower() for name in known}
    if 2 * sum(gene.lower() in lower for gene in unmatched) > len(unmatched):
        return "Most names differ by case only: another species' symbols need an ortholog table, not another case."
    return "Check that the table is of the same species, annotation and gene identifiers."
