"""What has been published about single genes, and markers of cell types, sex, regions and contamination.

Every row names its source and how certain it is: ``S``, the cited page says so; ``M``, recalled and not confirmed.
"""

from collections.abc import Sequence
from importlib.resources import files

import pandas as pd

from responder_ml.errors import FeatureError
from responder_ml.features.gene_sets import GeneSet
from responder_ml.registry import did_you_mean


def gene_facts() -> pd.DataFrame:
    """Return published facts about genes in stress resilience and antidepressant response.

    Returns
    -------
    Columns ``gene``, ``species``, ``direction``, ``role``, ``region``, ``source`` and ``certainty``, all text. A
    direction that the source does not give is ``unstated``. One gene can have several rows, with opposite directions in
    two regions.
    """
    return _read("gene_facts.tsv")


def markers() -> pd.DataFrame:
    """Return marker genes.

    Returns
    -------
    Columns ``set``, ``kind`` (``cell_type``, ``immediate_early``, ``sex``, ``region`` or ``contamination``), ``gene``,
    ``species``, ``source`` and ``certainty``, all text.
    """
    return _read("markers.tsv")


def marker_sets(species: str | None = None, kinds: Sequence[str] | None = None) -> tuple[GeneSet, ...]:
    """Return marker genes as one-sided gene sets.

    Parameters
    ----------
    species
        ``mouse`` or ``human``; all if absent. Symbols are those of the species: nothing is translated.
    kinds
        Such as ``cell_type`` or ``immediate_early``; all if absent.

    Raises
    ------
    FeatureError
        A kind that does not exist.
    """
    table = markers()
    known = sorted(set(table["kind"]))
    for kind in kinds or ():
        if kind not in known:
            raise FeatureError(f"There are no markers of kind '{kind}'. {did_you_mean(kind, known)}")
    if species is not None:
        table = table[table["species"] == species]
    if kinds is not None:
        table = table[table["kind"].isin(kinds)]
    return tuple(GeneSet(str(name), tuple(rows["gene"])) for name, rows in table.groupby("set", sort=False))


def _read(name: str) -> pd.DataFrame:
    with (files("responder_ml.features") / "gene_facts" / name).open(encoding="utf-8") as stream:
        return pd.read_csv(stream, sep="\t", dtype=str, keep_default_na=False)
