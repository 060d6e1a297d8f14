import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from responder_ml.cohort.expression_source import open_expression
from responder_ml.cohort.h5ad import open_h5ad
from responder_ml.errors import CohortError, ExpressionError, GeneNameError, SampleSheetError

KNOWN = ["Fos", "Arc", "Bdnf"]


@pytest.fixture
def table():
    return pd.DataFrame(
        np.arange(12.0).reshape(3, 4), index=["007", "NA", "b"], columns=["Arc", "Other", "Fos", "Bdnf"]
    )


def _write(table, path):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".h5ad":
        AnnData(table).write_h5ad(path)
    else:
        table.to_csv(path)
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.h5ad"])
@pytest.mark.parametrize("transposed", [False, True])
def test_the_genes_tell_the_orientation_and_names_survive(name, transposed, table, tmp_path):
    source = open_expression(_write(table.T if transposed else table, tmp_path / name), KNOWN)
    assert list(source.samples) == ["007", "NA", "b"]
    assert list(source.genes) == ["Arc", "Other", "Fos", "Bdnf"]
    block = source.block(np.array([2, 0]), np.array([3, 0, 2]))
    np.testing.assert_array_equal(block, table.to_numpy()[[2, 0]][:, [3, 0, 2]])
    assert block.flags.c_contiguous


@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
@pytest.mark.parametrize("transposed", [False, True])
def test_every_way_a_matrix_is_stored_gives_the_same_cells(stored, transposed, table, tmp_path):
    shown = table.T if transposed else table
    data = AnnData(stored(shown.to_numpy(dtype=np.float32)), obs=shown.iloc[:, :0], var=shown.T.iloc[:, :0])
    data.write_h5ad(tmp_path / "t.h5ad")
    source = open_expression(tmp_path / "t.h5ad", KNOWN)
    for samples in ([0, 1, 2], [1, 2], [2, 0], [1]):
        for genes in ([0, 1, 2, 3], [3, 1, 0], [2]):
            block = source.block(np.array(samples), np.array(genes))
            np.testing.assert_array_equal(block, table.to_numpy()[samples][:, genes])
            assert block.dtype == np.float64
            assert block.flags.c_contiguous


@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
def test_an_h5ad_file_is_read_a_run_of_samples_at_a_time_and_left_closed(stored, table, tmp_path, monkeypatch):
    data = AnnData(stored(table.to_numpy()), obs=table.iloc[:, :0], var=table.T.iloc[:, :0])
    data.write_h5ad(tmp_path / "t.h5ad")
    source = open_expression(tmp_path / "t.h5ad", KNOWN)
    opened_in_file = []

    def spy(path, *, in_file=False):
        opened_in_file.append(in_file)
        return open_h5ad(path, in_file=in_file)

    monkeypatch.setattr("responder_ml.cohort.h5ad.open_h5ad", spy)
    np.testing.assert_array_equal(source.block(np.array([1, 2]), np.array([0, 3])), table.to_numpy()[1:, [0, 3]])
    assert opened_in_file == [True]
    data.write_h5ad(tmp_path / "t.h5ad")


def test_a_missing_cell_is_not_a_number_and_text_is_refused_where_it_is_read(table, tmp_path):
    broken = table.astype(object)
    broken.iloc[0, 0], broken.iloc[1, 1] = np.nan, "high"
    source = open_expression(_write(broken, tmp_path / "t.csv"), KNOWN)
    assert np.isnan(source.block(np.array([0]), np.array([0]))).all()
    with pytest.raises(ExpressionError, match="'Other', sample 'NA' is 'high'"):
        source.block(np.array([1]), np.array([1]))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda table: table.rename(index={"b": "007"}), SampleSheetError, "'007'"),
        (lambda table: table.rename(index={"b": " "}), SampleSheetError, "have no name"),
        (lambda table: table.iloc[:0], CohortError, "no rows"),
        (lambda table: table.rename(columns={"Other": "Fos"}), GeneNameError, "'Fos'"),
        (lambda table: table.rename(columns={"Other": "1-Sep"}), GeneNameError, "spreadsheet"),
        (lambda table: table.add_prefix("mm_"), CohortError, "none of the 3 genes"),
    ],
)
def test_names_that_cannot_be_used_are_refused(change, error, words, table, tmp_path):
    with pytest.raises(error, match=words):
        open_expression(_write(change(table), tmp_path / "t.csv"), KNOWN)


def test_a_matrix_without_samples_is_refused(table, tmp_path):
    with pytest.raises(ExpressionError, match="no samples"):
        open_expression(_write(table.iloc[:0], tmp_path / "t.h5ad"), KNOWN)


@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=4, max_size=4))
@settings(max_examples=30, deadline=None)
def test_numbers_survive_to_the_last_bit(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("exact")
    (folder / "e.csv").write_text("gene,s1,s2,s3,s4\nFos," + ",".join(map(repr, values)) + "\n")
    block = open_expression(folder / "e.csv", ["Fos"]).block(np.arange(4), np.array([0]))
    assert block.ravel().tolist() == values


@pytest.mark.shared
def test_real_sample_ids_that_are_numbers_are_read(shared_data):
    source = open_expression(shared_data / "microarray" / "alon" / "expression.tsv.gz", ["X1", "X2"])
    assert list(source.samples) == [str(number) for number in range(1, 63)]
    assert len(source.genes) == 2000
    assert source.block(np.array([1]), np.array([list(source.genes).index("X1")])).item() == 9164.25
