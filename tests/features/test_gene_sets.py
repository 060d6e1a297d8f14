import pytest

from responder_ml.errors import FeatureError
from responder_ml.features.gene_sets import GeneSet, read_gmt, read_signature_table


@pytest.fixture
def gmt(tmp_path):
    def write(text):
        path = tmp_path / "sets.gmt"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("up", "down", "name"),
    [
        ("X_UP", "X_DN", "X"),
        ("X_Up", "X_Down", "X"),
        ("X.up", "X.down", "X"),
        ("X-up", "X-dn", "X"),
        ("X up", "X down", "X"),
        ("Gray_Upregulated_HC", "Gray_Downregulated_HC", "Gray_HC"),
        ("a.up_b_UP", "a.up_b_DN", "a.up_b"),
    ],
)
def test_two_halves_are_one_set(gmt, up, down, name):
    path = gmt(f"other\t\tOther\n{down}\tna\tA\tB\n{up}\tna\tC\n")
    assert read_gmt(path) == (GeneSet("other", ("Other",)), GeneSet(name, ("C",), ("A", "B")))


@pytest.mark.parametrize("name", ["X_UP", "X_DN", "Knockdown", "X_Knockdown", "UP", "X_UPSTREAM"])
def test_a_set_without_partner_stays_as_it_is(gmt, name):
    assert read_gmt(gmt(f"{name}\tna\tA\tB\n")) == (GeneSet(name, ("A", "B")),)


def test_halves_of_different_sets_are_not_paired(gmt):
    assert [gene_set.name for gene_set in read_gmt(gmt("X_UP\tna\tA\nY_DN\tna\tB\nX_HC_DN\tna\tC\n"))] == [
        "X_UP",
        "Y_DN",
        "X_HC_DN",
    ]


def test_weights_and_their_signs(gmt):
    (only,) = read_gmt(gmt("X\tna\tA,0.7\tB\tC,-2\tD , 1e-1\tE,x\n"))
    assert only == GeneSet("X", ("A", "B", "D", "E,x"), ("C",), (0.7, 1.0, 0.1, 1.0), (2.0,))


def test_weights_of_a_pair(gmt):
    (only,) = read_gmt(gmt("X_UP\tna\tA,0.7\tB,2\nX_DN\tna\tC\n"))
    assert only == GeneSet("X", ("A", "B"), ("C",), (0.7, 2.0))


def test_genes_on_both_sides_have_no_direction(gmt):
    (only,) = read_gmt(gmt("X_UP\tna\tA\tB\nX_DN\tna\tB\tC\n"))
    assert only == GeneSet("X", ("A",), ("C",), both_sides=("B",))


def test_case_blanks_and_repeats(gmt):
    path = gmt("\ufeffX\tna\tFos\tFOS\t\tFos\t\n\n")
    assert read_gmt(path) == (GeneSet("X", ("Fos", "FOS")),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no gene set"),
        ("\n \n", "has no gene set"),
        ("X\tna\tA\nX\tna\tB\n", "line 2: there is a set 'X' already"),
        ("X\tna\n", "line 1: set 'X' has no genes"),
        ("X A B\n", "line 1: set 'X A B' has no genes"),
        ("X\tna\tA,0\n", "'A,0' is not a gene with a weight"),
        ("X\tna\tA,nan\n", "'A,nan' is not a gene with a weight"),
        ("X\tna\t,2\n", "',2' is not a gene with a weight"),
        ("X\tna\tA,2\tA,3\n", "gene 'A' has weights 2.0 and 3.0"),
        ("X_UP\tna\tA,-1\nX_DN\tna\tB\n", "has an up and a down side, and negative weights for 'A'"),
        ("X_UP\tna\tA\nX_DN\tna\tB\nX\tna\tC\n", "not clear which sets make the pair 'X'"),
        ("X_UP\tna\tA\nX_up\tna\tB\nX_DN\tna\tC\n", "not clear which sets make the pair 'X'"),
        ("X_UP\tna\tA\nX_DN\tna\tA\n", "Gene set 'X' has no gene with a direction"),
    ],
)
def test_refuses_what_cannot_be_meant(gmt, text, message):
    with pytest.raises(FeatureError, match=message):
        read_gmt(gmt(text))


def test_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FeatureError, match=r"Gene sets cannot be read from .*absent\.gmt"):
        read_gmt(tmp_path / "absent.gmt")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": " ", "up": ("A",)}, "has no name"),
        ({"name": "X", "up": ()}, "no gene with a direction"),
        ({"name": "X", "up": ("A", "A")}, "lists 'A' more than once"),
        ({"name": "X", "up": ("A",), "down": ("A",)}, "lists 'A' more than once"),
        ({"name": "X", "up": ("A",), "up_weights": (1.0, 2.0)}, "has 2 weights for 1 genes"),
        ({"name": "X", "up": ("A",), "up_weights": (-1.0,)}, "not positive numbers"),
        ({"name": "X", "up": ("A",), "down": ("B",), "down_weights": (float("nan"),)}, "not positive numbers"),
    ],
)
def test_a_gene_set_refuses_what_contradicts_itself(fields, message):
    with pytest.raises(FeatureError, match=message):
        GeneSet(**fields)


def _write(folder, text):
    path = folder / "table.tsv"
    path.write_text(text)
    return path


def test_strongest_genes_of_each_side_with_their_weights(tmp_path):
    path = _write(tmp_path, "gene\ta\tb\nx\t1.5\tNA\ny\t-2\t0\nz\t3\t-1\nw\t1.5\t\nv\t0.1\t2e-1\n")
    a, b = read_signature_table(path, 2)
    assert (a.name, a.up, a.up_weights) == ("a", ("z", "x"), (3.0, 1.5))
    assert (a.down, a.down_weights) == (("y",), (2.0,))
    assert (b.up, b.down, b.up_weights, b.down_weights) == (("v",), ("z",), (0.2,), (1.0,))


def test_the_gene_column_may_stand_anywhere(tmp_path):
    (signature,) = read_signature_table(_write(tmp_path, "a\tgene\n-1\tx\n"), 5)
    assert signature.down == ("x",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found the columns none and 0 row"),
        ("symbol\ta\nx\t1\n", "needs a column 'gene'.*found the columns symbol, a"),
        ("gene\nx\n", "a column of weights for each signature"),
        ("gene\ta\ta\nx\t1\t2\n", "each with its own name"),
        ("gene\ta\n", "0 row"),
        ("gene\ta\nx\t1\nx\t2\n", "lists a gene twice"),
        ("gene\ta\nx\t1\ny\n", "line 3: 2 cells are expected"),
        ("gene\ta\nx\tbig\n", "'a' of gene 'x' is 'big', but weights are finite"),
        ("gene\ta\nx\tinf\n", "is 'inf'"),
        ("gene\ta\nx\t0\n", "has no gene with a direction"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path, text, message):
    with pytest.raises(FeatureError, match=message):
        read_signature_table(_write(tmp_path, text), 5)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FeatureError, match=r"cannot be read from .*nowhere.tsv"):
        read_signature_table(tmp_path / "nowhere.tsv", 5)


def test_a_line_of_a_file_that_is_none_is_not_repeated_in_full(tmp_path):
    path = tmp_path / "zeros.gmt"
    path.write_text("0" * 100_000)
    with pytest.raises(FeatureError) as caught:
        read_gmt(path)
    assert len(str(caught.value)) < 500
