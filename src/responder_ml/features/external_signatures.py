"""Signatures from elsewhere: gene sets of a GMT file, or a published table with one row for each gene.

What is read is never fitted to the cohort and never sees a label. A gene that a table lists twice counts once, by its row of
smallest p (or largest effect); where its rows contradict one another it has no direction and is not used.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path

from responder_ml.cohort.cells import Cells, read_cells
from responder_ml.cohort.gene_ids import damaged_by_excel
from responder_ml.errors import CohortError, FeatureError, list_names
from responder_ml.features.gene_sets import GeneSet, read_gmt, sets_of_names
from responder_ml.registry import did_you_mean

_ABSENT = frozenset({"", "na", "n/a", "nan", "null", "none", "#n/a", "<na>"})
_UP, _DOWN = 1.0, -1.0


@dataclass(frozen=True)
class TableColumns:
    """Which column of a table holds what.

    Attributes
    ----------
    gene
        Column of gene names.
    sets
        Column of the names of gene sets, where the table holds several.
    effect
        Column of signed numbers: log fold change, t or z.
    direction
        Column of words of direction, in place of ``effect``.
    up, down, neither
        Its words for up, for down, and for genes without a direction.
    p
        Column by which genes are chosen, the smallest first.
    at_most
        Genes to use.
    """

    gene: str
    sets: str | None = None
    effect: str | None = None
    direction: str | None = None
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    neither: tuple[str, ...] = ()
    p: str | None = None
    at_most: int | None = None


@dataclass(frozen=True)
class SignatureFile:
    """What one file holds.

    Attributes
    ----------
    sets
        Its signatures.
    notes
        What was left out, and why.
    sha256
        Digest of the file.
    """

    sets: tuple[GeneSet, ...]
    notes: tuple[str, ...] = field(default=())
    sha256: str = ""


@dataclass(frozen=True)
class _Row:
    gene: str
    weight: float
    rank: tuple[float, float]


def read_signature_file(
    path: Path, name: str, columns: TableColumns | None = None, *, drop_damaged: bool = False
) -> SignatureFile:
    """Read a GMT file, or a table whose columns are declared.

    Parameters
    ----------
    path
        The file, plain or packed with gzip.
    name
        Name of the signature, where the file holds one.
    columns
        Columns of a table; a GMT file where None.
    drop_damaged
        Whether gene names that a spreadsheet program turned into dates are left out; they are refused otherwise.

    Raises
    ------
    FeatureError
        The file cannot be read, lacks a column, or holds names or values that are none.
    """
    if not path.is_file():
        raise FeatureError(f"{name}: there is no file {path}. Check its name and the folder it is in.")
    if columns is None:
        sets, notes = _without_damaged(read_gmt(path), path, drop_damaged)
        sets = (replace(sets[0], name=name),) if len(sets) == 1 else sets
    else:
        try:
            cells = read_cells(path)
        except CohortError as problem:
            raise FeatureError(f"{name}: {problem}") from problem
        sets, notes = _read_table(cells, path, name, columns, drop_damaged)
    return SignatureFile(
        tuple(scale_weights(one) for one in sets), tuple(notes), hashlib.sha256(path.read_bytes()).hexdigest()
    )


def is_weighted(gene_set: GeneSet) -> bool:
    """Tell whether genes count by their weights and not by their direction alone."""
    return len(set(_all_weights(gene_set))) > 1


def scale_weights(gene_set: GeneSet) -> GeneSet:
    """Return the set with weights of at most 1; no score depends on their unit. Genes whose weight is then 0 are left out."""
    if gene_set.up_weights is None and gene_set.down_weights is None:
        return gene_set
    largest = max(_all_weights(gene_set))
    up, up_weights = _scaled(gene_set.up, gene_set.up_weights, largest)
    down, down_weights = _scaled(gene_set.down, gene_set.down_weights, largest)
    return replace(gene_set, up=up, down=down, up_weights=up_weights, down_weights=down_weights)


def _all_weights(gene_set: GeneSet) -> tuple[float, ...]:
    up = gene_set.up_weights or (1.0,) * len(gene_set.up)
    down = gene_set.down_weights or (1.0,) * len(gene_set.down)
    return (*up, *down)


def _scaled(
    genes: tuple[str, ...], weights: tuple[float, ...] | None, largest: float
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    scaled = [weight / largest for weight in weights or (1.0,) * len(genes)]
    # Far below the largest, a square would be 0.
    useful = [(gene, weight) for gene, weight in zip(genes, scaled, strict=True) if weight**2 > 0]
    return tuple(gene for gene, _ in useful), tuple(weight for _, weight in useful)


def _read_table(
    cells: Cells, path: Path, name: str, columns: TableColumns, drop_damaged: bool
) -> tuple[tuple[GeneSet, ...], tuple[str, ...]]:
    genes = cells.text(_position(cells, columns.gene, path))
    damaged = _damaged(genes, path, drop_damaged)
    usable = [bool(gene) and gene not in damaged for gene in genes]
    notes = _damage_notes(damaged)
    blank = sum(1 for gene in genes if not gene)
    if blank:
        notes.append(f"{blank} row(s) without a gene were left out.")
    if columns.sets is not None:
        return _grouped(genes, usable, cells.text(_position(cells, columns.sets, path)), path), tuple(notes)
    weights = _weights(cells, path, columns, genes, usable)
    p_values = _p_values(cells, path, columns, genes) if columns.p is not None else [0.0] * len(genes)
    rows = [
        _Row(gene, weight, (p, -abs(weight)))
        for gene, weight, p, is_usable in zip(genes, weights, p_values, usable, strict=True)
        if is_usable and weight != 0
    ]
    rows, both, repeated = _once(rows)
    if repeated:
        notes.append(
            f"{repeated} gene(s) are listed more than once; the row of {'smallest p' if columns.p else 'largest effect'} counts."
        )
    if both:
        notes.append(f"{len(both)} gene(s) are listed with both directions and are not used: {list_names(both)}.")
    if columns.at_most is not None:
        rows = sorted(rows, key=lambda row: row.rank)[: columns.at_most]
    if not rows:
        raise FeatureError(
            f"{name}: no row of {path} has a gene with a direction. Check the columns '{columns.gene}' and "
            f"'{columns.effect or columns.direction or columns.gene}'."
        )
    return (_signature(name, rows, both, weighted=columns.effect is not None),), tuple(notes)


def _grouped(genes: Sequence[str], usable: Sequence[bool], labels: Sequence[str], path: Path) -> tuple[GeneSet, ...]:
    of_set: dict[str, dict[str, None]] = {}
    for gene, label, is_usable in zip(genes, labels, usable, strict=True):
        if is_usable and label:
            of_set.setdefault(label, {})[gene] = None
    if not of_set:
        raise FeatureError(f"{path} names no gene set with a gene. Check the columns of genes and of sets.")
    return sets_of_names({label: tuple(members) for label, members in of_set.items()}, path)


def _position(cells: Cells, column: str, path: Path) -> int:
    header = list(cells.header)
    if header.count(column) != 1:
        raise FeatureError(
            f"{path} has {header.count(column)} columns '{column}'; found {list_names(header, most=10)}. "
            f"{did_you_mean(column, header)}"
        )
    return header.index(column)


def _weights(
    cells: Cells, path: Path, columns: TableColumns, genes: Sequence[str], usable: Sequence[bool]
) -> list[float]:
    """Return the signed weight of every row; 0 where it has no direction."""
    if columns.effect is not None:
        numbers = cells.text(_position(cells, columns.effect, path))
        return [
            _number(text, f"{path}: '{columns.effect}' of gene '{gene}'") or 0.0
            for gene, text in zip(genes, numbers, strict=True)
        ]
    if columns.direction is None:
        return [_UP] * len(genes)
    words = cells.text(_position(cells, columns.direction, path))
    known = {
        **dict.fromkeys(columns.neither, 0.0),
        **dict.fromkeys(columns.up, _UP),
        **dict.fromkeys(columns.down, _DOWN),
    }
    other = [
        word
        for word, is_usable in zip(words, usable, strict=True)
        if is_usable and word not in known and word.lower() not in _ABSENT
    ]
    if other:
        listed = [word for word, _ in Counter(other).most_common()]
        raise FeatureError(
            f"{path}: {len(other)} row(s) have in '{columns.direction}' other words than those declared: {list_names(listed)}. "
            "Name each word under `up`, `down` or `neither`."
        )
    return [known.get(word, 0.0) for word in words]


def _p_values(cells: Cells, path: Path, columns: TableColumns, genes: Sequence[str]) -> list[float]:
    texts = cells.text(_position(cells, str(columns.p), path))
    values = []
    for gene, text in zip(genes, texts, strict=True):
        value = _number(text, f"{path}: '{columns.p}' of gene '{gene}'")
        if value is not None and not 0 <= value <= 1:
            raise FeatureError(
                f"{path}: '{columns.p}' of gene '{gene}' is {text}, but p is between 0 and 1. Check the column."
            )
        # Without a p a gene is chosen last.
        values.append(2.0 if value is None else value)
    return values


def _number(text: str, where: str) -> float | None:
    if text.lower() in _ABSENT:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise FeatureError(f"{where} is '{text}', which is no finite number. Write NA where there is none.")
    return value


def _once(rows: Sequence[_Row]) -> tuple[list[_Row], list[str], int]:
    """Return one row for each gene, the genes whose rows contradict one another, and how many were listed repeatedly."""
    best: dict[str, _Row] = {}
    both: dict[str, None] = {}
    repeated: set[str] = set()
    for row in rows:
        former = best.get(row.gene)
        if former is None:
            best[row.gene] = row
            continue
        repeated.add(row.gene)
        if (former.weight > 0) != (row.weight > 0):
            both[row.gene] = None
        if row.rank < former.rank:
            best[row.gene] = row
    return [row for row in best.values() if row.gene not in both], list(both), len(repeated - set(both))


def _signature(name: str, rows: Sequence[_Row], both: Sequence[str], *, weighted: bool) -> GeneSet:
    up = [row for row in rows if row.weight > 0]
    down = [row for row in rows if row.weight < 0]
    return GeneSet(
        name,
        tuple(row.gene for row in up),
        tuple(row.gene for row in down),
        tuple(row.weight for row in up) if weighted else None,
        tuple(-row.weight for row in down) if weighted else None,
        tuple(both),
    )


def _damaged(genes: Sequence[str], path: Path, drop: bool) -> set[str]:
    damaged = set(damaged_by_excel(genes))
    if damaged and not drop:
        raise FeatureError(
            f"{path}: {len(damaged)} gene name(s) were turned into dates or numbers by a spreadsheet program: "
            f"{list_names(sorted(damaged))}. Take the table from its source, or leave these genes out with `damaged_names: drop`."
        )
    return damaged


def _damage_notes(damaged: set[str]) -> list[str]:
    if not damaged:
        return []
    return [f"{len(damaged)} gene name(s) that a spreadsheet damaged were left out: {list_names(sorted(damaged))}."]


def _without_damaged(sets: Sequence[GeneSet], path: Path, drop: bool) -> tuple[tuple[GeneSet, ...], tuple[str, ...]]:
    damaged = _damaged([gene for one in sets for gene in (*one.up, *one.down, *one.both_sides)], path, drop)
    if not damaged:
        return tuple(sets), ()
    intact = []
    for one in sets:
        up, up_weights = _others(one.up, one.up_weights, damaged)
        down, down_weights = _others(one.down, one.down_weights, damaged)
        if up or down:
            intact.append(replace(one, up=up, down=down, up_weights=up_weights, down_weights=down_weights))
    if not intact:
        raise FeatureError(f"{path}: no gene set has a gene whose name is intact. Take the file from its source.")
    return tuple(intact), tuple(_damage_notes(damaged))


def _others(
    genes: tuple[str, ...], weights: tuple[float, ...] | None, damaged: set[str]
) -> tuple[tuple[str, ...], tuple[float, ...] | None]:
    rows = [index for index, gene in enumerate(genes) if gene not in damaged]
    return tuple(genes[row] for row in rows), None if weights is None else tuple(weights[row] for row in rows)
