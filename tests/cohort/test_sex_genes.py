import numpy as np
import pandas as pd
import pytest

from responder_ml.cohort.sex_genes import compare_sex

# Xist and two Y genes, log2 CPM: two females, two males.
VALUES = np.array([[8.0, -2.0, -3.0], [7.5, -1.5, -2.0], [-3.0, 5.0, 6.0], [-2.5, 5.5, 6.5]])
SEX = ["F", "female", "male", "M"]
SAMPLES = ["a", "b", "c", "d"]


def _compare(values, sex=SEX, genes=("Xist", "Ddx3y", "Kdm5d"), per_million=True):
    names = [*genes, "Fos"]
    padded = np.column_stack([values, np.zeros(len(values))])
    return compare_sex(padded, names, pd.Series(sex), SAMPLES[: len(values)], per_million)


def _disagreements(*arguments, **keywords):
    _, disagreements = _compare(*arguments, **keywords)
    return [(sample.sample, sample.in_sheet, sample.by_genes) for sample in disagreements]


@pytest.mark.parametrize(
    "genes",
    [
        ("Xist", "Ddx3y", "Kdm5d"),
        ("XIST", "DDX3Y", "RPS4Y1"),
        ("ENSG00000229807.13", "ENSG00000067048", "ENSG00000129824.2"),
        ("ENSMUSG00000086503", "ENSMUSG00000069045.5", "eif2s3y"),
    ],
)
@pytest.mark.parametrize("per_million", [True, False])
def test_agreement_in_symbols_and_ensembl_ids(genes, per_million):
    assert _compare(VALUES, genes=genes, per_million=per_million) == (4, [])


@pytest.mark.parametrize("genes", [("213742", "26900", "22290"), ("7503", "8653", "6192")])
def test_entrez_ids_count_only_among_entrez_ids(genes):
    padded = np.column_stack([VALUES, np.zeros((4, 4))])
    numbers = [*genes, "14281", "11838", "20750", "12345"]
    assert compare_sex(padded, numbers, pd.Series(SEX), SAMPLES, per_million=True) == (4, [])
    assert (
        compare_sex(padded, [*genes, "Fos", "Arc", "Egr1", "Junb"], pd.Series(SEX), SAMPLES, per_million=True) is None
    )


def test_a_swap_and_a_mixture_are_distinguished():
    many = np.vstack([VALUES, VALUES, [[8.0, 5.0, 6.0], [-3.0, 5.2, 6.1]]])
    sex = [*SEX, *SEX, "female", "female"]
    padded = np.column_stack([many, np.zeros(10)])
    _, disagreements = compare_sex(
        padded, ["Xist", "Ddx3y", "Uty", "Fos"], pd.Series(sex), list("abcdefghij"), per_million=False
    )
    assert [(sample.sample, sample.by_genes) for sample in disagreements] == [("i", "both"), ("j", "male")]


def test_one_sex_needs_values_with_a_common_zero():
    males = VALUES[2:].copy()
    males[1] = [7.0, -2.0, -3.0]
    assert _disagreements(males, sex=["male", "male"]) == [("b", "male", "female")]
    assert _compare(males, sex=["male", "male"], per_million=False) is None


@pytest.mark.parametrize(
    ("genes", "expected"), [(("Xist", "Arc", "Egr1"), "female"), (("Arc", "Ddx3y", "Uty"), "female")]
)
def test_one_gene_is_enough(genes, expected):
    males = np.vstack([VALUES[2:], VALUES[:1]])
    assert _disagreements(males, sex=["male"] * 3, genes=genes) == [("c", "male", expected)]


def test_samples_that_express_neither_gene_disagree():
    assert _disagreements(np.array([[-3.0, -3.0, -3.0]]), sex=["male"]) == [("a", "male", "neither")]


@pytest.mark.parametrize("sex", [["unknown"] * 4, [1, 2, 1, 2]])
def test_words_that_name_no_sex_are_left_out(sex):
    assert _compare(VALUES, sex=sex) is None


def test_genes_that_do_not_differ_between_the_sexes_say_nothing():
    assert _compare(np.ones((4, 3)) * 6, per_million=True) is None


def test_without_sex_genes_nothing_is_compared():
    assert _compare(VALUES, genes=("Fosb", "Arc", "Egr1")) is None
