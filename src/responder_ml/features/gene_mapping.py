"""Gene identifiers of one kind translated to another, by a table the user gives and nothing else."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from responder_ml.errors import FeatureError
from responder_ml.features.gene_sets import GeneSet

Side = tuple[tuple[str, ...], tuple[float, ...] | None]


def read_gene_mapping(path: str | Path) -> dict[str, str]:
    """Read a table of two columns, tab between: an identifier as in the gene sets, the same gene as in the expression.

    The first line is a header. Lines without a second identifier are passed over.

    Raises
    ------
    FeatureError
        The file cannot be read, a line does not have two columns, an identifier has two translations, or nothing is
        left.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()[1:]
    except (OSError, UnicodeDecodeError) as problem:
        raise FeatureError(
            f"A gene mapping cannot be read from {path}: {problem}. Give a tab-separated text file."
        ) from problem
    table: dict[str, str] = {}
    for number, line in enumerate(lines, start=2):
        cells = [cell.strip() for cell in line.split("\t")]
        if not any(cells):
            continue
        if len(cells) != 2 or not cells[0]:
            raise FeatureError(f"{path}, line {number}: found {len(cells)} columns, expected 2 identifiers.")
        source, target = cells
        if target and table.setdefault(source, target) != target:
            raise FeatureError(
                f"{path}, line {number}: '{source}' is both '{table[source]}' and '{target}'. Keep one translation."
            )
    if not table:
        raise FeatureError(f"{path} translates nothing. Give a header and one line for each pair of identifiers.")
    return table


def translate(sets: Iterable[GeneSet], table: Mapping[str, str]) -> tuple[GeneSet, ...]:
    """Return the sets with other gene identifiers.

    An identifier the table does not have stays as it is, and so counts as missing in the coverage. Where two genes of
    one side have the same translation the first is kept with its weight; genes of both sides that meet in one have no
    direction.

    Parameters
    ----------
    sets
        Gene sets.
    table
        Identifier in the sets to identifier in the expression.
    """
    return tuple(_translated(each, table) for each in sets)


def _translated(each: GeneSet, table: Mapping[str, str]) -> GeneSet:
    up, up_weights = _side(each.up, each.up_weights, table, frozenset())
    down, down_weights = _side(each.down, each.down_weights, table, frozenset())
    both = {table.get(gene, gene): None for gene in each.both_sides}
    both |= {gene: None for gene in up if gene in set(down)}
    up, up_weights = _side(up, up_weights, {}, frozenset(both))
    down, down_weights = _side(down, down_weights, {}, frozenset(both))
    return GeneSet(each.name, up, down, up_weights, down_weights, tuple(both))


def _side(
    genes: tuple[str, ...], weights: tuple[float, ...] | None, table: Mapping[str, str], without: frozenset[str]
) -> Side:
    """Translate one side, each gene once, leaving some out."""
    kept: dict[str, float] = {}
    for gene, weight in zip(genes, weights or (1.0,) * len(genes), strict=True):
        target = table.get(gene, gene)
        if target not in without:
            kept.setdefault(target, weight)
    return tuple(kept), None if weights is None else tuple(kept.values())
