"""Gene sets, one-sided or up and down, read from a GMT file or from a table of weights.

The table has one row for each gene and one column of signed weights for each signature.
"""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from responder_ml.cohort.packed_size import LimitedReader
from responder_ml.errors import CohortError, FeatureError, list_names

Side = dict[str, float]

_UP = frozenset({"up", "upregulated"})
_DOWN = frozenset({"dn", "down", "downregulated"})
_SEPARATORS = re.compile(r"([ _.\-]+)")

GENE = "gene"
# Letters of a name in a message: a file that is none has lines of any length.
_SHOWN = 80
_ABSENT = frozenset({"", "na", "nan", "null", "none"})


@dataclass(frozen=True)
class GeneSet:
    """A named signature.

    Attributes
    ----------
    name
        Unique among the sets used together.
    up, down
        Genes expected high, and genes expected low. A set without direction has all its genes in ``up``.
    up_weights, down_weights
        Positive weight of each gene; None where all are 1.
    both_sides
        Genes that the source lists as up and as down. They have no direction and are never scored, but they count as
        missing in the coverage.

    Raises
    ------
    FeatureError
        A set without a name or without genes, a gene listed twice, or weights that do not fit.
    """

    name: str
    up: tuple[str, ...]
    down: tuple[str, ...] = ()
    up_weights: tuple[float, ...] | None = None
    down_weights: tuple[float, ...] | None = None
    both_sides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise FeatureError("A gene set has no name. Give it one.")
        if not self.up and not self.down:
            raise FeatureError(f"Gene set '{self.name}' has no gene with a direction. Give it genes, or leave it out.")
        names = (*self.up, *self.down, *self.both_sides)
        if len(set(names)) < len(names):
            repeated = [gene for gene, count in Counter(names).items() if count > 1]
            raise FeatureError(
                f"Gene set '{self.name}' lists {list_names(repeated)} more than once. List each gene once."
            )
        _check_weights(self.name, self.up, self.up_weights)
        _check_weights(self.name, self.down, self.down_weights)


def read_gmt(path: str | Path) -> tuple[GeneSet, ...]:
    """Read gene sets from a GMT file, plain or packed with gzip: a name, a description and genes on each line, tabs between.

    Two sets whose names differ only in a word of direction (``X_UP`` and ``X_DN``, ``X.up`` and ``X.down``,
    ``X_Upregulated_HC`` and ``X_Downregulated_HC``) are one two-sided set with the name without that word. A set with
    such a word and no partner stays as it is, one-sided.

    A gene may carry a weight, ``Gene,0.7``; without one it weighs 1. In a set without direction a negative weight puts
    the gene on the down side. A gene that a line repeats with the same weight counts once.

    Raises
    ------
    FeatureError
        The file cannot be read, is empty, names a set twice, has a line without genes, or weights that contradict.
    """
    path = Path(path)
    try:
        lines = _text_of(path).splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, CohortError) as problem:
        raise FeatureError(
            f"Gene sets cannot be read from {path}: {problem}. Give a text file in GMT format."
        ) from problem
    sides: dict[str, Side] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            name, side = _read_line(line, f"{path}, line {number}")
            if name in sides:
                raise FeatureError(
                    f"{path}, line {number}: there is a set '{name}' already. Give each set its own name."
                )
            sides[name] = side
    if not sides:
        raise FeatureError(
            f"{path} has no gene set. Give one line for each: name, description and genes, tabs between."
        )
    return tuple(_build_sets(sides, path))


def sets_of_names(genes_of: Mapping[str, Sequence[str]], path: Path) -> tuple[GeneSet, ...]:
    """Return the sets that some names and their genes make; names of two sides are paired as in a GMT file.

    Parameters
    ----------
    genes_of
        Genes of each name.
    path
        Where they come from, for messages.

    Raises
    ------
    FeatureError
        It is not clear which names make a pair.
    """
    return tuple(_build_sets({name: dict.fromkeys(genes, 1.0) for name, genes in genes_of.items()}, path))


