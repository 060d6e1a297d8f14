"""A table's genes matched to a model's training genes, with what is missing counted.

Genes are matched by exact name: no case is changed, no version is cut off, no ortholog is assumed. Genes of the table that
the model does not know are dropped before anything is computed, so a wider table cannot change a number.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Strings
from responder_ml.cohort.gene_ids import kind_of
from responder_ml.cohort.missing_values import MOST_GAPS
from responder_ml.cohort.units import check_units, convert_units
from responder_ml.errors import CoverageError, ExpressionError, GeneNameError, list_names

GeneShares = Mapping[str, tuple[Strings, Floats]]
"""For each feature: the genes it is made of, and each gene's signed share of it."""

LEAST_WEIGHT = 0.8
"""Least share of the gene weight of a model's features that a table must have."""
LEAST_GENES = 0.5
"""Least share of the training genes; library sizes and within-sample ranks depend on them."""


@dataclass(frozen=True)
class Coverage:
    """How much of what a model needs a table has.

    Attributes
    ----------
    features
        For each feature, the share of its gene weight that is present, 0 to 1.
    weight
        The mean over all features, each weighted by what it counts in the model.
    genes
        Share of the training genes that are present.
    missing
        Genes of the features that the table lacks, those with the largest weight first.
    """

    features: dict[str, float]
    weight: float
    genes: float
    missing: tuple[str, ...]


@dataclass(frozen=True)
class MatchedGenes:
    """A table's genes matched to a model's.

    Attributes
    ----------
    genes
        The model's training genes in order, shape ``(n_genes,)``.
    is_present
        Whether the table has each gene, shape ``(n_genes,)``.
    columns
        Position in the table of each gene that is present, in the model's order.
    coverage
        The share of the model that these genes cover.
    """

    genes: Strings
    is_present: Flags
    columns: Indices
    coverage: Coverage

    def insert_missing(self, values: Floats) -> Floats:
        """Return samples x training genes from samples x genes present, with not-a-number where a gene is missing."""
        if self.is_present.all():
            return values
        complete = np.full((len(values), len(self.is_present)), np.nan)
        complete[:, self.is_present] = values
        return complete


def match_genes(
    names: Sequence[str],
    genes: Sequence[str],
    gene_shares: GeneShares,
    *,
    feature_weight: Mapping[str, float] | None = None,
    least_weight: float = LEAST_WEIGHT,
    least_genes: float = LEAST_GENES,
) -> MatchedGenes:
    """Find a model's genes among a table's.

    Parameters
    ----------
    names
        The table's genes.
    genes
        The model's training genes, in order.
    gene_shares
        Genes of each of the model's features, and each gene's signed share of it.
    feature_weight
        What each feature counts in the model; equal by default.
    least_weight, least_genes
        Shares below which the table is refused.

    Raises
    ------
    CoverageError
        The table has too few of the genes.
    GeneNameError
        A gene that the model needs occurs more than once.
    """
    training_genes = np.asarray(genes, dtype=str)
    _check_unique(names, training_genes)
    column_of = {name: column for column, name in enumerate(names)}
    columns = np.array([column_of.get(gene, -1) for gene in training_genes.tolist()], dtype=np.intp)
    is_present = columns >= 0
    coverage = measure_coverage(training_genes.tolist(), is_present, gene_shares, feature_weight)
    _check_coverage(coverage, training_genes.tolist(), names, least_weight=least_weight, least_genes=least_genes)
    return MatchedGenes(training_genes, is_present, columns[is_present], coverage)


def to_model_units(
    values: Floats,
    matched: MatchedGenes,
    samples: Sequence[str],
    *,
    units: str,
    model_units: str,
    depth: float,
    most_gaps: float = MOST_GAPS,
) -> Floats:
    """Return samples x training genes in the model's units, rows contiguous, not-a-number where a value is missing.

    Parameters
    ----------
    values
        Samples x genes present, in ``units``.
    matched
        From `match_genes`.
    samples
        Sample names, for messages.
    units, model_units, depth
        As for `convert_units`.
    most_gaps
        Largest share of its genes that a sample may lack a value of.

    Raises
    ------
    ExpressionError
        A sample has too many gaps, values are infinite, contradict the units, or cannot be converted to the model's units.
    """
    if not samples:
        raise ExpressionError("The table has no samples. Give at least one.")
    _check_values(values, units, samples, matched.genes[matched.is_present], most_gaps)
    return matched.insert_missing(convert_units(values, units, model_units, depth))


