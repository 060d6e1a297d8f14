import pytest

from responder_ml.cohort.excel_repair import original_of

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
def test_what_can_only_be_one_gene_is_turned_back(damaged, original):
    assert original_of(damaged, MOUSE) == original


@pytest.mark.parametrize(
    "damaged",
    ["1-Mar", "2021-03-01 00:00:00", "2-Mar", "1-Dec", "4-Oct", "15-Sep", "4-Sep", "30-Sep", "2.32E+13", "2.31E+14", "03/09/2021",
     "44075"],
)  # fmt: skip
def test_what_can_be_several_or_none_is_not(damaged):
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
