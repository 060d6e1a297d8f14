import pandas as pd
import pytest

from responder_ml.cohort.gene_ids import check_gene_names, damaged_by_excel, kind_of, original_of
from responder_ml.errors import GeneNameError


@pytest.mark.parametrize(
    "name",
    [
        "1-Sep", "01-Mar", "Sep-01", "SEP-07", "Mar-2001", "1-Dec-19", "2-Mar.1", "2019-09-01", "2021-03-01 00:00:00",
        "01/09/2019", "1.9.2019", "2.31E+13", "2.31e+13", "1E+05", "44075",
    ],
)  # fmt: skip
def test_names_damaged_by_a_spreadsheet_are_recognised(name):
    assert damaged_by_excel(["Fos", "Arc", name, "Egr1"]) == [name]


@pytest.mark.parametrize(
    "name",
    [
        "Septin1", "SEPT7", "March1", "MARC1", "Dec1", "DEC1", "Mar", "0610007P14Rik", "2310009E13Rik", "1700020I14Rik",
        "H2-K1", "RP11-34P13.7", "NA", "Nkx2-1", "ENSMUSG00000069045.3", "ILMN_1697499", "1007_s_at", "5S_rRNA", "123",
        "99999", "20000", "7SK", "AC000.1",
    ],
)  # fmt: skip
def test_real_names_are_not_called_damaged(name):
    assert damaged_by_excel(["Fos", "Arc", name, "Egr1"]) == []


def test_five_digit_numbers_are_ids_among_numbers():
    assert damaged_by_excel(["44075", "11287", "100008567", "213742"]) == []


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["ENSG00000229807", "ENSMUSG00000086503.5", "__no_feature"], "ensembl"),
        (["7503", "26900", "213742"], "entrez"),
        (["Fos", "0610007P14Rik", "H2-K1", "HLA-DRA"], "symbol"),
        (["ILMN_1697499", "AFFX-BioB-5_at", "1007_s_at", "A_23_P100001"], "probe"),
        (["Fos", "7503", "ENSG00000229807", "ILMN_1697499", "§"], "unknown"),
        ([], "unknown"),
    ],
)
def test_kind_is_what_most_names_are(names, kind):
    assert kind_of(names) == kind


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["Fos", ""], ["1 gene", "no name"]),
        (["Fos", "Arc", "1-Sep", "2-Mar"], ["2 gene name", "'1-Sep', '2-Mar'", "Export the matrix again"]),
        (["Fos", "Arc", "Fos", "Fos"], ["1 gene name", "more than once: 'Fos'", "Sum the counts"]),
        ([f"g{i}" for i in range(7)] * 2, ["7 gene name", "'g4' and 2 more"]),
    ],
)
def test_unusable_names_are_refused_with_number_names_and_remedy(names, words):
    with pytest.raises(GeneNameError) as error:
        check_gene_names(names, "counts.csv")
    for word in ["counts.csv", *words]:
        assert word in str(error.value)


@pytest.mark.shared
def test_a_published_table_with_dates_in_it_is_caught(shared_data):
    table = pd.read_csv(shared_data / "gse81672_signatures" / "hdrf_hippocampus_meta.tsv.gz", sep="\t", dtype=str)
    names = table.iloc[:, 0].fillna("NA").tolist()
    assert damaged_by_excel(names) == ["2021-09-09 00:00:00", "2021-03-01 00:00:00"]


MOUSE = {
    "Sept1",
    "Sept2",
    "Sept9",
    "Septin7",
    "March1",
    "March3",
    "Marc1",
    "Dec1",
    "Fos",
    "2310009E13Rik",
    "1110001E05Rik",
}


@pytest.mark.parametrize(
    ("damaged", "original"),
    [
        ("9-Sep", "Sept9"), ("09-Sep", "Sept9"), ("Sep-09", "Sept9"), ("2021-09-09 00:00:00", "Sept9"), ("2021-09-09", "Sept9"),
        ("9-Sep-21", "Sept9"), ("7-Sep", "Septin7"), ("3-Mar", "March3"), ("9/9/2021", "Sept9"),
        # 2310009E13 is 2.310009 x 10^19; a well-known paper shows it as 2.31E+13.
        ("2.31E+13", "2310009E13Rik"), ("2.31E+19", "2310009E13Rik"), ("2.310009E+19", "2310009E13Rik"),
        ("1.11E+11", "1110001E05Rik"),
    ],
)  # fmt: skip
def test_a_damaged_name_of_one_possible_gene_is_turned_back(damaged, original):
    assert original_of(damaged, MOUSE) == original


@pytest.mark.parametrize(
    "damaged",
    ["1-Mar", "2021-03-01 00:00:00", "2-Mar", "1-Dec", "4-Oct", "15-Sep", "4-Sep", "30-Sep", "2.32E+13", "2.31E+14", "03/09/2021",
     "44075"],
)  # fmt: skip
def test_a_damaged_name_of_several_possible_genes_or_none_is_not(damaged):
    assert original_of(damaged, MOUSE) is None


def test_a_day_count_is_read_by_both_calendars():
    # 42613 is 31 August 2016 by one and 1 September 2020 by the other; only the latter is a gene.
    assert original_of("42613", MOUSE) == "Sept1"
    # 44075 is 1 September 2020 or 2 September 2024.
    assert original_of("44075", MOUSE) is None


def test_two_spellings_of_one_gene_in_the_table_are_two_names():
    assert original_of("9-Sep", {"Sept9", "SEPT9"}) is None
    assert original_of("9-Sep", {"SEPTIN9"}) == "SEPTIN9"
    assert original_of("9-Sep", set()) is None


@pytest.mark.parametrize(
    "name",
    [
        "1. Mrz", "1. März", "01. Mrz", "9. Sep", "2-Sept", "1-mars", "2-sept.", "1-févr.", "5-août", "10-déc.", "1-mar", "2-sep",
        "10-dic", "1-set", "set-02", "1-mrt", "2 sep", "2-okt", "MARZO.1", "Sept-02", "3. März 2021", "1/mar", "Mrz-01", "Maart-1",
    ],
)  # fmt: skip
def test_dates_in_six_languages_are_recognised(name):
    assert damaged_by_excel(["Fos", name]) == [name]


def test_genes_called_like_months_are_not_damaged():
    genes = [
        "SET",
        "SET.1",
        "MAG",
        "Mag.2",
        "JUN",
        "Jund",
        "NOV",
        "MARS1",
        "MARS.1",
        "AGO2",
        "GEN1",
        "SEPT9",
        "Marchf1",
        "MAI1",
        "DEC1",
    ]
    assert damaged_by_excel(genes) == []


def test_a_german_date_is_turned_back_where_one_gene_can_be_meant():
    assert original_of("9. Sep", {"Sept9", "March1"}) == "Sept9"
    assert original_of("9-sept.", {"Septin9"}) == "Septin9"
