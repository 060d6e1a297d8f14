import re

import numpy as np
import pandas as pd
import pytest

from responder_ml.errors import FeatureError
from responder_ml.features.gene_map import read_one_to_one, translate
from responder_ml.features.gene_sets import GeneSet, read_gmt
from responder_ml.features.membership import match_sets_to_genes
from responder_ml.features.signatures import SCORERS

GENES = ["A", "B", "C", "D"]


def test_weights_are_signed_and_in_place():
    sets = [GeneSet("one", ("B", "A"), ("D",), (0.5, 2.0), (3.0,)), GeneSet("two", ("C",))]
    laid = match_sets_to_genes(sets, GENES, min_genes=1, min_coverage=0.0)
    assert laid.names == ("one", "two")
    assert laid.dropped == {}
    np.testing.assert_array_equal(laid.weights.toarray(), [[2.0, 0.0], [0.5, 0.0], [0.0, 1.0], [-3.0, 0.0]])


def test_coverage_counts_genes_and_weight():
    sets = [GeneSet("one", ("A", "x"), ("B", "y"), (3.0, 1.0), (2.0, 4.0), both_sides=("C",))]
    laid = match_sets_to_genes(sets, GENES, min_genes=1, min_coverage=0.0)
    row = laid.coverage.loc["one"]
    assert row["genes"] == 5
    assert row["found"] == 2
    assert row["coverage"] == 2 / 5
    # Found 3 + 2 of 3 + 1 + 2 + 4, and 1 for the gene without direction.
    assert row["weight_coverage"] == 5 / 11
    np.testing.assert_array_equal(laid.weights.toarray()[:, 0], [3.0, -2.0, 0.0, 0.0])


def test_what_is_left_out_is_named_with_its_reason():
    sets = [
        GeneSet("kept", ("A", "B")),
        GeneSet("few", ("A",)),
        GeneSet("thin", ("A", "B", "x", "y", "z")),
        GeneSet("absent", ("x",)),
        GeneSet("one-legged", ("A", "B"), ("x",)),
    ]
    laid = match_sets_to_genes(sets, GENES, min_genes=2, min_coverage=0.5)
    assert laid.names == ("kept",)
    assert laid.weights.shape == (4, 1)
    assert laid.dropped == {
        "few": "1 of 1 genes found, 2 needed",
        "thin": "2 of 5 genes found (40%), 50% needed",
        "absent": "0 of 1 genes found, 2 needed",
        "one-legged": "none of its 1 down genes found",
    }
    assert list(laid.coverage.index) == ["kept", "few", "thin", "absent", "one-legged"]


def test_case_is_never_folded():
    with pytest.raises(FeatureError, match=r"2 would match if case were ignored.*table of orthologs"):
        match_sets_to_genes([GeneSet("mouse", ("Fos", "Arc"))], ["FOS", "ARC"], min_genes=1, min_coverage=0.0)
    laid = match_sets_to_genes([GeneSet("mouse", ("Fos", "Arc"))], ["FOS", "Arc"], min_genes=1, min_coverage=0.0)
    assert laid.coverage.loc["mouse", "found"] == 1


def test_refuses_when_every_set_has_too_little():
    with pytest.raises(FeatureError, match=r"None of the 1 gene sets has enough.*'thin': 1 of 3 genes found, 2 needed"):
        match_sets_to_genes([GeneSet("thin", ("A", "x", "y"))], GENES, min_genes=2, min_coverage=0.5)


@pytest.mark.parametrize(
    ("sets", "genes", "message"),
    [
        ([], GENES, "There is no gene set"),
        ([GeneSet("one", ("A",)), GeneSet("one", ("B",))], GENES, "Among the gene sets one occur more than once"),
        ([GeneSet("one", ("A",))], ["A", "B", "A"], "Among the genes of the expression A occur more than once"),
    ],
)
def test_refuses_what_is_ambiguous(sets, genes, message):
    with pytest.raises(FeatureError, match=message):
        match_sets_to_genes(sets, genes, min_genes=1, min_coverage=0.0)


