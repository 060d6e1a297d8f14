"""External signatures: what a table says of its genes, what is refused, and that numbers of any size can be used."""

import gzip
import os

import pytest

from responder_ml.errors import FeatureError
from responder_ml.features.external_signatures import (
    TableColumns,
    is_weighted,
    read_signature_file,
    scale_weights,
)
from responder_ml.features.gene_sets import GeneSet

EFFECT = TableColumns("gene", effect="t")


def _table(tmp_path, text, name="table.tsv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_effects_give_sides_and_weights_of_at_most_one(tmp_path):
    path = _table(tmp_path, "gene\tt\tpadj\na\t4\t0.01\nb\t-2\t0.2\nc\tNA\t0.1\nd\t0\t0.9\n")
    (one,) = read_signature_file(path, "s", EFFECT).sets
    assert (one.up, one.down) == (("a",), ("b",))
    assert (one.up_weights, one.down_weights) == ((1.0,), (0.5,))
    assert is_weighted(one)


def test_directions_are_the_words_that_are_declared(tmp_path):
    path = _table(tmp_path, "gene,way\na,1\nb,-1\nc,ns\nd,\n", "table.csv")
    columns = TableColumns("gene", direction="way", up=("1",), down=("-1",), neither=("ns",))
    (one,) = read_signature_file(path, "s", columns).sets
    assert (one.up, one.down, one.up_weights) == (("a",), ("b",), None)
    assert not is_weighted(one)
    with pytest.raises(FeatureError, match="other words than those declared: 'ns'"):
        read_signature_file(path, "s", TableColumns("gene", direction="way", up=("1",), down=("-1",)))


def test_at_most_takes_the_smallest_p_or_the_largest_effects(tmp_path):
    path = _table(tmp_path, "gene\tt\tp\na\t1\t0.001\nb\t-9\t0.5\nc\t8\t0.02\nd\t7\tNA\n")
    by_p = read_signature_file(path, "s", TableColumns("gene", effect="t", p="p", at_most=2)).sets[0]
    assert (*by_p.up, *by_p.down) == ("a", "c")
    by_effect = read_signature_file(path, "s", TableColumns("gene", effect="t", at_most=2)).sets[0]
    assert (*by_effect.up, *by_effect.down) == ("c", "b")


def test_a_gene_listed_twice_counts_once_and_not_at_all_with_both_signs(tmp_path):
    path = _table(tmp_path, "gene\tt\tp\na\t1\t0.1\na\t3\t0.01\nb\t2\t0.1\nb\t-2\t0.2\nc\t-1\t0.3\n")
    file = read_signature_file(path, "s", TableColumns("gene", effect="t", p="p", at_most=9))
    (one,) = file.sets
    assert (one.up, one.down, one.both_sides) == (("a",), ("c",), ("b",))
    assert one.up_weights == (1.0,)
    assert any("both directions" in note for note in file.notes)
    assert any("more than once" in note for note in file.notes)


def test_a_column_of_set_names_makes_sets_and_pairs_sides(tmp_path):
    path = _table(tmp_path, "set\tgene\nX_Up\ta\nX_Down\tb\nY\tc\nY\ta\n")
    sets = read_signature_file(path, "s", TableColumns("gene", sets="set")).sets
    assert [(one.name, one.up, one.down) for one in sets] == [("X", ("a",), ("b",)), ("Y", ("c", "a"), ())]


def test_a_gmt_may_be_packed_and_one_set_takes_the_entrys_name(tmp_path):
    path = tmp_path / "sets.gmt.gz"
    path.write_bytes(gzip.compress(b"X_UP\t\ta\tb\nX_DN\t\tc\n"))
    (one,) = read_signature_file(path, "mine").sets
    assert (one.name, one.up, one.down) == ("mine", ("a", "b"), ("c",))
    path.write_bytes(gzip.compress(b"X_UP\t\ta\tb\n")[:-9])
    with pytest.raises(FeatureError, match="cannot be read"):
        read_signature_file(path, "mine")


def test_names_that_a_spreadsheet_damaged_are_refused_or_dropped(tmp_path):
    path = _table(tmp_path, "gene\tt\na\t1\n1-Sep\t2\n")
    with pytest.raises(FeatureError, match="damaged_names: drop"):
        read_signature_file(path, "s", EFFECT)
    file = read_signature_file(path, "s", EFFECT, drop_damaged=True)
    assert file.sets[0].up == ("a",)
    assert "1-Sep" in file.notes[0]
    gmt = _table(tmp_path, "X\t\ta\t1-Sep\n", "x.gmt")
    with pytest.raises(FeatureError, match="spreadsheet"):
        read_signature_file(gmt, "s")
    assert read_signature_file(gmt, "s", drop_damaged=True).sets[0].up == ("a",)


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("gene\tt\na\t1\n", TableColumns("symbol", effect="t"), "0 columns 'symbol'"),
        ("gene\tt\tt\na\t1\t2\n", EFFECT, "2 columns 't'"),
        ("gene\tt\na\tlarge\n", EFFECT, "no finite number"),
        ("gene\tt\na\tinf\n", EFFECT, "no finite number"),
        ("gene\tt\tp\na\t1\t2\n", TableColumns("gene", effect="t", p="p", at_most=1), "between 0 and 1"),
        ("gene\tt\na\tNA\nb\t0\n", EFFECT, "no row"),
        ("gene\tt\na\t1\na\t-1\n", EFFECT, "no row"),
        ("gene\tt\n", EFFECT, "no rows"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path, text, columns, message):
    with pytest.raises(FeatureError, match=message):
        read_signature_file(_table(tmp_path, text), "s", columns)


def test_a_folder_a_pipe_and_an_empty_file_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty.gmt").write_text("")
    for name, message in (("", "no file"), ("pipe", "no file"), ("absent", "no file"), ("empty.gmt", "no gene set")):
        with pytest.raises(FeatureError, match=message):
            read_signature_file(tmp_path / name, "s")


def test_weights_of_any_size_have_finite_squares(tmp_path):
    one = scale_weights(GeneSet("s", ("a", "b"), ("c",), (1e300, 1e-300), (2e299,)))
    assert (one.up, one.up_weights, one.down_weights) == (("a",), (1.0,), (0.2,))
    plain = GeneSet("s", ("a",), ("b",))
    assert scale_weights(plain) is plain
    half = scale_weights(GeneSet("s", ("a",), ("b",), None, (2.0,)))
    assert (half.up_weights, half.down_weights) == ((0.5,), (1.0,))
