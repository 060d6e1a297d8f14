"""A table of gene identifiers that the user names: pairs of an identifier and the gene it stands for."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from responder_ml.cohort.cells import read_cells
from responder_ml.errors import CohortError, GeneNameError
from responder_ml.registry import did_you_mean

_ENSEMBL_VERSION = re.compile(r"(ENS[A-Z]*[GTP]\d{11})\.\d+")
_SEVERAL = re.compile(r"\s*\|\s*")
_NOTHING = frozenset({"", "-", "na", "nan", "null", "none"})


@dataclass(frozen=True)
class GeneTable:
    """Pairs as they stand, several genes to an identifier and several identifiers to a gene included.

    Attributes
    ----------
    genes_of
        Identifier: its genes, each once.
    identifiers_of
        Gene: its identifiers, each once.
    name, sha256
        The file, and its digest.
    columns
        Names of the two columns.
    """

    genes_of: dict[str, tuple[str, ...]]
    identifiers_of: dict[str, tuple[str, ...]]
    name: str
    sha256: str
    columns: tuple[str, str]


def without_version(name: str) -> str:
    """Return an Ensembl identifier without its version, anything else as it is."""
    match = _ENSEMBL_VERSION.fullmatch(name)
    return match[1] if match else name


def read_gene_table(path: Path, identifier: str | None, gene: str | None, *, cut_versions: bool) -> GeneTable:
    """Read the pairs of two columns; a cell may hold several names with ``|`` between.

    Parameters
    ----------
    path
        CSV, TSV (plain or ``.gz``), Parquet or Excel, with a header.
    identifier, gene
        The columns; may be left out of a table of two columns, where they come in this order.
    cut_versions
        Take Ensembl identifiers without their versions.

    Raises
    ------
    GeneNameError
        The file cannot be read, lacks a column, or holds no pair.
    """
    try:
        cells = read_cells(path)
    except CohortError as problem:
        raise GeneNameError(f"The gene table cannot be read: {problem}") from problem
    header = list(cells.header)
    if identifier is None and gene is None and len(header) == 2:
        places = (0, 1)
    else:
        places = (_place(header, identifier, "identifier", path), _place(header, gene, "gene", path))
    clean = without_version if cut_versions else str
    genes: dict[str, dict[str, None]] = {}
    identifiers: dict[str, dict[str, None]] = {}
    for left, right in zip(cells.text(places[0]), cells.text(places[1]), strict=True):
        for name in _names(left):
            for target in _names(right):
                genes.setdefault(clean(name), {})[clean(target)] = None
                identifiers.setdefault(clean(target), {})[clean(name)] = None
    if not genes:
        raise GeneNameError(f"{path.name} pairs no identifier with a gene. Check its columns {header}.")
    return GeneTable(
        {name: tuple(found) for name, found in genes.items()},
        {name: tuple(found) for name, found in identifiers.items()},
        path.name,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        (header[places[0]], header[places[1]]),
    )


def _place(header: list[str], name: str | None, key: str, path: Path) -> int:
    if name is None:
        raise GeneNameError(
            f"{path.name} has {len(header)} columns ({', '.join(header[:10])}). Say which one holds what: `identifier` is the "
            "column with names as in the expression, `gene` the one with names to use."
        )
    if header.count(name) != 1:
        raise GeneNameError(
            f"{path.name} has {header.count(name)} columns '{name}' ({key}). {did_you_mean(name, header)}"
        )
    return header.index(name)


def _names(cell: str) -> Iterator[str]:
    for name in _SEVERAL.split(cell.strip()):
        if name.lower() not in _NOTHING:
            yield name
