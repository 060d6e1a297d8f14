import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from responder_ml.cohort.expression_source import open_expression
from responder_ml.cohort.grid_files import ParquetGrid, open_grid
from responder_ml.errors import CohortError, ExpressionError

GENES = ["a", "a.1", "c", "b.2.x", "007"]


@pytest.fixture
def table():
    return pd.DataFrame(np.arange(55).reshape(11, 5), index=[f"s{row}" for row in range(11)], columns=GENES)


@pytest.mark.parametrize("group", [1, 3, 100])
@pytest.mark.parametrize("transposed", [False, True])
def test_cells_are_found_whatever_the_row_groups(group, transposed, table, tmp_path):
    (table.T if transposed else table).to_parquet(tmp_path / "t.parquet", row_group_size=group)
    assert isinstance(open_grid(tmp_path / "t.parquet"), ParquetGrid)
    source = open_expression(tmp_path / "t.parquet", GENES)
    assert list(source.samples) == table.index.tolist()
    assert list(source.genes) == GENES
    for samples in ([0, 1], [2, 3, 4, 5, 6], [10], list(range(11)), [9, 0, 4], [1, 2]):
        for genes in ([0, 1, 2, 3, 4], [3, 0], [1]):
            block = source.block(np.array(samples), np.array(genes))
            np.testing.assert_array_equal(block, table.to_numpy()[samples][:, genes])


def test_only_the_needed_row_groups_and_columns_are_read(table, tmp_path, monkeypatch):
    table.to_parquet(tmp_path / "t.parquet", row_group_size=4)
    grid = open_grid(tmp_path / "t.parquet")
    read, original = [], pq.ParquetFile.read_row_groups

    def spy(self, groups, columns):
        read.append((groups, columns[1:]))
        return original(self, groups, columns=columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", spy)
    for rows in ([4, 5], [6, 7], [7, 8]):
        grid.numbers(np.array(rows), np.array([2, 0]), genes_in_rows=False)
    assert read == [([1], ["c", "a"]), ([1, 2], ["c", "a"])]


def test_names_of_rows_may_be_categories_and_missing_cells_are_not_numbers(tmp_path):
    frame = pd.DataFrame({"sample": pd.Categorical(["x", "y"]), "a": [1.5, None], "c": ["2", "NA"]})
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    block = open_expression(tmp_path / "t.parquet", ["a", "c"], units="log2").block(np.arange(2), np.arange(2))
    np.testing.assert_array_equal(block, [[1.5, 2], [np.nan, np.nan]])


def test_text_is_refused_by_gene_and_sample(table, tmp_path):
    broken = table.astype(str)
    broken.iloc[7, 3] = "high"
    broken.to_parquet(tmp_path / "t.parquet", row_group_size=3)
    source = open_expression(tmp_path / "t.parquet", GENES)
    source.block(np.arange(6), np.arange(5))
    with pytest.raises(ExpressionError, match=r"gene 'b\.2\.x', sample 's7' is 'high'"):
        source.block(np.arange(6, 9), np.array([4, 3]))


def test_repeated_names_are_refused(tmp_path):
    pq.write_table(pa.table([["s1"], [1], [2]], names=["sample", "a", "a"]), tmp_path / "t.parquet")
    with pytest.raises(CohortError, match="could not be read"):
        open_grid(tmp_path / "t.parquet")


def test_a_file_damaged_where_it_is_read_later_is_refused(table, tmp_path):
    path = tmp_path / "t.parquet"
    table.to_parquet(path, row_group_size=4, compression="gzip")
    grid = open_grid(path)
    content = bytearray(path.read_bytes())
    start = pq.read_metadata(path).row_group(2).column(2).data_page_offset
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(CohortError, match="could not be read"):
        grid.numbers(np.arange(8, 11), np.arange(5), genes_in_rows=False)
