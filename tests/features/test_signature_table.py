import pytest

from responder_ml.exceptions import FeatureError
from responder_ml.features.signature_table import read_signature_table


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
    (found,) = read_signature_table(_write(tmp_path, "a\tgene\n-1\tx\n"), 5)
    assert found.down == ("x",)


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
