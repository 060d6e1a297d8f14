import numpy as np
import pytest

from responder_ml.cohort.read import keep_rows, read_table
from responder_ml.errors import SampleSheetError


def _read(files, **keywords):
    return read_table(*files, **{"units": "counts", **keywords})


def test_columns_of_numbers_become_numbers_and_names_stay_text(files, write, sheet):
    cohort = _read(files, columns={"subject": "animal", "batch": "dose"})
    assert cohort.obs["batch"].tolist() == ["10", "10", "20", "20"]
    assert cohort.obs["rin"].tolist()[:2] == [8.5, 9.0]
    assert np.isnan(cohort.obs["rin"].tolist()[2])
    codes = {
        "code": ["01", "02", "03", "04"],
        "plate": ["1E5", "1E6", "2E1", "2E2"],
        "small": ["1e-05", "2.5", "-3", ".5"],
    }
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


def test_one_column_may_have_two_canonical_names(files):
    cohort = _read(files, columns={"sample": "sample_id", "subject": "sample_id"})
    assert cohort.obs["subject"].tolist() == cohort.obs["sample"].tolist() == ["s1", "s2", "s3", "s4"]
    assert cohort.uns["subject_source"] == "column"


def test_the_edges_that_spreadsheets_leave_are_ignored(files, write, sheet):
    text = "".join(line + ",,\n" for line in sheet.to_csv(index=False).splitlines()) + ",,,,,,\n"
    assert _read((files[0], write("edges.csv", text))).obs.columns.tolist() == [
        "sample", "animal", "region", "dose", "rin", "subject",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "selected"),
    [
        ({"region": "PFC"}, ["s1", "s3"]),
        ({"region": ["PFC", "NAc"], "subject": "m2"}, ["s3", "s4"]),
        ({"dose": "20"}, ["s3", "s4"]),
        ({}, ["s1", "s2", "s3", "s4"]),
    ],
)
def test_where_selects_rows_by_canonical_name(files, where, selected):
    assert _read(files, columns={"subject": "animal"}, where=where).obs_names.tolist() == selected
    assert keep_rows(_read(files, columns={"subject": "animal"}), where).obs_names.tolist() == selected


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
        ({"region": "PFC", "sample": "s2"}, r"selects no sample"),
    ],
)
def test_where_without_matching_rows_is_refused(files, where, message):
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
    with pytest.raises(SampleSheetError, match=r"no column called sample or sample_id. It has: library, animal"):
        _read((files[0], samples))
    assert _read((files[0], samples), columns={"sample": "library"}).n_obs == 4


def test_two_columns_of_one_name_are_refused(files, write):
    samples = write("twice.csv", "sample,sex,sex\ns1,m,m\ns2,m,m\n")
    with pytest.raises(SampleSheetError, match="more than one column called 'sex'"):
        _read((files[0], samples))
