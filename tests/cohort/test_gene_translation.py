import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder_ml.cohort.gene_map import GeneMap
from responder_ml.cohort.gene_translation import GeneRules, GeneTranslation
from responder_ml.errors import GeneNameError


def _table(*pairs):
    genes, identifiers = {}, {}
    for name, gene in pairs:
        genes[name] = (*genes.get(name, ()), gene)
        identifiers[gene] = (*identifiers.get(gene, ()), name)
    return GeneMap(genes, identifiers, "t.tsv", "0" * 64, ("id", "symbol"))


TABLE = _table(("e1", "A"), ("e2", "B"), ("e3", "B"), ("e4", "C"), ("e4", "D"))


def _plan(names, table=TABLE, units="counts", **rules):
    return GeneTranslation(GeneRules(**rules), table).plan(names, units, "f.tsv")


def _apply(plan, values):
    every = np.arange(len(plan.genes))
    return plan.merged(np.asarray(values, dtype=float)[:, plan.rows_of(every)], every)


@pytest.mark.parametrize(
    ("policy", "genes", "values"),
    [("sum", ["B", "A"], [[9.0, 2.0]]), ("max", ["B", "A"], [[5.0, 2.0]]), ("drop", ["A"], [[2.0]])],
)
def test_several_rows_of_a_gene_are_merged_by_the_rule(policy, genes, values):
    plan = _plan(["e2", "x", "e1", "e3"], many_to_one=policy)
    assert plan.genes == genes
    np.testing.assert_array_equal(_apply(plan, [[4, 9, 2, 5]]), values)


def test_the_report_counts_what_was_mapped():
    plan = _plan(["e2", "x", "e1", "e3", "e4"], many_to_one="sum", one_to_many="drop")
    assert plan.report == {
        "table": "t.tsv", "sha256": "0" * 64, "columns": ["id", "symbol"], "relation": "identifiers", "many_to_one": "sum",
        "one_to_many": "drop", "versions": "keep", "names": 5, "mapped": 3, "share": 0.6, "genes": 2, "unmapped": 1,
        "ambiguous": 1, "of_several_rows": 1, "repaired": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "rules", "words"),
    [
        (["e1", "e2", "e3"], {}, "1 gene.s. come from more than one row: 'B'.*many_to_one: sum"),
        (["e1", "e4"], {}, "1 gene name.s. stand for more than one gene.*'e4'.*one_to_many: drop"),
        (["e1", "e1"], {}, "come from more than one row: 'A'"),
        (["e1", ""], {}, "1 gene.s. have no name"),
        (["E1", "E2"], {}, "differ from the table's by case.*orthologs, not another case"),
        (["A", "B"], {}, "in column 'symbol': swap"),
        (["x", "y"], {}, "can be translated. The file has symbol names such as 'x', 'y'"),
        (["e1", "1-Sep"], {}, "turned into dates or numbers.*repair: true"),
        (["e1", "1-Mar"], {"repair": True}, "more than one gene of the table, or none: '1-Mar'"),
    ],
)
def test_what_no_rule_covers_is_refused(names, rules, words):
    with pytest.raises(GeneNameError, match=words):
        _plan(names, **rules)


def test_log2_values_are_never_added():
    with pytest.raises(GeneNameError, match="sum of logarithms is a product"):
        _plan(["e1"], units="log2", many_to_one="sum")
    assert _plan(["e1"], units="tpm", many_to_one="sum").genes == ["A"]


def test_versions_are_cut_only_on_request():
    table = _table(("ENSMUSG00000021250", "Fos"))
    with pytest.raises(GeneNameError, match="by Ensembl version: set `versions: cut`"):
        _plan(["ENSMUSG00000021250.14"], table)
    assert _plan(["ENSMUSG00000021250.14"], table, cut_versions=True).genes == ["Fos"]
    assert _plan(["ENSMUSG00000021250.14", "Arc"], None, cut_versions=True).genes == ["ENSMUSG00000021250", "Arc"]


def test_an_official_symbol_is_never_taken_for_an_alias():
    # Marc1 is the old name of Mtarc1; Arc is an alias of Nol3 and a gene of its own.
    table = _table(("Marc1", "Mtarc1"), ("Arc", "Nol3"), ("Arg3.1", "Arc"))
    plan = _plan(["Arc", "Marc1", "Unlisted", "Nol3"], table, relation="aliases")
    assert plan.genes == ["Arc", "Mtarc1", "Unlisted", "Nol3"]


def test_only_pairs_that_are_one_to_one_in_the_table_are_orthologs():
    table = _table(
        ("Fos", "FOS"),
        ("Cyp2d9", "CYP2D6"),
        ("Cyp2d10", "CYP2D6"),
        ("Serpina1a", "SERPINA1"),
        ("Serpina1a", "SERPINA2"),
    )
    plan = _plan(["Fos", "Cyp2d9", "Serpina1a", "ARC"], table, relation="orthologs", many_to_one="sum")
    assert plan.genes == ["FOS"]
    assert (plan.report["ambiguous"], plan.report["unmapped"]) == (2, 1)


def test_repeated_rows_need_no_table():
    plan = _plan(["A", "B", "A"], None, many_to_one="sum")
    np.testing.assert_array_equal(_apply(plan, [[1, 2, 3], [4, 5, 6]]), [[4, 2], [10, 5]])


def test_damaged_names_are_repaired_where_one_gene_can_be_meant():
    table = _table(("Sept9", "Septin9"), ("Fos", "Fos"))
    plan = _plan(["Fos", "9-Sep"], table, repair=True)
    assert plan.genes == ["Fos", "Septin9"]
    assert plan.report["repaired"] == {"9-Sep": "Sept9"}


@pytest.mark.parametrize(
    "names", [["Fos", "9-Sep", "Sept9"], ["Fos", "9-Sep", "2021-09-09"], ["Fos", "9-Sep", "9-Sep.1"]]
)
def test_a_repair_that_would_make_a_gene_twice_is_refused(names):
    table = _table(("Sept9", "Septin9"), ("Fos", "Fos"))
    with pytest.raises(GeneNameError, match="can be more than one gene"):
        _plan(names, table, repair=True, many_to_one="sum")


@given(st.lists(st.sampled_from(["e1", "e2", "e3", "e4", "x"]), min_size=1, max_size=12), st.integers(0, 2**16))
def test_sums_are_those_of_a_naive_loop_in_any_block(names, seed):
    if not {"e1", "e2", "e3"} & set(names):
        return
    plan = _plan(names, many_to_one="sum", one_to_many="drop")
    values = np.random.default_rng(seed).integers(0, 100, (3, len(names))).astype(float)
    expected = {gene: np.zeros(3) for gene in plan.genes}
    for column, name in enumerate(names):
        for gene in {"e1": "A", "e2": "B", "e3": "B"}.get(name, ""):
            expected[gene] += values[:, column]
    np.testing.assert_array_equal(_apply(plan, values), np.stack([expected[gene] for gene in plan.genes], axis=1))
    last = np.array([len(plan.genes) - 1])
    np.testing.assert_array_equal(plan.merged(values[:, plan.rows_of(last)], last), _apply(plan, values)[:, -1:])
