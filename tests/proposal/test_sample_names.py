from types import SimpleNamespace

import pandas as pd
import pytest

from responder_ml.proposal.sample_names import explain_no_match, match_names

SAMPLES = [f"S{index}" for index in range(8)]
GRID = SimpleNamespace(source="counts.tsv", rows=["Fos", "Arc", "1"], columns=SAMPLES)
TURNED = SimpleNamespace(source="counts.tsv", rows=SAMPLES, columns=["Fos", "Arc", "1"])


def _sheet(**columns):
    return pd.DataFrame(columns, dtype=object)


@pytest.mark.parametrize(("grid", "genes_in_rows"), [(GRID, True), (TURNED, False)])
def test_names_are_found_in_any_column_and_on_either_axis(grid, genes_in_rows):
    names = match_names(_sheet(number=list("12345678"), library=SAMPLES), grid)
    assert (names.column, names.genes_in_rows, names.count) == ("library", genes_in_rows, 8)


def test_the_column_with_most_names_wins_and_a_repeated_one_never():
    sheet = _sheet(first=[*SAMPLES[:4], "a", "b", "c", "d"], second=[*SAMPLES[:6], "e", "f"], third=["S1"] * 8)
    names = match_names(sheet, GRID)
    assert names.column == "second"
    assert names.in_matrix.tolist() == [True] * 6 + [False] * 2


def test_of_two_equal_columns_the_one_called_sample_is_taken():
    assert match_names(_sheet(a=SAMPLES, sample_id=SAMPLES), GRID).column == "sample_id"


def test_numbers_are_names():
    grid = SimpleNamespace(source="x", rows=["Fos"], columns=list("12345678"))
    assert match_names(_sheet(id=list("12345678"), age=list("11223344")), grid).column == "id"


@pytest.mark.parametrize(
    ("sheet", "hint"),
    [
        (_sheet(id=[f"s-{index}" for index in range(8)]), "comes near"),
        (_sheet(id=["S1", "S1", *SAMPLES[2:]]), "more than once"),
        (_sheet(id=[f"mouse {index}" for index in range(8)]), "same names in both files"),
    ],
)
def test_no_match_is_explained_with_names_of_both_files(sheet, hint):
    assert match_names(sheet, GRID) is None
    message = str(explain_no_match(sheet, "sheet.tsv", GRID))
    assert hint in message
    assert "'S0'" in message
    assert "id:" in message
