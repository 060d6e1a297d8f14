import gzip
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given, settings
from hypothesis import strategies as st
from responder_ml.cohort.read import keep_rows, read_expression, read_h5ad, read_table
from responder_ml.exceptions import CohortError, ExpressionError, GeneNameError, SampleSheetError
from scipy.sparse import csr_matrix


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
    assert cohort.var_names.tolist() == ["Fos", "Arc", "NA", "007", "1234"]
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
    assert cohort.uns["unused_samples"] == ["aa", "zz"]


def test_text_in_rows_of_unlisted_samples_does_not_matter(write, counts, sheet):
    text = counts.to_csv(index_label="sample") + "note,a,b,c,d,e\n"
    cohort = _read((write("e.csv", text), write("s.csv", sheet.to_csv(index=False))))
    np.testing.assert_array_equal(cohort.X, counts.to_numpy())
    assert cohort.uns["unused_samples"] == ["note"]


def test_a_header_without_a_name_for_the_first_column_is_understood(write, sheet):
    text = "s1\ts2\ts3\ts4\nFos\t1\t2\t3\t4\nArc\t5\t6\t7\t8\n"
    cohort = _read((write("e.tsv", text), write("s.csv", sheet.to_csv(index=False))))
    np.testing.assert_array_equal(cohort.X, [[1, 5], [2, 6], [3, 7], [4, 8]])


def test_quotes_byte_order_mark_and_windows_line_ends_are_understood(write, sheet):
    text = '\ufeff"gene","s1","s2","s3","s4"\r\n"Fos, the first",1,2,3,4\r\n"NA","5",6,7,8\r\n'
    cohort = _read((write("e.csv", text), write("s.csv", sheet.to_csv(index=False))))
    assert cohort.var_names.tolist() == ["Fos, the first", "NA"]
    np.testing.assert_array_equal(cohort.X[:, 1], [5, 6, 7, 8])


@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=4, max_size=4))
@settings(max_examples=30, deadline=None)
def test_numbers_survive_to_the_last_bit(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("exact")
    (folder / "e.csv").write_text("gene,s1,s2,s3,s4\nFos," + ",".join(map(repr, values)) + "\n")
    found = read_expression(folder / "e.csv", ["s1", "s2", "s3", "s4"])
    assert found["Fos"].tolist() == values


def test_columns_of_numbers_become_numbers_and_names_stay_text(files, write, sheet):
    cohort = _read(files, columns={"subject": "animal", "batch": "dose"})
    assert cohort.obs["batch"].tolist() == ["10", "10", "20", "20"]
    assert cohort.obs["rin"].tolist()[:2] == [8.5, 9.0]
    assert np.isnan(cohort.obs["rin"].tolist()[2])
    codes = {"code": ["01", "02", "03", "04"], "plate": ["1E5", "1E6", "2E1", "2E2"], "small": ["1e-05", "2.5", "-3", ".5"]}
    text = sheet.assign(label=["1", "0", "", "1"], **codes).to_csv(index=False)
    obs = _read((files[0], write("t.csv", text))).obs
    assert obs["dose"].tolist() == [10, 10, 20, 20]
    assert obs["label"].tolist() == ["1", "0", "", "1"]  # a gap must not turn class 1 into 1.0
    assert obs["code"].tolist() == codes["code"]
    assert obs["plate"].tolist() == codes["plate"]
    assert obs["small"].tolist() == [1e-5, 2.5, -3.0, 0.5]


def test_without_a_subject_column_each_sample_is_its_own_subject(files):
    cohort = _read(files)
    assert cohort.obs["subject"].tolist() == ["s1", "s2", "s3", "s4"]
    assert cohort.uns["subject_source"] == "sample"


def test_one_column_may_serve_under_two_names(files):
    cohort = _read(files, columns={"sample": "sample_id", "subject": "sample_id"})
    assert cohort.obs["subject"].tolist() == cohort.obs["sample"].tolist() == ["s1", "s2", "s3", "s4"]
    assert cohort.uns["subject_source"] == "column"


def test_the_edges_that_spreadsheets_leave_are_ignored(files, write, sheet):
    text = "".join(line + ",,\n" for line in sheet.to_csv(index=False).splitlines()) + ",,,,,,\n"
    assert _read((files[0], write("edges.csv", text))).obs.columns.tolist() == [
        "sample", "animal", "region", "dose", "rin", "subject",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ({"region": "PFC"}, ["s1", "s3"]),
        ({"region": ["PFC", "NAc"], "subject": "m2"}, ["s3", "s4"]),
        ({"dose": "20"}, ["s3", "s4"]),
        ({}, ["s1", "s2", "s3", "s4"]),
    ],
)
def test_where_keeps_rows_by_canonical_name(files, where, left):
    assert _read(files, columns={"subject": "animal"}, where=where).obs_names.tolist() == left
    assert keep_rows(_read(files, columns={"subject": "animal"}), where).obs_names.tolist() == left


