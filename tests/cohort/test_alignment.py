import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_ml.cohort.alignment import match_genes, measure_coverage, to_model_units
from responder_ml.errors import CoverageError, ExpressionError, GeneNameError

GENES = ["Actb", "Bdnf", "Creb1", "Drd2", "Egr1"]


def _shares(**features):
    return {
        name: (np.array(list(shares), dtype=str), np.array(list(shares.values()), dtype=float))
        for name, shares in features.items()
    }


SINGLE = _shares(**{gene: {gene: 1.0} for gene in GENES})
# Two signatures: three quarters of the first rest on Actb, the second is half up, half down.
SIGNATURES = _shares(up={"Actb": 0.75, "Bdnf": 0.25}, opposed={"Creb1": 0.5, "Drd2": -0.5})


def _table(genes=GENES, samples=("a", "b"), seed=0):
    values = np.random.default_rng(seed).poisson(100, size=(len(samples), len(genes))).astype(float)
    return pd.DataFrame(values, index=list(samples), columns=list(genes))


def _align(table, gene_shares=SINGLE, units="counts", model_units="counts", depth=0.0):
    """Return the genes of a table matched to the model's, and its values in the model's units."""
    matched = match_genes(list(table.columns), GENES, gene_shares)
    present = table.to_numpy()[:, matched.columns]
    return matched, to_model_units(
        present, matched, list(table.index), units=units, model_units=model_units, depth=depth
    )


def test_genes_come_in_the_models_order_and_extra_ones_are_dropped():
    table = _table(["Zzz3", *GENES[::-1], "Aaa1"])
    matched, values = _align(table)
    np.testing.assert_array_equal(values, table[GENES].to_numpy())
    assert matched.is_present.all()
    assert (matched.coverage.weight, matched.coverage.genes, matched.coverage.missing) == (1.0, 1.0, ())


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(5)), extra=st.integers(0, 3))
def test_column_order_and_width_change_nothing(order, extra):
    table = _table()
    other = table.iloc[:, list(order)].assign(**{f"Extra{index}": 7.0 for index in range(extra)})
    np.testing.assert_array_equal(_align(table)[1], _align(other)[1])


def test_a_missing_gene_is_not_a_number_throughout_and_is_counted():
    matched, values = _align(_table(["Actb", "Bdnf", "Creb1", "Drd2"]))
    np.testing.assert_array_equal(matched.is_present, [True, True, True, True, False])
    assert np.isnan(values[:, 4]).all()
    assert not np.isnan(values[:, :4]).any()
    assert values.flags.c_contiguous
    assert matched.coverage.missing == ("Egr1",)
    assert (matched.coverage.weight, matched.coverage.genes) == (0.8, 0.8)


def test_coverage_by_hand():
    is_present = np.array([False, True, True, False, True])
    coverage = measure_coverage(GENES, is_present, SIGNATURES)
    assert coverage.features == {"up": 0.25, "opposed": 0.5}
    assert coverage.weight == pytest.approx((0.25 + 0.5) / 2)
    assert coverage.genes == 0.6
    # Actb carries 0.75 of its signature, Drd2 half of its own.
    assert coverage.missing == ("Actb", "Drd2")
    weighted = measure_coverage(GENES, is_present, SIGNATURES, {"up": 0.9, "opposed": 0.1})
    assert weighted.weight == pytest.approx(0.9 * 0.25 + 0.1 * 0.5)


def test_a_feature_without_weight_does_not_count():
    is_present = np.array([False, True, True, True, True])
    coverage = measure_coverage(GENES, is_present, SINGLE, {gene: float(gene != "Actb") for gene in GENES})
    assert coverage.weight == 1.0


def test_too_little_weight_is_refused_by_number_and_name():
    with pytest.raises(CoverageError) as error:
        match_genes(["Bdnf", "Creb1", "Drd2", "Egr1"], GENES, SIGNATURES)
    message = str(error.value)
    for part in ("80%", "1 gene(s) of the features are missing", "'Actb'", "5 training genes"):
        assert part in message
    assert match_genes(["Bdnf", "Creb1", "Drd2", "Egr1"], GENES, SIGNATURES, least_weight=0.6).coverage.weight == 0.625


