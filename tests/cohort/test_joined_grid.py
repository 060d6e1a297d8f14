import numpy as np
import pandas as pd
import pytest

from responder_ml.cohort.grid_files import open_grid
from responder_ml.cohort.read import read_table
from responder_ml.errors import CohortError


def _write(path, genes, samples, start):
    values = np.arange(len(genes) * len(samples)).reshape(len(genes), len(samples)) + start
    table = pd.DataFrame(values, index=genes, columns=samples)
    (table.T if path.name.startswith("t_") else table).to_csv(path, sep="\t", index_label="x")
    return table


@pytest.mark.parametrize("prefix", ["g_", "t_"])
def test_samples_of_several_files_stand_side_by_side_on_common_genes(tmp_path, prefix):
    one = _write(tmp_path / f"{prefix}1.tsv", ["a", "b", "c", "d"], ["s1", "s2"], 0)
    two = _write(tmp_path / f"{prefix}2.tsv", ["c", "a", "e", "b"], ["s3"], 100)
    (tmp_path / "sheet.csv").write_text("sample,sex\ns3,m\ns1,f\ns2,f\n")
    cohort = read_table(tmp_path / "*.tsv", tmp_path / "sheet.csv", units="counts")
    expected = pd.concat([one, two], axis=1, join="inner")
    assert cohort.var_names.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(cohort.X, expected.loc[["a", "b", "c"], ["s3", "s1", "s2"]].to_numpy().T)
    messages = [message for _, message in cohort.uns["reading"]]
    assert "2 expression files were joined on 3 genes that all have." in messages
    assert any("1 of up to 4 genes are missing in some file" in message for message in messages)


def test_a_list_a_folder_and_a_pattern_are_the_same(tmp_path):
    folder = tmp_path / "counts"
    folder.mkdir()
    for number in (1, 2):
        _write(folder / f"g_{number}.tsv", ["a", "b"], [f"s{number}"], number)
    ways = [folder, folder / "*.tsv", [folder / "g_1.tsv", folder / "g_2.tsv"]]
    grids = [open_grid(way) for way in ways]
    assert all(list(grid.columns) == ["s1", "s2"] for grid in grids)


def test_files_of_one_sample_called_alike_are_named_after_their_files(tmp_path):
    for number in (1, 2):
        (tmp_path / f"m{number}_counts.csv").write_text(f"gene,count\na,{number}\nb,{number + 1}\n")
    grid = open_grid(tmp_path)
    assert list(grid.columns) == ["m1", "m2"]
    assert grid.numbers(np.array([1, 0]), np.array([1, 0]), genes_in_rows=True).tolist() == [[3, 2], [2, 1]]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (["x", "y", "z"], r"have 0 genes in common.*begins with 'a', 'b', 'c', .* with 'x'"),
        (["a", "b", "b"], r"names 1 gene\(s\) more than once"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path, second, message):
    _write(tmp_path / "g_1.tsv", ["a", "b", "c"], ["s1"], 0)
    _write(tmp_path / "g_2.tsv", second, ["s2"], 0)
    with pytest.raises(CohortError, match=message):
        open_grid(tmp_path)


def test_a_pattern_without_files_is_refused(tmp_path):
    with pytest.raises(CohortError, match="stands for no file"):
        open_grid(tmp_path / "*.tsv")