def test_samples_that_where_leaves_out_need_not_be_in_the_matrix(write, counts, sheet):
    files = (
        write("e.csv", counts.T[["s1", "s3"]].to_csv(index_label="gene")),
        write("s.csv", sheet.to_csv(index=False)),
    )
    cohort = _read(files, where={"region": "PFC"})
    assert cohort.obs_names.tolist() == ["s1", "s3"]
    assert cohort.uns["unused_samples"] == []
    with pytest.raises(SampleSheetError, match=r"2 of 4 samples .* not in e.csv: 's2', 's4'"):
        _read(files)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"region": "AMY"}, r"No sample has 'AMY' in 'region'. These values occur: 'NAc', 'PFC'"),
        ({"region": ["PFC", "HIP"]}, r"No sample has 'HIP'"),
        ({"regoin": "PFC"}, r"column 'regoin'. Did you mean 'region'"),
        ({"region": "PFC", "sample": "s2"}, r"leaves no sample"),
    ],
)
def test_where_that_finds_nothing_is_refused(files, where, message):
    with pytest.raises(SampleSheetError, match=message):
        _read(files, where=where)


@pytest.mark.parametrize(
    ("columns", "change", "message"),
    [
        ({"subject": "animal_id"}, {}, r"no column 'animal_id'. Did you mean 'animal'"),
        ({"subject": "animal"}, {"animal": ["m1", "", "unknown", "NA"]}, r"3 of 4 samples have no subject"),
        ({"region": "dose"}, {}, r"already has a column 'region', but `columns` gives that name to 'dose'"),
        ({}, {"sample_id": ["s1", "s2", "s2", "s1"]}, r"2 sample id\(s\) occur more than once: 's1', 's2'"),
        ({}, {"sample_id": ["s1", "s2", " ", "s4"]}, r"1 row\(s\) have no sample id"),
        ({"sample": "animal"}, {}, r"2 sample id\(s\) occur more than once: 'm1', 'm2'"),
    ],
)
def test_unusable_sheets_are_refused(files, write, sheet, columns, change, message):
    samples = write("other.csv", sheet.assign(**change).to_csv(index=False))
    with pytest.raises(SampleSheetError, match=message):
        _read((files[0], samples), columns=columns)


def test_a_sheet_without_sample_ids_lists_its_columns(files, write, sheet):
    samples = write("other.csv", sheet.rename(columns={"sample_id": "library"}).to_csv(index=False))
    with pytest.raises(SampleSheetError, match="no column called sample or sample_id. It has: library, animal"):
        _read((files[0], samples))
    assert _read((files[0], samples), columns={"sample": "library"}).n_obs == 4


def test_two_columns_of_one_name_are_refused(files, write):
    samples = write("twice.csv", "sample,sex,sex\ns1,m,m\ns2,m,m\n")
    with pytest.raises(SampleSheetError, match="more than one column called 'sex'"):
        _read((files[0], samples))


@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_file_is_named(files, tmp_path, which):
    paths = list(files)
    paths[which] = tmp_path / "nowhere.csv"
    with pytest.raises(CohortError, match=r"no file .*nowhere\.csv"):
        _read(paths)


