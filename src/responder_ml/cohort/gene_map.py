"""The user's table of gene identifiers: pairs of an identifier and the gene it stands for."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from responder_ml.cohort.cells import read_cells
from responder_ml.errors import CohortError, GeneNameError
from responder_ml.registry import did_you_mean

_ENSEMBL_VERSION = re.compile(r"(ENS[A-Z]*[GTP]\d{11})\.\d+")
_SEPARATOR = re.compile(r"\s*\|\s*")
_NOTHING = frozenset({"", "-", "na", "nan", "null", "none"})


@dataclass(frozen=True)
class GeneMap:
    """Pairs as the table has them; an identifier may have several genes, and a gene several identifiers.

    Attributes
    ----------
    genes_of
        The genes of each identifier, each once.
    identifiers_of
        The identifiers of each gene, each once.
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


def read_gene_map(
    path: Path, identifier: str | None = None, gene: str | None = None, *, cut_versions: bool = False
) -> GeneMap:
    """Read the pairs of two columns; a cell may hold several names with ``|`` between.

    Parameters
    ----------
    path
        CSV, TSV (plain or ``.gz``), Parquet or Excel, with a header.
    identifier, gene
        Names of the two columns; not needed for a table of two columns in this order.
    cut_versions
        Take Ensembl identifiers without their versions.

    Raises
    ------
    GeneNameError
        The file cannot be read, lacks a column, or pairs nothing.
    """
    try:
        cells = read_cells(path)
    except CohortError as problem:
        raise GeneNameError(f"The gene table cannot be read: {problem}") from problem
    header = list(cells.header)
    if identifier is None and gene is None and len(header) == 2:
        columns = (0, 1)
    else:
        columns = (_column(header, identifier, "identifier", path), _column(header, gene, "gene", path))
    clean = without_version if cut_versions else str
    genes: dict[str, dict[str, None]] = {}
    identifiers: dict[str, dict[str, None]] = {}
    for identifier_cell, gene_cell in zip(cells.text(columns[0]), cells.text(columns[1]), strict=True):
        for name in _names(identifier_cell):
            for target in _names(gene_cell):
                genes.setdefault(clean(name), {})[clean(target)] = None
                identifiers.setdefault(clean(target), {})[clean(name)] = None
    if not genes:
        raise GeneNameError(f"{path.name} pairs no identifier with a gene. Check its columns {header}.")
    return GeneMap(
        {name: tuple(targets) for name, targets in genes.items()},
        {target: tuple(names) for target, names in identifiers.items()},
        path.name,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        (header[columns[0]], header[columns[1]]),
    )


def _column(header: list[str], name: str | None, key: str, path: Path) -> int:
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
    for name in _SEPARATOR.split(cell.strip()):
        if name.lower() not in _NOTHING:
            yield name
