import hashlib

import pytest

from responder_ml.cohort.gene_map import read_gene_map, without_version
from responder_ml.errors import GeneNameError

TEXT = (
    "symbol\tsynonyms\tensembl\nFos\tc-fos|D12Rfj1\tENSMUSG00000021250.14\nArc\t-\tENSMUSG00000022602.5\nOld\tArc2\t\n"
)


def test_columns_are_paired_by_name(write):
    path = write("genes.tsv", TEXT)
    gene_map = read_gene_map(path, "ensembl", "symbol", cut_versions=True)
    assert gene_map.genes_of == {"ENSMUSG00000021250": ("Fos",), "ENSMUSG00000022602": ("Arc",)}
    assert gene_map.identifiers_of["Arc"] == ("ENSMUSG00000022602",)
    assert (gene_map.name, gene_map.columns) == ("genes.tsv", ("ensembl", "symbol"))
    assert gene_map.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()


def test_a_cell_may_hold_several_names(write):
    gene_map = read_gene_map(write("genes.tsv", TEXT), "synonyms", "symbol", cut_versions=False)
    assert gene_map.genes_of == {"c-fos": ("Fos",), "D12Rfj1": ("Fos",), "Arc2": ("Old",)}


def test_two_columns_need_no_names_and_pairs_are_kept_once(write):
    gene_map = read_gene_map(write("g.csv.gz", "a,b\n1,X\n1,X\n1,Y\n2,X\n"), None, None, cut_versions=False)
    assert gene_map.genes_of == {"1": ("X", "Y"), "2": ("X",)}
    assert gene_map.identifiers_of == {"X": ("1", "2"), "Y": ("1",)}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ((None, None), "has 3 columns .symbol, synonyms, ensembl.. Say which"),
        (("ensemble", "symbol"), "0 columns 'ensemble'.*Did you mean 'ensembl'"),
        (("ensembl", None), "`gene` the one with names to use"),
    ],
)
def test_missing_columns_are_named(write, columns, words):
    with pytest.raises(GeneNameError, match=words):
        read_gene_map(write("genes.tsv", TEXT), *columns, cut_versions=False)


def test_a_table_without_pairs_or_file_is_refused(write, tmp_path):
    with pytest.raises(GeneNameError, match="pairs no identifier"):
        read_gene_map(write("g.tsv", "a\tb\nx\t\n"), None, None, cut_versions=False)
    with pytest.raises(GeneNameError, match="There is no file"):
        read_gene_map(tmp_path / "absent.tsv", None, None, cut_versions=False)


@pytest.mark.parametrize(
    ("name", "bare"),
    [("ENSMUSG00000021250.14", "ENSMUSG00000021250"), ("ENSG00000141510", "ENSG00000141510"), ("RP11-34P13.7", "RP11-34P13.7")],
)  # fmt: skip
def test_only_ensembl_versions_are_cut(name, bare):
    assert without_version(name) == bare
