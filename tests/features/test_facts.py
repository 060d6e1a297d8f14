import pandas as pd
import pytest

from responder_ml.features.facts import brain_region, cell_type_sets, gene_facts, marker_sets, markers
from responder_ml.features.membership import match_sets_to_genes


def test_every_fact_says_where_it_is_from_and_how_sure_it_is():
    facts = gene_facts()
    assert list(facts.columns) == ["gene", "species", "direction", "role", "region", "source", "certainty"]
    assert (facts != "").all(axis=None)
    assert set(facts["certainty"]) == {"S", "M"}
    assert facts.loc[facts["certainty"] == "S", "source"].str.startswith(("http://", "https://")).all()
    assert not facts.loc[facts["certainty"] == "M", "source"].str.startswith("http").any()
    assert not facts.duplicated().any()


def test_directions_belong_to_a_region():
    fosb = gene_facts().query("gene == 'Fosb'").set_index("region")["direction"]
    assert fosb.to_dict() == {"mPFC": "induced_in_susceptible", "striatum": "overexpression_pro_resilient"}


def test_the_responder_line_is_given_as_published():
    facts = gene_facts()
    line = facts[facts["role"] == "desipramine, responder line (HA)"]
    assert line.groupby("direction")["gene"].apply(list).to_dict() == {
        "down": ["Npy", "Crhbp"],
        "up": ["Sema3f", "Ntng1", "Gbx2", "Efna5", "Rora", "Slc6a11", "Slc6a9", "Slc17a6"],
    }


def test_markers_are_complete_rows():
    table = markers()
    assert list(table.columns) == ["set", "kind", "gene", "species", "source", "certainty"]
    assert (table != "").all(axis=None)
    assert set(table["kind"]) == {"cell_type", "immediate_early", "sex", "region", "contamination"}
    assert not table.duplicated(["set", "gene"]).any()


def test_marker_sets_are_gene_sets_of_one_species():
    by_name = {marker_set.name: marker_set for marker_set in marker_sets()}
    assert by_name["immediate_early"].up[:3] == ("Fos", "Egr1", "Arc")
    assert by_name["sex_female_human"].up == ("XIST",)
    assert "sex_female_human" not in {marker_set.name for marker_set in marker_sets("mouse")}
    assert {marker_set.name for marker_set in marker_sets("human", ["sex"])} == {"sex_male_human", "sex_female_human"}
    assert by_name["immediate_early_human"].up[:3] == ("FOS", "EGR1", "ARC")
    assert not {marker_set.name for marker_set in marker_sets("mouse")} & {
        marker_set.name for marker_set in marker_sets("human")
    }


def test_marker_sets_lie_over_an_expression():
    sets = {marker_set.name: marker_set.up for marker_set in marker_sets("mouse")}
    laid = match_sets_to_genes(marker_sets("mouse"), ["Xist", *sets["cell_spiny"][:6]], min_genes=1, min_coverage=0.5)
    assert laid.names == ("cell_spiny", "sex_female_mouse")


def test_cell_types_are_those_of_the_region_in_the_names_of_the_species():
    striatum = {markers.name: markers.up for markers in cell_type_sets("NAc", "mouse")}
    assert set(striatum) == {"Astrocyte", "ForebrainCholin", "Microglia", "Oligo", "Spiny"}
    assert "Ppp1r1b" in striatum["Spiny"]
    human = {markers.name: markers.up for markers in cell_type_sets("Nucleus Accumbens (Nac)", "human")}
    assert "PPP1R1B" in human["Spiny"]
    # Renamed since: by its alias.
    assert (
        "SEPTIN5" in {gene for markers in cell_type_sets(None, "human") for gene in markers.up}
        or "SEPTIN4" in human["Oligo"]
    )


@pytest.mark.parametrize(
    ("region", "expected"),
    [("PFC", "Cortex"), ("dlPFC; BA8/9", "Cortex"), ("NA", "Striatum"), ("vHIP", "Hippocampus"), ("CA1", "Hippocampus"),
     ("BLA", "Amygdala"), ("whole blood", "All"), ("nucleus", "All"), (None, "All")],
)  # fmt: skip
def test_regions_go_by_the_names_people_use(region, expected):
    assert brain_region(region) == expected


def test_what_memory_took_for_markers_of_regions_is_not_listed_as_such():
    """Rorb marks astrocytes of the whole brain, though a list from memory had it for cortex."""
    of_region = set(markers().query("kind == 'region'")["gene"])
    assert not of_region & {"Rorb", "Prox1", "Drd2"}


@pytest.mark.shared
def test_markers_are_neuroexpressos(shared_data):
    source = pd.read_csv(
        shared_data / "neuroexpresso_markers" / "mouse_marker_genes_combined.tsv.gz", sep="\t", dtype=str
    )
    source = {(row.cell_type.strip(), row.gene) for row in source[source["region"] == "Amygdala"].itertuples()}
    ours = {(markers.name, gene) for markers in cell_type_sets("BLA", "mouse") for gene in markers.up}
    assert ours == {(cell, gene) for cell, gene in source if not cell.startswith("Microglia_")}