def test_too_few_training_genes_are_refused_even_with_all_features():
    gene_shares = _shares(only={"Actb": 1.0})
    with pytest.raises(CoverageError, match="40% of the model's 5 training genes and 100% of the gene weight"):
        match_genes(["Actb", "Bdnf"], GENES, gene_shares)
    assert match_genes(["Actb", "Bdnf"], GENES, gene_shares, least_genes=0.4).coverage.genes == 0.4


def test_only_the_first_five_missing_genes_are_named():
    genes = [f"Gene{index}" for index in range(20)]
    gene_shares = _shares(**{gene: {gene: 1.0} for gene in genes})
    with pytest.raises(CoverageError) as error:
        match_genes(genes[:4], genes, gene_shares)
    assert "16 gene(s) of the features are missing" in str(error.value)
    assert str(error.value).count("'Gene") == 5


@pytest.mark.parametrize(
    ("genes", "names", "hint"),
    [
        (GENES, [f"ENSMUSG{index:011d}" for index in range(5)], "symbol names, the table ensembl names"),
        ([f"ENSMUSG{index:011d}" for index in range(5)], ["11461", "12064", "12912", "13489", "13653"], "entrez"),
        (["11461", "12064", "12912"], GENES, "entrez names, the table symbol names"),
        (
            [f"ENSMUSG{index:011d}.4" for index in range(5)],
            [f"ENSMUSG{index:011d}.12" for index in range(5)],
            "version only",
        ),
        (GENES, [gene.upper() for gene in GENES], "case only"),
        (GENES, ["Foo1", "Bar2", "Baz3"], "same species"),
    ],
)
def test_the_refusal_says_why_names_may_not_match(genes, names, hint):
    with pytest.raises(CoverageError, match=hint):
        match_genes(names, genes, _shares(**{gene: {gene: 1.0} for gene in genes}))


def test_case_is_never_changed_to_find_a_gene():
    matched = match_genes([*GENES[:4], "EGR1"], GENES, SINGLE)
    assert matched.coverage.missing == ("Egr1",)


def test_a_repeated_gene_of_the_model_is_refused_and_any_other_is_not():
    with pytest.raises(GeneNameError, match="'Bdnf'"):
        match_genes([*GENES, "Bdnf"], GENES, SINGLE)
    assert match_genes([*GENES, "Xist", "Xist"], GENES, SINGLE).is_present.all()


def test_an_empty_table_is_refused():
    with pytest.raises(ExpressionError, match="no samples"):
        _align(_table(samples=()))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_named(value):
    table = _table()
    table.loc["b", "Creb1"] = value
    with pytest.raises(ExpressionError, match="gene 'Creb1', sample 'b'"):
        _align(table)


def test_one_gap_stays_one_and_a_sample_of_gaps_is_refused():
    table = _table().astype(float)
    table.loc["b", "Creb1"] = np.nan
    assert np.isnan(_align(table)[1]).sum() == 1
    table.loc["b"] = np.nan
    with pytest.raises(
        ExpressionError, match=r"most in sample 'b', 100% of the model's genes, of which 20% may be missing"
    ):
        _align(table)


def test_a_gap_in_a_gene_the_model_does_not_know_does_not_matter():
    assert _align(_table().assign(Other=np.nan))[0].is_present.all()


@pytest.mark.parametrize(("units", "value"), [("counts", 0.5), ("counts", -1.0), ("tpm", -0.1)])
def test_values_that_contradict_the_units_are_refused(units, value):
    table = _table()
    table.loc["a", "Actb"] = value
    with pytest.raises(ExpressionError):
        _align(table, units=units, model_units=units)


def test_unknown_units_are_refused():
    with pytest.raises(ExpressionError, match="rpkm"):
        _align(_table(), units="rpkm")


def test_units_that_cannot_be_converted_are_refused():
    with pytest.raises(ExpressionError, match="declared as counts, but the model was trained on log2"):
        _align(_table(), units="counts", model_units="log2")


def test_log2_values_become_the_models_counts():
    table = _table(samples=("a",))
    log2 = np.log2((table + 0.5) / 1e6 * 1e6)
    _, values = _align(log2, units="log2", model_units="counts", depth=1e6 - 1)
    np.testing.assert_allclose(values, table[GENES])
