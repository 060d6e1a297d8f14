"""What has been published about single genes, and markers of cell types, sex, regions and contamination.

Every row names its source and how certain it is: ``S``, the cited page says so; ``M``, recalled and not confirmed.

Markers of cell types, by region of the mouse brain, are NeuroExpresso's (``gene_facts/neuroexpresso.tsv``: the combined lists
of PavlidisLab/markerGeneProfile at 66b3bc7e2e5e, licence MIT; five regions, without states of microglia). Human names are by rule:
the mouse's in capitals, where NCBI knows these as a symbol or as an alias of one (r-bioc-org.hs.eg.db 3.16.0); no table of
orthologs was at hand. Rat names are those of the mouse.

References
----------
Mancarci BO et al. (2017) Cross-laboratory analysis of brain cell type transcriptomes with applications to interpretation of
bulk tissue data. eNeuro 4(6). doi:10.1523/ENEURO.0212-17.2017
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import pandas as pd

from responder_ml.cohort.known_genes import EARLY, ON_Y, SILENCED_X, known_genes
from responder_ml.errors import FeatureError
from responder_ml.features.gene_sets import GeneSet
from responder_ml.registry import did_you_mean

_NEUROEXPRESSO = "https://doi.org/10.1523/ENEURO.0212-17.2017"
_WHOLE_BRAIN = "All"
_COLUMNS = ["set", "kind", "gene", "species", "source", "certainty"]
_REGION_WORDS = {
    "Cortex": {
        "cortex",
        "pfc",
        "mpfc",
        "dlpfc",
        "ofc",
        "acc",
        "ai",
        "cg",
        "insula",
        "prefrontal",
        "cingulate",
        "cortical",
        "ctx",
    },
    "Striatum": {"striatum", "nac", "na", "accumbens", "caudate", "putamen"},
    "Hippocampus": {
        "hippocampus",
        "hip",
        "hpc",
        "hippocampal",
        "dg",
        "ca",
        "subiculum",
        "sub",
        "dentate",
        "vhip",
        "dhip",
    },
    "Amygdala": {"amygdala", "amy", "bla", "cea"},
}
_OWN_CELLS = {"Striatum": "Spiny", "Cortex": "Pyramidal", "Hippocampus": "DentateGranule"}
# Names that features of models have had.
_CELL_NAMES = {"Oligo": "oligodendrocyte", "OligoPrecursors": "oligodendrocyte_precursor", "Endothelial": "endothelium"}


def gene_facts() -> pd.DataFrame:
    """Return published facts about genes in stress resilience and antidepressant response.

    Returns
    -------
    Columns ``gene``, ``species``, ``direction``, ``role``, ``region``, ``source`` and ``certainty``, all text. A
    direction that the source does not give is ``unstated``. One gene can have several rows, with opposite directions in
    two regions.
    """
    return _read("gene_facts.tsv").copy()


def markers() -> pd.DataFrame:
    """Return marker genes.

    Returns
    -------
    Columns ``set``, ``kind`` (``cell_type``, ``immediate_early``, ``sex``, ``region`` or ``contamination``), ``gene``,
    ``species``, ``source`` and ``certainty``, all text.
    """
    return pd.concat([_cell_types(), _known_groups(), _region_markers(), _read("markers.tsv")], ignore_index=True)


def cell_type_sets(region: str | None, species: str) -> tuple[GeneSet, ...]:
    """Return NeuroExpresso's markers of cell types in a region of the brain.

    Parameters
    ----------
    region
        As in a sample sheet, such as ``PFC`` or ``nucleus accumbens``; markers over the whole brain where it is None, or none of
        cortex, striatum, hippocampus and amygdala.
    species
        ``mouse`` (and rat) or ``human``.
    """
    table = _neuroexpresso()
    table = table[(table["region"] == brain_region(region)) & (table[species] != "")]
    return tuple(
        GeneSet(str(name), tuple(dict.fromkeys(rows[species]))) for name, rows in table.groupby("cell_type", sort=False)
    )


def brain_region(region: str | None) -> str:
    """Return NeuroExpresso's region for the name of a region, ``All`` where it has none."""
    words = set() if region is None else set(re.findall(r"[a-z]+", region.lower()))
    return next((name for name, known in _REGION_WORDS.items() if words & known), _WHOLE_BRAIN)


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


def _cell_types() -> pd.DataFrame:
    """Return markers over the whole brain, and of the two types that only the lists of cortex have."""
    table = _neuroexpresso()
    of_cortex = (table["region"] == "Cortex") & table["cell_type"].isin(["Endothelial", "OligoPrecursors"])
    table = table[(table["region"] == _WHOLE_BRAIN) | of_cortex]
    names = "cell_" + table["cell_type"].map(lambda name: _CELL_NAMES.get(name, name.lower().replace(" ", "_")))
    return _both_species(table.assign(set=names, kind="cell_type"))


def _region_markers() -> pd.DataFrame:
    """Return markers of the cells that are a region's own, without those that mark other cells elsewhere."""
    table = _neuroexpresso()
    parts = []
    for region, cell_type in _OWN_CELLS.items():
        own = (table["region"] == region) & (table["cell_type"] == cell_type)
        elsewhere = table[(table["region"] != region) & (table["region"] != _WHOLE_BRAIN)]["mouse"]
        parts.append(table[own & ~table["mouse"].isin(elsewhere)].assign(set=f"region_{region.lower()}", kind="region"))
    return _both_species(pd.concat(parts))


def _both_species(table: pd.DataFrame) -> pd.DataFrame:
    human = table[table["human"] != ""]
    return (
        pd.concat(
            [
                table.assign(gene=table["mouse"], species="mouse"),
                human.assign(gene=human["human"], species="human", set=human["set"] + "_human"),
            ]
        )
        .assign(source=_NEUROEXPRESSO, certainty="S")[_COLUMNS]
        .drop_duplicates(["set", "gene"])
    )


def _known_groups() -> pd.DataFrame:
    table = known_genes()
    kinds = table["group"].map({EARLY: "immediate_early"}).fillna("sex")
    names = table["group"].map({EARLY: "immediate_early", SILENCED_X: "sex_female", ON_Y: "sex_male"})
    # The set of mouse genes has had this name before there was one of human genes.
    suffix = ("_" + table["species"]).where((kinds == "sex") | (table["species"] == "human"), "")
    certainty = table["species"].map({"human": "S", "mouse": "M"})
    return table.assign(set=names + suffix, kind=kinds, gene=table["symbol"], certainty=certainty)[_COLUMNS]


def _neuroexpresso() -> pd.DataFrame:
    return _read("neuroexpresso.tsv")


@cache
def _read(name: str) -> pd.DataFrame:
    with (files("responder_ml.features") / "gene_facts" / name).open(encoding="utf-8") as stream:
        return pd.read_csv(stream, sep="\t", dtype=str, keep_default_na=False)