def measure_coverage(
    genes: Sequence[str],
    is_present: Flags,
    gene_shares: GeneShares,
    feature_weight: Mapping[str, float] | None = None,
) -> Coverage:
    """Return which share of its features' genes a model finds in a table.

    Parameters
    ----------
    genes, is_present
        Training genes, and whether the table has each.
    gene_shares, feature_weight
        As for `match_genes`.
    """
    present = {str(gene) for gene, is_there in zip(genes, is_present, strict=True) if is_there}
    shares: dict[str, float] = {}
    missing: dict[str, float] = {}
    weights = {name: 1.0 if feature_weight is None else feature_weight[name] for name in gene_shares}
    total = sum(weights.values())
    for name, (members, signed_shares) in gene_shares.items():
        in_table = np.array([str(member) in present for member in members], dtype=np.bool_)
        size = np.abs(signed_shares)
        shares[name] = float(size[in_table].sum() / size.sum())
        for member, share in zip(members[~in_table], size[~in_table], strict=True):
            missing[str(member)] = missing.get(str(member), 0.0) + weights[name] * float(share)
    overall = sum(weights[name] * share for name, share in shares.items()) / total if total > 0 else 1.0
    by_weight = tuple(sorted(missing, key=lambda gene: (-missing[gene], gene)))
    return Coverage(shares, float(overall), float(is_present.mean()), by_weight)


def _check_coverage(
    coverage: Coverage, genes: Sequence[str], names: Sequence[str], *, least_weight: float, least_genes: float
) -> None:
    """Refuse a table that lacks too much: how much, the first five genes, and why the names may not match."""
    if coverage.weight >= least_weight and coverage.genes >= least_genes:
        return
    known = set(names)
    missing = list(coverage.missing) or [gene for gene in genes if gene not in known]
    raise CoverageError(
        f"The table has {coverage.genes:.0%} of the model's {len(genes)} training genes and {coverage.weight:.0%} of "
        f"the gene weight of its features; {least_genes:.0%} and {least_weight:.0%} are needed. "
        f"{len(coverage.missing)} gene(s) of the features are missing; not found: {list_names(missing)}. "
        f"{_explain_mismatch(genes, names)}"
    )


def _check_unique(names: Sequence[str], genes: Strings) -> None:
    counts = Counter(names)
    repeated = [str(gene) for gene in genes if counts[str(gene)] > 1]
    if repeated:
        raise GeneNameError(
            f"{len(repeated)} gene(s) of the model occur more than once in the table: {list_names(repeated)}. "
            "Keep one row for each gene."
        )


def _check_values(values: Floats, units: str, samples: Sequence[str], genes: Strings, most_gaps: float) -> None:
    is_missing = np.isnan(values)
    share = is_missing.mean(axis=1) if values.shape[1] else np.zeros(len(values))
    worst = int(np.argmax(share)) if len(share) else 0
    if np.isinf(values).any() or (len(share) and share[worst] > most_gaps):
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise ExpressionError(
            f"{int((~np.isfinite(values)).sum())} value(s) are empty or not finite (first: gene '{genes[column]}', sample "
            f"'{samples[row]}'; most in sample '{samples[worst]}', {share[worst]:.0%} of the model's genes, of which "
            f"{most_gaps:.0%} may be missing). Remove the gene, which then counts as missing, or the sample."
        )
    if is_missing.any():
        # A gap contradicts no unit: what is checked in its place is an ordinary value of the sample.
        values = np.where(is_missing, np.nanmedian(values, axis=1)[:, None], values)
        values = np.rint(values) if units == "counts" and not np.any(values[~is_missing] % 1) else values
    check_units(values, units, samples=samples, genes=genes.tolist())


def _explain_mismatch(genes: Sequence[str], names: Sequence[str]) -> str:
    """Say why names may not match; nothing is matched by it."""
    known = set(names)
    unmatched = [gene for gene in genes if gene not in known]
    model_kind, table_kind = kind_of(genes), kind_of(names)
    if model_kind != table_kind:
        return f"The model uses {model_kind} names, the table {table_kind} names: map them first."
    bare = {name.split(".")[0] for name in known}
    if model_kind == "ensembl" and 2 * sum(gene.split(".")[0] in bare for gene in unmatched) > len(unmatched):
        return "The names differ by Ensembl version only: cut the part after the dot on both sides, or use one release."
    lower = {name.lower() for name in known}
    if 2 * sum(gene.lower() in lower for gene in unmatched) > len(unmatched):
        return "Most names differ by case only: another species' symbols need an ortholog table, not another case."
    return "Check that the table is of the same species, annotation and gene identifiers."