@pytest.fixture(scope="module")
def study_sets(shared_data, tmp_path_factory):
    """Gene sets around the founding study, mouse symbols, written as a GMT file and read back."""
    table = pd.read_csv(
        shared_data / "gse81672_signatures" / "sets_genes.tsv.gz", sep="\t", dtype=str, keep_default_na=False
    )
    lines = ["\t".join((name, "", *rows["gene"])) for name, rows in table.groupby("set_name", sort=False)]
    path = tmp_path_factory.mktemp("sets") / "study.gmt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_gmt(path)


@pytest.fixture(scope="module")
def nac(shared_data):
    """Log2 counts per million of the NAc samples under chronic variable stress, Entrez ids."""
    folder = shared_data / "gse102556_mouse_cvs"
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t")
    counts = pd.read_csv(folder / "expression_counts.tsv.gz", sep="\t", index_col=0)
    counts.index = counts.index.astype(str)
    counts = counts[sheet.loc[sheet["region"] == "NAc", "sample_id"]].T
    return np.log2((counts + 0.5).div(counts.sum(axis=1) + 1.0, axis=0) * 1e6)


@pytest.mark.shared
def test_real_pairs_are_read_as_pairs(study_sets):
    by_name = {gene_set.name: gene_set for gene_set in study_sets}
    ketamine = next(entry for name, entry in by_name.items() if name.endswith("NACC_treatment_ketamine"))
    assert (len(ketamine.up), len(ketamine.down)) == (16, 2)
    assert "Gray_2014_ForcedSwimStress_HC" in by_name
    # The source lists Lmna as up and as down two hours after a drug, and eight genes after restraint and swim.
    assert [gene_set.both_sides for gene_set in study_sets if len(gene_set.both_sides) == 1] == [("Lmna",)]
    assert [len(gene_set.both_sides) for gene_set in study_sets if gene_set.both_sides] == [8, 1]


@pytest.mark.shared
def test_symbols_on_entrez_ids_end_in_a_clear_refusal(study_sets, nac):
    with pytest.raises(FeatureError) as refusal:
        match_sets_to_genes(study_sets, list(nac.columns), min_genes=5, min_coverage=0.5)
    message = str(refusal.value)
    count = len({gene for gene_set in study_sets for gene in (*gene_set.up, *gene_set.down)})
    assert f"None of the {count} gene ids in {len(study_sets)} gene sets is among the 27179 genes" in message
    assert "Orai2-ps" in message
    assert "100008567" in message
    assert "translate the sets by a mapping table" in message


@pytest.mark.shared
def test_one_gene_surely_mapped_is_found(nac, tmp_path):
    path = tmp_path / "mapping.tsv"
    path.write_text("symbol\tentrez\nXist\t213742\n")
    sets = translate([GeneSet("female", ("Xist", "Tsix"))], read_one_to_one(path))
    laid = match_sets_to_genes(sets, list(nac.columns), min_genes=1, min_coverage=0.5)
    assert laid.coverage.loc["female"].to_list() == [2, 1, 0.5, 0.5]


@pytest.mark.shared
def test_real_samples_are_scored_through_a_mapping_and_coverage_is_reported(study_sets, nac, rng):
    """The mapping is invented: it shows the mechanism and says nothing about these genes."""
    symbols = sorted({gene for gene_set in study_sets for gene in (*gene_set.up, *gene_set.down)})
    mapped = rng.permutation(symbols)[: int(0.8 * len(symbols))]
    invented = dict(zip(mapped.tolist(), rng.permutation(nac.columns.to_numpy()).tolist(), strict=False))
    laid = match_sets_to_genes(translate(study_sets, invented), list(nac.columns), min_genes=5, min_coverage=0.5)
    known = set(invented)
    for study_set in study_sets:
        listed = (*study_set.up, *study_set.down)
        assert laid.coverage.loc[study_set.name, "found"] == sum(gene in known for gene in listed)
        assert laid.coverage.loc[study_set.name, "genes"] == len(listed) + len(study_set.both_sides)
    assert set(laid.names) | set(laid.dropped) == {gene_set.name for gene_set in study_sets}
    assert all(re.search(r"genes found", reason) for reason in laid.dropped.values())
    values = nac.to_numpy()
    for kind in SCORERS:
        scores = kind().fit(values[:20], members=laid.weights, names=laid.names).transform(values)
        assert scores.shape == (40, len(laid.names))
        assert np.isfinite(scores).all()
