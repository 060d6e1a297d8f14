import gzip
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from responder_ml.cohort.cells import read_cells
from responder_ml.cohort.read import read_table
from responder_ml.errors import CohortError, GeneNameError


def _save(table: pd.DataFrame, path: Path, *, index_label: str = "gene") -> Path:
    """Write a matrix with its row names first, in the format of the suffix."""
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".xlsx":
        table.to_excel(path, index_label=index_label)
    else:
        table.to_csv(path, sep="," if ".csv" in path.name else "\t", index_label=index_label)
    return path


def _read(files, **keywords):
    return read_table(*files, **{"units": "counts", **keywords})


def test_a_header_without_a_name_for_the_first_column_is_understood(write, sheet):
    text = "s1\ts2\ts3\ts4\nFos\t1\t2\t3\t4\nArc\t5\t6\t7\t8\n"
    cohort = _read((write("e.tsv", text), write("s.csv", sheet.to_csv(index=False))))
    np.testing.assert_array_equal(cohort.X, [[1, 5], [2, 6], [3, 7], [4, 8]])


def test_quotes_byte_order_mark_and_windows_line_ends_are_understood(write, sheet):
    text = '\ufeff"gene","s1","s2","s3","s4"\r\n"Fos, the first",1,2,3,4\r\n"007","5",6,7,8\r\n'
    cohort = _read((write("e.csv", text), write("s.csv", sheet.to_csv(index=False))))
    assert cohort.var_names.tolist() == ["Fos, the first", "007"]
    np.testing.assert_array_equal(cohort.X[:, 1], [5, 6, 7, 8])


@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_file_is_named(files, tmp_path, which):
    paths = list(files)
    paths[which] = tmp_path / "nowhere.csv"
    with pytest.raises(CohortError, match=r"no file .*nowhere\.csv"):
        _read(paths)


@pytest.mark.parametrize("name", ["e.doc", "e.rds", "e.parquet.gz", "e"])
def test_an_unknown_ending_is_refused(files, write, name):
    with pytest.raises(CohortError, match=r"an ending this program does not read.*\.h5ad"):
        _read((write(name, "x"), files[1]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.csv", "gene\nFos\nArc\n", r"1 column.*commas in \.csv"),
        ("e.csv", "", r"at least 2 are needed"),
        ("e.csv", "gene,s1,s2\n", r"a header but no rows"),
        ("e.csv", "gene,s1,s2,s3,s4\nFos,1,2,3,4\nArc,1,2\n", r"could not be read.*as many cells in every row"),
        ("e.parquet", "not parquet", r"could not be read"),
        ("e.xlsx", "not a workbook", r"could not be read"),
        ("e.h5ad", "not hdf5", r"could not be read"),
    ],
)
def test_broken_files_are_refused(files, write, name, content, message):
    with pytest.raises(CohortError, match=message):
        _read((write(name, content), files[1]))


def test_text_that_is_not_utf8_and_cut_off_archives_are_refused(files, tmp_path):
    (tmp_path / "latin.csv").write_bytes("gène,s1,s2\nFos,1,2\n".encode("latin-1"))
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"gene,s1,s2\nFos,1,2\n" * 100)[:-20])
    for name in ("latin.csv", "cut.csv.gz"):
        with pytest.raises(CohortError, match="could not be read"):
            _read((tmp_path / name, files[1]))


def test_dates_and_large_numbers_in_a_workbook_are_recognised(tmp_path, files, counts):
    table = counts.T.set_axis(["Fos", "Arc", datetime(2019, 9, 1), 2310009e13, "Egr1"], axis=0)
    expression = _save(table, tmp_path / "e.xlsx")
    with pytest.raises(GeneNameError, match=r"2 gene name.*'2019-09-01', '2\.310009E\+19'"):
        _read((expression, files[1]))


def test_entrez_ids_in_a_workbook_stay_what_they_are(tmp_path, files, counts):
    expression = _save(counts.T.set_axis([14281, 11838, 100008567, 20750, 12345], axis=0), tmp_path / "e.xlsx")
    assert _read((expression, files[1])).var_names.tolist() == ["14281", "11838", "100008567", "20750", "12345"]


@pytest.mark.parametrize("column", [[[1, 2]] * 3, [{"a": 1}] * 3, [b"\xff\xfe"] * 3])
def test_a_parquet_column_that_is_neither_text_nor_numbers_is_refused(tmp_path, column):
    pyarrow.parquet.write_table(pyarrow.table({"gene": list("abc"), "odd": column}), tmp_path / "odd.parquet")
    with pytest.raises(CohortError, match="could not be read"):
        read_cells(tmp_path / "odd.parquet")


def test_bytes_that_are_text_are_read_as_text(tmp_path):
    pyarrow.parquet.write_table(pyarrow.table({"gene": [b"Fos", b"Arc"], "s1": [1, 2]}), tmp_path / "bytes.parquet")
    assert read_cells(tmp_path / "bytes.parquet").text(0) == ["Fos", "Arc"]
