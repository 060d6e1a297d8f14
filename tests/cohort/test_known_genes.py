import pytest

from responder_ml.cohort.known_genes import EARLY, ON_Y, SILENCED_X, find_group, known_genes

OTHERS = [f"gene{number}" for number in range(3)]
NUMBERS = ["11", "12", "13", "14", "15"]


@pytest.mark.parametrize(
    "names",
    [
        ("Fos", "Arc"), ("FOS", "ARC"), ("fos", "arc"), ("ENSMUSG00000021250.13", "ENSMUSG00000022602"),
        ("ENSG00000170345", "ENSG00000198576.4"),
        ("ENSMUSG00000021250_Fos", "ENSG00000198576|ARC"),
    ],
)  # fmt: skip
def test_early_genes_are_found_in_symbols_and_ensembl_ids_of_mouse_and_human(names):
    assert find_group([OTHERS[0], names[0], OTHERS[1], names[1]], EARLY) == [1, 3]


@pytest.mark.parametrize(("fos", "species"), [("14281", "mouse"), ("2353", "human")])
def test_entrez_ids_are_found_among_numbers_only(fos, species):
    assert find_group([*NUMBERS, fos], EARLY) == [5]
    assert find_group([*OTHERS, *OTHERS, fos], EARLY) == []


def test_no_id_stands_for_two_genes():
    table = known_genes()
    for column in ("entrez", "ensembl"):
        assert not table[column].duplicated().any()
        assert (table[column] != "").all()
    assert set(table["group"]) == {EARLY, SILENCED_X, ON_Y}


def test_names_without_the_genes_give_none():
    assert find_group(OTHERS, EARLY) == []
