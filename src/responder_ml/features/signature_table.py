"""Weighted signatures from a table: one row for each gene, one column of weights for each signature."""

import csv
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from responder_ml.exceptions import FeatureError
from responder_ml.features.gene_sets import GeneSet

GENE = "gene"
_ABSENT = frozenset({"", "na", "nan", "null", "none"})


def read_signature_table(path: str | Path, n_genes: int) -> tuple[GeneSet, ...]:
    """Read signatures from a tab-separated table with a column ``gene`` and a column of weights for each signature.

    Weights are signed, such as moderated t or log2 fold changes: positive for up genes. An empty cell, ``NA`` or 0 leaves
    the gene out. Of each side the ``n_genes`` genes of largest weight are kept.

    Parameters
    ----------
    path
        The table.
    n_genes
        Genes to keep on each side at most.

    Raises
    ------
    FeatureError
        The file cannot be read, lacks the column, repeats a name, or holds a weight that is not a finite number.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = [row for row in csv.reader(lines, delimiter="\t") if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise FeatureError(
            f"Signatures cannot be read from {path}: {problem}. Give a tab-separated text file."
        ) from problem
    names = [name.strip() for name in header]
    _check(path, names, rows)
    place = names.index(GENE)
    genes = [row[place].strip() for row in rows]
    if len(set(genes)) < len(genes) or "" in genes:
        raise FeatureError(f"{path} lists a gene twice, or a row without a gene. Give each gene one row.")
    found = []
    for column, name in enumerate(names):
        if column != place:
            weights = [_weight(row[column], f"{path}, '{name}' of gene '{row[place]}'") for row in rows]
            found.append(_signature(name, genes, weights, n_genes))
    return tuple(found)


def _check(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if GENE not in names or len(names) < 2 or len(set(names)) < len(names) or not rows:
        raise FeatureError(
            f"{path} needs a column '{GENE}', a column of weights for each signature, each with its own name, and at least "
            f"one gene; found the columns {', '.join(names) or 'none'} and {len(rows)} row(s)."
        )
    short = [number for number, row in enumerate(rows, start=2) if len(row) != len(names)]
    if short:
        raise FeatureError(
            f"{path}, line {short[0]}: {len(names)} cells are expected. Write NA where there is no weight."
        )


def _weight(cell: str, where: str) -> float:
    text = cell.strip()
    if text.lower() in _ABSENT:
        return 0.0
    try:
        weight = float(text)
    except ValueError:
        weight = float("nan")
    if not isfinite(weight):
        raise FeatureError(f"{where} is '{text}', but weights are finite numbers; write NA where there is none.")
    return weight


def _signature(name: str, genes: Sequence[str], weights: Sequence[float], n_genes: int) -> GeneSet:
    sides = []
    for sign in (1.0, -1.0):
        side = [(sign * weight, gene) for gene, weight in zip(genes, weights, strict=True) if sign * weight > 0]
        # Python's sort keeps the table's order among equals.
        sides.append(sorted(side, key=lambda each: -each[0])[:n_genes])
    up, down = sides
    return GeneSet(
        name,
        tuple(gene for _, gene in up),
        tuple(gene for _, gene in down),
        tuple(weight for weight, _ in up) or None,
        tuple(weight for weight, _ in down) or None,
    )
