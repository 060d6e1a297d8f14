from responder_ml.features.facts import gene_facts, marker_sets, markers
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
    assert by_name["sex_female_human"].up == ("XIST", "TSIX")
    assert "sex_female_human" not in {marker_set.name for marker_set in marker_sets("mouse")}
    assert {marker_set.name for marker_set in marker_sets("human")} == {"sex_male_human", "sex_female_human"}


def test_marker_sets_lie_over_an_expression():
    laid = match_sets_to_genes(marker_sets("mouse"), ["Xist", "Mbp", "Mog", "Plp1"], min_genes=1, min_coverage=0.5)
    assert laid.names == ("cell_oligodendrocyte", "sex_female_mouse")
