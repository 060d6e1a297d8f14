from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

from responder_ml.cohort.read import read_h5ad, read_table
from responder_ml.errors import CohortError, ExpressionError, GeneNameError, SampleSheetError


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


FORMATS = ["csv", "tsv", "txt", "csv.gz", "tsv.gz", "parquet", "xlsx"]


@pytest.mark.parametrize("genes_in_rows", [True, False])
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_and_orientation_gives_the_same_cohort(tmp_path, counts, sheet, suffix, genes_in_rows):
    expression = _save(counts.T if genes_in_rows else counts, tmp_path / f"expression.{suffix}")
    samples = tmp_path / f"samples.{suffix}"
    _save(sheet.set_index("sample_id"), samples, index_label="sample_id")
    cohort = read_table(expression, samples, units="counts", columns={"subject": "animal"})
    np.testing.assert_array_equal(cohort.X, counts.to_numpy())
    assert cohort.X.dtype == np.float64
    assert cohort.obs_names.tolist() == counts.index.tolist()
    assert cohort.var_names.tolist() == ["Fos", "Arc", "TRUE", "007", "1234"]
    assert cohort.obs["subject"].tolist() == ["m1", "m1", "m2", "m2"]
    assert cohort.uns == {
        "units": "counts",
        "source": f"{expression.name} with {samples.name}",
        "simulated": False,
        "subject_source": "column",
        "unused_samples": [],
    }


def test_the_sheets_order_rules_and_samples_it_does_not_list_are_dropped_and_recorded(write, counts, sheet):
    shuffled = counts.loc[["s3", "s1", "s4", "s2"]].T.assign(zz=1.0, aa="text")
    files = (
        write("e.csv", shuffled.to_csv(index_label="gene")),
        write("s.csv", sheet.iloc[::-1].to_csv(index=False)),
    )
    cohort = _read(files)
    assert cohort.obs_names.tolist() == ["s4", "s3", "s2", "s1"]
    np.testing.assert_array_equal(cohort.X, counts.to_numpy()[::-1])
    assert cohort.uns["unused_samples"] == ["zz"]
    assert cohort.uns["reading"] == [["info", "e.csv: 1 column(s) hold no expression and were left out: 'aa'."]]


def test_missing_samples_are_counted_and_the_first_five_named(write):
    samples = write("s.csv", "sample,sex\n" + "".join(f"s{i},m\n" for i in range(9)))
    expression = write("e.csv", "gene,s0,s8\nFos,1,2\n")
    with pytest.raises(SampleSheetError, match=r"7 of 9 samples .*'s1', 's2', 's3', 's4', 's5' and 2 more"):
        _read((expression, samples))


def test_a_sample_twice_in_the_matrix_is_refused_but_an_unlisted_one_is_not(write, files):
    with pytest.raises(ExpressionError, match=r"1 sample\(s\) occur more than once: 's2'"):
        _read((write("e.csv", "gene,s1,s2,s2,s3,s4\nFos,1,2,3,4,5\n"), files[1]))
    cohort = _read((write("f.csv", "gene,s1,s2,x,x,s3,s4\nFos,1,2,3,4,5,6\n"), files[1]))
    assert cohort.X.ravel().tolist() == [1, 2, 5, 6]


@pytest.mark.parametrize("genes_in_rows", [True, False])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["Fos", "Arc", "Fos", "007", "1234"], "1 gene name.*more than once: 'Fos'"),
        (["Fos", "Arc", "1-Sep", "Mar-02", "2.31E+13"], "3 gene name.*spreadsheet program: '1-Sep', 'Mar-02'"),
    ],
)
def test_unusable_gene_names_are_refused(write, files, counts, names, message, genes_in_rows):
    renamed = counts.set_axis(names, axis=1)
    text = (renamed.T if genes_in_rows else renamed).to_csv(index_label="x")
    with pytest.raises(GeneNameError, match=message):
        _read((write("e.csv", text), files[1]))


def _h5ad(tmp_path, counts, sheet, *, matrix=np.asarray, **uns) -> Path:
    data = AnnData(
        X=matrix(counts.to_numpy()), obs=sheet.set_index("sample_id"), var=pd.DataFrame(index=counts.columns), uns=uns
    )
    data.write_h5ad(tmp_path / "e.h5ad")
    return tmp_path / "e.h5ad"


@pytest.mark.parametrize("matrix", [np.asarray, csr_matrix])
def test_h5ad_with_its_own_obs(tmp_path, counts, sheet, matrix):
    path = _h5ad(tmp_path, counts, sheet, matrix=matrix)
    cohort = read_h5ad(path, units="counts", columns={"subject": "animal"}, where={"region": "NAc"})
    np.testing.assert_array_equal(cohort.X, counts.to_numpy()[[1, 3]])
    assert cohort.obs["sample"].tolist() == cohort.obs_names.tolist() == ["s2", "s4"]
    assert cohort.obs["subject"].tolist() == ["m1", "m2"]
    assert cohort.uns["source"] == "e.h5ad"


def test_h5ad_with_sample_ids_in_a_column(tmp_path, counts, sheet):
    path = _h5ad(tmp_path, counts, sheet.assign(library=["a", "b", "c", "d"]))
    cohort = read_h5ad(path, units="counts", columns={"sample": "library"})
    assert cohort.obs_names.tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(cohort.X, counts.to_numpy())


def test_h5ad_with_a_sheet_beside_it(tmp_path, files, counts, sheet):
    path = _h5ad(tmp_path, counts, sheet[["sample_id"]])
    for cohort in (
        read_h5ad(path, units="counts", columns={"subject": "animal"}, samples=files[1]),
        read_table(path, files[1], units="counts", columns={"subject": "animal"}),
    ):
        np.testing.assert_array_equal(cohort.X, counts.to_numpy())
        assert cohort.obs["subject"].tolist() == ["m1", "m1", "m2", "m2"]


def test_h5ad_that_is_simulated_stays_so(tmp_path, counts, sheet):
    assert read_h5ad(_h5ad(tmp_path, counts, sheet, simulated=True), units="counts").uns["simulated"] is True


def test_h5ad_without_a_matrix_or_with_repeated_genes_is_refused(tmp_path, counts, sheet):
    AnnData(obs=sheet.set_index("sample_id")).write_h5ad(tmp_path / "empty.h5ad")
    with pytest.raises(CohortError, match="holds no matrix X"):
        read_h5ad(tmp_path / "empty.h5ad", units="counts")
    path = _h5ad(tmp_path, counts, sheet)
    import h5py

    with h5py.File(path, "r+") as file:
        file["var"][file["var"].attrs["_index"]][...] = ["Fos", "Fos", "Arc", "Egr1", "Junb"]
    with pytest.raises(GeneNameError, match="more than once: 'Fos'"):
        read_h5ad(path, units="counts")


@pytest.mark.shared
def test_real_counts_are_read_as_pandas_reads_them(shared_data):
    folder = shared_data / "gse102556_mouse_cvs"
    cohort = read_table(
        folder / "expression_counts.tsv.gz", folder / "samples.tsv", units="counts", where={"region": "NAc"}
    )
    plain = pd.read_csv(folder / "expression_counts.tsv.gz", sep="\t", index_col=0)[cohort.obs_names]
    np.testing.assert_array_equal(cohort.X, plain.to_numpy().T)
    assert cohort.var_names[0] == "100008567"
    with pytest.raises(SampleSheetError, match=r"78 of 78 samples have no subject .*'unknown'"):
        read_table(
            folder / "expression_counts.tsv.gz",
            folder / "samples.tsv",
            units="counts",
            columns={"subject": "animal_id"},
        )
