import pytest

from responder_ml.errors import FeatureError
from responder_ml.features.gene_map import read_one_to_one, translate
from responder_ml.features.gene_sets import GeneSet


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "mapping.tsv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_reads_two_columns_under_a_header(table):
    assert read_one_to_one(table("symbol\tentrez\nXist\t213742\n\nUnknown\t\nXist\t213742\n")) == {"Xist": "213742"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("symbol\tentrez\n", "has a header but no rows"),
        ("symbol\tentrez\nA\t\n", "pairs no identifier with a gene"),
        ("symbol\tentrez\nA\t1\t2\n", "has 3 columns.*A mapping has two columns"),
        ("symbol\tentrez\nA 1\n", "Expected 2 columns, got 1: A 1"),
        ("symbol\tentrez\nA\t1\nA\t2\n", "'A' is both '1' and '2'"),
    ],
)
def test_refuses_a_table_that_is_none(table, text, message):
    with pytest.raises(FeatureError, match=message):
        read_one_to_one(table(text))


def test_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FeatureError, match="A gene mapping cannot be read"):
        read_one_to_one(tmp_path / "absent.tsv")


def test_what_the_table_lacks_stays_as_it_is():
    (only,) = translate([GeneSet("X", ("A", "B"), ("C",), (1.0, 2.0), (3.0,), ("D",))], {"A": "1", "C": "3", "D": "4"})
    assert only == GeneSet("X", ("1", "B"), ("3",), (1.0, 2.0), (3.0,), ("4",))


def test_two_names_of_one_gene_count_once():
    (only,) = translate([GeneSet("X", ("A", "alias", "B"), up_weights=(5.0, 2.0, 1.0))], {"A": "1", "alias": "1"})
    assert only == GeneSet("X", ("1", "B"), up_weights=(5.0, 1.0))


def test_sides_that_meet_in_one_gene_lose_their_direction():
    (only,) = translate([GeneSet("X", ("A", "B"), ("alias", "C"))], {"A": "1", "alias": "1"})
    assert only == GeneSet("X", ("B",), ("C",), both_sides=("1",))
