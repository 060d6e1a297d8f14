"""Genes that checks look for by name: immediate-early genes, Xist and genes of the Y, in symbols, Ensembl and Entrez ids.

``known_genes.tsv`` holds them for mouse and human. Human symbols and ids are NCBI's and Ensembl's (r-bioc-org.hs.eg.db 3.16.0);
those of the mouse were recalled, and Ensembl ids but Xist's found again in a public table with both. Rat symbols are those of the
mouse; rat ids are not known here.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import pandas as pd

from responder_ml.cohort.gene_ids import kind_of

EARLY, SILENCED_X, ON_Y = "immediate_early", "silenced_x", "y"


@cache
def known_genes() -> pd.DataFrame:
    """Return the table: ``group``, ``species``, ``symbol``, ``entrez``, ``ensembl`` and ``source``, all text."""
    with (files("responder_ml.cohort") / "known_genes.tsv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream, sep="\t", dtype=str, keep_default_na=False)


def find_group(genes: Sequence[str], group: str) -> list[int]:
    """Return the positions of a group's genes among gene names.

    Capitals and versions of Ensembl ids do not matter; a name may join an id and a symbol (``ENSMUSG00000021250_Fos``). Numbers
    are ids only among names that are numbers.

    Parameters
    ----------
    genes
        Names of genes.
    group
        `EARLY`, `SILENCED_X` or `ON_Y`.
    """
    table = known_genes()
    table = table[table["group"] == group]
    identifiers = {name.lower() for column in ("symbol", "entrez", "ensembl") for name in table[column]}
    plain = [_plain(str(name)) for name in genes]
    positions = [position for position, name in enumerate(plain) if name in identifiers]
    numbers_are_ids = any(plain[position].isdigit() for position in positions) and kind_of(genes) == "entrez"
    return [position for position in positions if numbers_are_ids or not plain[position].isdigit()]


def _plain(name: str) -> str:
    name = name.lower()
    return name.replace("|", "_").split("_")[0].split(".")[0] if name.startswith("ens") else name