@pytest.mark.parametrize("name", ["e.doc", "e.xls", "e.parquet.gz", "e"])
def test_an_unknown_ending_is_refused(files, write, name):
    with pytest.raises(CohortError, match=r"an ending this program does not read.*\.h5ad"):
        _read((write(name, "x"), files[1]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.csv", "gene;s1;s2\nFos;1;2\n", r"1 column.*other characters.*commas in \.csv"),
        ("e.tsv", "gene,s1,s2\nFos,1,2\n", r"1 column.*other characters.*tabs in \.tsv"),
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


def test_ids_on_neither_axis_are_shown_from_both_sides(write, files, counts):
    expression = write("e.csv", counts.rename(index=lambda name: "lib_" + name).T.to_csv(index_label="gene"))
    with pytest.raises(CohortError, match=r"none of the 4 sample ids .*'s1'.*rows start with 'Fos'.*'lib_s1'"):
        _read((expression, files[1]))


def test_ids_that_r_has_rewritten_are_recognised(write):
    expression = write("e.tsv", "gene\tX143A.CA3.1\tX143B.DG.1\nFos\t1\t2\n")
    samples = write("s.tsv", "sample\n".replace("\n", "\tsex\n") + "143A-CA3-1\tm\n143B-DG-1\tm\n")
    with pytest.raises(CohortError, match=r"leading X \(such as 'X143A.CA3.1'\).*check.names = FALSE"):
        _read((expression, samples))


def test_ids_on_both_axes_are_refused_and_a_full_match_settles_it(write):
    samples = write("s.csv", "sample,sex\n1,m\n2,m\n3,f\n")
    both = write("both.csv", "gene,1,2,3\n1,5,5,5\n2,6,6,6\n3,7,7,7\n")
    with pytest.raises(CohortError, match=r"stand on both axes \(3 of 3 in rows, 3 in columns\)"):
        _read((both, samples))
    neither_in_full = write("parts.csv", "gene,1,2,x\n1,5,5,5\n9,6,6,6\n")
    with pytest.raises(CohortError, match=r"stand on both axes \(1 of 3 in rows, 2 in columns\)"):
        _read((neither_in_full, samples))
    entrez = write("entrez.csv", "gene,1,2,3\n1,10,20,30\n2,11,21,31\n9,12,22,32\n")
    np.testing.assert_array_equal(_read((entrez, samples)).X, [[10, 11, 12], [20, 21, 22], [30, 31, 32]])


def test_missing_samples_are_counted_and_the_first_five_named(write):
    samples = write("s.csv", "sample,sex\n" + "".join(f"s{i},m\n" for i in range(9)))
    expression = write("e.csv", "gene,s0,s8\nFos,1,2\n")
    with pytest.raises(SampleSheetError, match="7 of 9 samples .*'s1', 's2', 's3', 's4', 's5' and 2 more"):
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
        (["Fos", "Arc", "", "007", "1234"], r"1 gene\(s\) have no name"),
    ],
)
def test_unusable_gene_names_are_refused(write, files, counts, names, message, genes_in_rows):
    renamed = counts.set_axis(names, axis=1)
    text = (renamed.T if genes_in_rows else renamed).to_csv(index_label="x")
    with pytest.raises(GeneNameError, match=message):
        _read((write("e.csv", text), files[1]))


def test_dates_and_large_numbers_in_a_workbook_are_recognised(tmp_path, files, counts):
    table = counts.T.set_axis(["Fos", "Arc", datetime(2019, 9, 1), 2310009e13, "Egr1"], axis=0)
    expression = _save(table, tmp_path / "e.xlsx")
    with pytest.raises(GeneNameError, match=r"2 gene name.*'2019-09-01', '2\.310009E\+19'"):
        _read((expression, files[1]))


def test_entrez_ids_in_a_workbook_stay_what_they_are(tmp_path, files, counts):
    expression = _save(counts.T.set_axis([14281, 11838, 100008567, 20750, 12345], axis=0), tmp_path / "e.xlsx")
    assert _read((expression, files[1])).var_names.tolist() == ["14281", "11838", "100008567", "20750", "12345"]