def _text_of(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise OSError("it is not a file")
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if not packed:
        return path.read_text(encoding="utf-8-sig")
    with io.BufferedReader(LimitedReader(path, gzip.open(path))) as unpacked:
        return unpacked.read().decode("utf-8-sig")


def _read_line(line: str, where: str) -> tuple[str, Side]:
    name, *rest = line.split("\t")
    name = name.strip()
    tokens = [token.strip() for token in rest[1:] if token.strip()]
    if not name or not tokens:
        raise FeatureError(
            f"{where}: set '{name[:_SHOWN]}' has no genes. Give name, description and genes, with tabs between."
        )
    side: Side = {}
    for token in tokens:
        gene, weight = _read_gene(token)
        if not gene or not np.isfinite(weight) or weight == 0:
            raise FeatureError(
                f"{where}: '{token[:_SHOWN]}' is not a gene with a weight. Weights are finite and not 0."
            )
        if side.setdefault(gene, weight) != weight:
            raise FeatureError(f"{where}: gene '{gene[:_SHOWN]}' has weights {side[gene]} and {weight}. Give one.")
    return name, side


def _read_gene(token: str) -> tuple[str, float]:
    gene, comma, weight = token.rpartition(",")
    if not comma:
        return token, 1.0
    try:
        return gene.strip(), float(weight)
    except ValueError:
        return token, 1.0


def _build_sets(sides: dict[str, Side], path: Path) -> Iterable[GeneSet]:
    """Yield sets in the order of the file, a pair at the position of its first half."""
    halves: dict[str, dict[bool, list[str]]] = {}
    for name in sides:
        direction = _direction(name)
        if direction is not None:
            halves.setdefault(direction[0], {True: [], False: []})[direction[1]].append(name)
    yielded = set()
    for name, side in sides.items():
        direction = _direction(name)
        half = halves[direction[0]] if direction is not None else {True: [], False: []}
        if direction is None or not half[True] or not half[False]:
            yield _one_set(name, side)
        elif direction[0] not in yielded:
            yielded.add(direction[0])
            if len(half[True]) > 1 or len(half[False]) > 1 or direction[0] in sides:
                candidates = ", ".join(f"'{candidate}'" for candidate in (*half[True], *half[False]))
                raise FeatureError(
                    f"{path}: it is not clear which sets make the pair '{direction[0]}' ({candidates}). "
                    "Rename the sets that are not part of it."
                )
            yield _pair(direction[0], sides[half[True][0]], sides[half[False][0]])


def _direction(name: str) -> tuple[str, bool] | None:
    """Return the name without its last word of direction and whether that was up; None if there is none."""
    parts = _SEPARATORS.split(name)
    for index in range(len(parts) - 1, 0, -1):
        word = parts[index].lower()
        if word in _UP or word in _DOWN:
            # The separator before the word is dropped with it.
            return "".join(parts[: index - 1] + parts[index + 1 :]), word in _UP
    return None


def _one_set(name: str, side: Side) -> GeneSet:
    up = {gene: weight for gene, weight in side.items() if weight > 0}
    down = {gene: -weight for gene, weight in side.items() if weight < 0}
    return GeneSet(name, tuple(up), tuple(down), _weights(up), _weights(down))


def _pair(name: str, up: Side, down: Side) -> GeneSet:
    negative = [gene for side in (up, down) for gene, weight in side.items() if weight < 0]
    if negative:
        raise FeatureError(
            f"Set '{name}' has an up and a down side, and negative weights for {list_names(negative)}. "
            "Give positive ones: the side gives the sign."
        )
    both = tuple(gene for gene in up if gene in down)
    up = {gene: weight for gene, weight in up.items() if gene not in both}
    down = {gene: weight for gene, weight in down.items() if gene not in both}
    return GeneSet(name, tuple(up), tuple(down), _weights(up), _weights(down), both)


def _weights(side: Side) -> tuple[float, ...] | None:
    return None if all(weight == 1.0 for weight in side.values()) else tuple(side.values())


def _check_weights(name: str, genes: tuple[str, ...], weights: tuple[float, ...] | None) -> None:
    if weights is None:
        return
    if len(weights) != len(genes):
        raise FeatureError(
            f"Gene set '{name}' has {len(weights)} weights for {len(genes)} genes. Give one for each gene."
        )
    if not all(np.isfinite(weight) and weight > 0 for weight in weights):
        raise FeatureError(f"Gene set '{name}' has weights that are not positive numbers. The side gives the sign.")


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
    gene_column = names.index(GENE)
    genes = [row[gene_column].strip() for row in rows]
    if len(set(genes)) < len(genes) or "" in genes:
        raise FeatureError(f"{path} lists a gene twice, or a row without a gene. Give each gene one row.")
    signatures = []
    for column, name in enumerate(names):
        if column != gene_column:
            weights = [_weight(row[column], f"{path}, '{name}' of gene '{row[gene_column]}'") for row in rows]
            signatures.append(_signature(name, genes, weights, n_genes))
    return tuple(signatures)


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
        sides.append(sorted(side, key=lambda pair: -pair[0])[:n_genes])
    up, down = sides
    return GeneSet(
        name,
        tuple(gene for _, gene in up),
        tuple(gene for _, gene in down),
        tuple(weight for weight, _ in up) or None,
        tuple(weight for weight, _ in down) or None,
    )
