import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.expression_source import open_expression
from responder_ml.exceptions import CohortError, ExpressionError, GeneNameError, SampleSheetError

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