@pytest.mark.parametrize("genes_in_rows", [True, False])
@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("low", r"gene 'Arc', sample 's3' is 'low', not a number"),
        ("1,5", r"gene 'Arc', sample 's3' is '1,5', not a number"),
        ("1_000", r"gene 'Arc', sample 's3' is '1_000', not a number"),
        ("", r"1 value\(s\) are missing, in 1 gene\(s\) and 1 sample\(s\) \(first: gene 'Arc', sample 's3'\)"),
        ("NA", r"are missing.*gene 'Arc', sample 's3'"),
        ("nan", r"are missing.*gene 'Arc', sample 's3'"),
        ("-Inf", r"1 value\(s\) are infinite.*gene 'Arc', sample 's3'.*logarithm of 0"),
        ("-3", r"1 value\(s\) are negative \(first: gene 'Arc', sample 's3', -3\)"),
        ("2.5", r"not whole numbers \(first: gene 'Arc', sample 's3', 2.5\)"),
    ],
)
def test_unusable_values_are_refused_by_gene_sample_and_value(write, files, counts, cell, message, genes_in_rows):
    table = counts.astype(object)
    table.loc["s3", "Arc"] = cell
    text = (table.T if genes_in_rows else table).to_csv(index_label="x")
    with pytest.raises(ExpressionError, match=message):
        _read((write("e.csv", text), files[1]))


def test_blanks_around_numbers_and_names_do_no_harm(write, files):
    expression = write("e.csv", "gene, s1 , s2, s3, s4\n Fos, 1 ,2, 3 ,4\nArc,5,6,7,8\n")
    cohort = _read((expression, files[1]))
    assert cohort.var_names.tolist() == ["Fos", "Arc"]
    np.testing.assert_array_equal(cohort.X[:, 0], [1, 2, 3, 4])


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


@pytest.mark.parametrize("genes_in_rows", [True, False])
def test_strangers_are_read_by_known_genes(write, counts, genes_in_rows):
    path = write("new.csv", (counts.T if genes_in_rows else counts).to_csv(index_label="x"))
    found = read_expression(path, genes=["Arc", "NA", "unheard"])
    pd.testing.assert_frame_equal(found, counts, check_names=False)


def test_strangers_without_a_known_gene_are_refused(write, counts):
    path = write("new.csv", counts.T.to_csv(index_label="gene"))
    with pytest.raises(CohortError, match=r"none of the 2 genes of the model .*'ENSG1'.*same kind of gene identifier"):
        read_expression(path, genes=["ENSG1", "ENSG2"])


def test_read_expression_keeps_the_order_asked_for(files):
    assert read_expression(files[0], ["s3", "s1"]).index.tolist() == ["s3", "s1"]
    with pytest.raises(ValueError, match="sample_ids or genes"):
        read_expression(files[0])


@pytest.mark.shared
def test_real_counts_are_read_as_pandas_reads_them(shared_data):
    folder = shared_data / "gse102556_mouse_cvs"
    cohort = read_table(
        folder / "expression_counts.tsv.gz", folder / "samples.tsv", units="counts", where={"region": "NAc"}
    )
    plain = pd.read_csv(folder / "expression_counts.tsv.gz", sep="\t", index_col=0)[cohort.obs_names]
    np.testing.assert_array_equal(cohort.X, plain.to_numpy().T)
    assert cohort.var_names[0] == "100008567"
    with pytest.raises(SampleSheetError, match="78 of 78 samples have no subject .*'unknown'"):
        read_table(
            folder / "expression_counts.tsv.gz",
            folder / "samples.tsv",
            units="counts",
            columns={"subject": "animal_id"},
        )


@pytest.mark.shared
def test_real_sample_ids_that_are_numbers_are_read(shared_data):
    folder = shared_data / "microarray" / "alon"
    found = read_expression(folder / "expression.tsv.gz", [str(number) for number in range(1, 63)])
    assert found.shape == (62, 2000)
    assert found.loc["2", "X1"] == 9164.25
