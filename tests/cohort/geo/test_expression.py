import gzip

import numpy as np
import pandas as pd
import pytest

from responder_ml.cohort.geo.expression import read_expression_file, read_matrix_values
from responder_ml.cohort.geo.series_matrix import Sample, SeriesMatrix
from responder_ml.errors import FetchError

SAMPLES = [
    Sample("GSM11", {"title": "Sample 1: PFC_a", "description": "Lib-1", "status": "public"}, {"run": "7A"}),
    Sample("GSM12", {"title": "Sample 2: PFC_b", "description": "Lib-2", "status": "public"}, {"run": "7B"}),
    Sample("GSM13", {"title": "Sample 3: PFC_c", "description": "Lib-3", "status": "public"}, {"run": "7C"}),
]
VALUES = np.arange(12.0).reshape(4, 3) + 1
GENES = ["Fos", "Arc", "__no_feature", "Egr1"]


def _file(tmp_path, columns, values=VALUES, name="GSE1_counts.txt.gz", genes=GENES, transpose=False):
    table = pd.DataFrame(values, index=genes, columns=columns)
    table = table.T if transpose else table
    path = tmp_path / name
    path.write_bytes(gzip.compress(table.to_csv(sep="," if ".csv" in name else "\t", index_label="gene").encode()))
    return path


@pytest.mark.parametrize(
    "columns",
    [
        ["GSM11", "GSM12", "GSM13"],
        ["GSM11_a.bam", "x_GSM12", "GSM13"],
        ["Sample 1: PFC_a", "Sample 2: PFC_b", "Sample 3: PFC_c"],
        ["Sample1.PFC_a", "Sample2.PFC_b", "Sample3.PFC_c"],
        ["Lib.1", "Lib.2", "Lib.3"],
        ["X7A", "X7B", "X7C"],
    ],
)
@pytest.mark.parametrize("transpose", [False, True])
def test_columns_are_matched_by_any_property_that_identifies_samples(tmp_path, columns, transpose):
    order = [2, 0, 1]
    path = _file(tmp_path, [columns[i] for i in order], VALUES[:, order], transpose=transpose)
    expression = read_expression_file(path, SAMPLES, None)
    assert expression.samples == ("GSM11", "GSM12", "GSM13")
    assert expression.genes == ("Fos", "Arc", "Egr1")
    np.testing.assert_array_equal(expression.values, VALUES[[0, 1, 3]])
    assert expression.units == "counts"
    assert (
        expression.notes[-1] == "1 row(s) named '__no_feature' are counters of reads without a gene and were left out."
    )


def test_columns_that_are_no_samples_are_ignored_and_absent_samples_noted(tmp_path):
    table = pd.DataFrame({"gene": GENES, "length": [9, 9, 9, 9], "GSM11": VALUES[:, 0], "GSM13": VALUES[:, 2]})
    path = tmp_path / "GSE1.csv.gz"
    path.write_bytes(gzip.compress(table.to_csv(index=False).encode()))
    expression = read_expression_file(path, SAMPLES, "counts")
    assert expression.samples == ("GSM11", "GSM13")
    assert expression.notes[:2] == (
        "GSE1.csv.gz: 1 column(s) hold no expression and were left out: 'length'.",
        "1 sample(s) have no values in GSE1.csv.gz and were left out: 'GSM12'.",
    )


def test_damaged_and_repeated_gene_names_are_noted(tmp_path):
    values = VALUES.copy()
    values[3, 1] = np.nan
    path = _file(tmp_path, ["GSM11", "GSM12", "GSM13"], values, genes=["1-Sep", "Arc", "Arc", "gap"])
    expression = read_expression_file(path, SAMPLES, None)
    assert expression.genes == ("1-Sep", "Arc", "Arc")
    assert [note.split(" were ")[0] for note in expression.notes] == [
        "1 gene(s) have missing values in some sample and",
        "1 gene name(s)",
        "1 gene name(s) are repeated. See `cohort.genes.many_to_one`.",
    ]


@pytest.mark.parametrize(
    ("columns", "values", "units", "words"),
    [
        (["a", "b", "c"], VALUES, None, r"0 of 3 samples are in it.*columns start with 'a', 'b', 'c'; titles with 'Sample 1"),
        (["GSM11", "GSM12", "GSM13"], VALUES + 0.5, None, r"not whole numbers.*expression: \{units: \.\.\.\}"),
        (["GSM11", "GSM12", "GSM13"], VALUES * 100, "log2", "declare"),
    ],
)  # fmt: skip
def test_what_cannot_be_this_series_expression_is_refused(tmp_path, columns, values, units, words):
    with pytest.raises(FetchError, match=words):
        read_expression_file(_file(tmp_path, columns, values), SAMPLES, units)


def test_values_of_several_platforms_are_joined_on_their_rows():
    one = SeriesMatrix(tuple(SAMPLES[:2]), ("p1", "p2", "p3"), np.array([[1.5, 2], [3, 4], [5, 6]]))
    two = SeriesMatrix(tuple(SAMPLES[2:]), ("p3", "p1"), np.array([[7.0], [8]]))
    expression = read_matrix_values([one, two], "m", "log2")
    assert expression.genes == ("p1", "p3")
    np.testing.assert_array_equal(expression.values, [[1.5, 2, 8], [5, 6, 7]])


@pytest.mark.parametrize(
    ("matrix", "units", "words"),
    [
        (SeriesMatrix(tuple(SAMPLES)), "log2", "usual for RNA-seq"),
        (SeriesMatrix(tuple(SAMPLES), ("p",), np.ones((1, 3))), None, "does not say what its values are"),
    ],
)
def test_values_of_a_matrix_must_exist_and_be_declared(matrix, units, words):
    with pytest.raises(FetchError, match=words):
        read_matrix_values([matrix], "m", units)
