"""Gene sets translated to the gene identifiers of the expression, by the user's table and nothing else."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from responder_ml.cohort.gene_map import read_gene_map
from responder_ml.errors import FeatureError, GeneNameError
from responder_ml.features.gene_sets import GeneSet

GenesAndWeights = tuple[tuple[str, ...], tuple[float, ...] | None]


def read_one_to_one(path: str | Path) -> dict[str, str]:
    """Read a table of two columns with a header: an identifier as in the gene sets, the same gene as in the expression.

    Identifiers without a gene are passed over.

    Raises
    ------
    FeatureError
        The file cannot be read, does not have two columns, pairs nothing, or gives an identifier two genes.
    """
    try:
        genes_of = read_gene_map(Path(path)).genes_of
    except GeneNameError as problem:
        raise FeatureError(
            f"A gene mapping cannot be read: {problem} A mapping has two columns: an identifier as in the gene "
            "sets, and the same gene as in the expression."
        ) from problem
    for identifier, genes in genes_of.items():
        if len(genes) > 1:
            raise FeatureError(f"{path}: '{identifier}' is both '{genes[0]}' and '{genes[1]}'. Keep one translation.")
    return {identifier: genes[0] for identifier, genes in genes_of.items()}


def translate(sets: Iterable[GeneSet], gene_map: Mapping[str, str]) -> tuple[GeneSet, ...]:
    """Return the sets with other gene identifiers.

    An identifier that the map does not have stays as it is, and so counts as missing in the coverage. Where two genes of
    one side have the same translation the first stays with its weight; genes of both sides that have the same translation
    have no direction.

    Parameters
    ----------
    sets
        Gene sets.
    gene_map
        Identifier in the sets to identifier in the expression.
    """
    return tuple(_translated(gene_set, gene_map) for gene_set in sets)


def _translated(gene_set: GeneSet, gene_map: Mapping[str, str]) -> GeneSet:
    up, up_weights = _side(gene_set.up, gene_set.up_weights, gene_map, frozenset())
    down, down_weights = _side(gene_set.down, gene_set.down_weights, gene_map, frozenset())
    both = {gene_map.get(gene, gene): None for gene in gene_set.both_sides}
    both |= {gene: None for gene in up if gene in set(down)}
    up, up_weights = _side(up, up_weights, {}, frozenset(both))
    down, down_weights = _side(down, down_weights, {}, frozenset(both))
    return GeneSet(gene_set.name, up, down, up_weights, down_weights, tuple(both))


def _side(
    genes: tuple[str, ...], weights: tuple[float, ...] | None, gene_map: Mapping[str, str], without: frozenset[str]
) -> GenesAndWeights:
    """Translate one side, each gene once, without some genes."""
    translated: dict[str, float] = {}
    for gene, weight in zip(genes, weights or (1.0,) * len(genes), strict=True):
        target = gene_map.get(gene, gene)
        if target not in without:
            translated.setdefault(target, weight)
    return tuple(translated), None if weights is None else tuple(translated.values())
