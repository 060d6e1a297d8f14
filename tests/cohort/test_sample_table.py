import anndata
import numpy as np
import openpyxl
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.cells import unwrap
from responder_ml.cohort.sample_sheet import read_sheet
from responder_ml.cohort.sample_table import SUFFIXES, wrap, write_sample_table
from responder_ml.errors import CohortError

# What a spreadsheet program would turn into another number, a date, a truth, or run.
AT_RISK = [
    "007", "0042", "00", "1e5", "2310009E13", "1E-3", "12.50", "1.0", ".5", "1,5", "1,234", "123456789012", "10%",
    "1-2", "1/2", "2026-01-02", "01.02.2026", "12:30", "1 1/2", "SEPT2", "MARCH1", "Mar-01", "1-Mar", "Dec 2026",
    "TRUE", "false", "=1+1", "=cmd|' /C calc'!A0", "+1", "-3", "-A", "@SUM(A1)", "\t=1", " 7", "7 ", '="x"', '=HYPERLINK("a")',
]  # fmt: skip
PLAIN = [
    "SRR5956385", "S01", "0", "7", "1001", "12345678901", "PFC_mouse-1", "a=b", "Gene1", "Trp53", "mouse 7", "NAc.12",
    "responder|non_responder", "Decorin", "Maybe", "May", "Marc", "Septin2", "T8_0", "", "H2-K1", "1a", "x-1",
]  # fmt: skip


@pytest.mark.parametrize("name", AT_RISK)
def test_names_at_risk_are_wrapped_and_come_back(name):
    (cell,) = wrap(pd.DataFrame({"sample": [name]}))["sample"]
    assert cell.startswith('="')
    assert cell.endswith('"')
    # A quote inside is doubled, so the formula is one piece of text and nothing after it runs.
    assert '"' not in cell[2:-1].replace('""', "")
    assert unwrap(cell) == name


CUT = [
    "a;=1+1", "a; =1+1", 'b;"=1', "c;'=1", "d;+1;-2", "=x;@y", "e;\t=1", "f;''-1", "a; b", "a;b=c", ";", "a;'b",
]  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_where_semicolons_separate_cells_no_part_begins_a_formula(name):
    (cell,) = wrap(pd.DataFrame({"sample": [name]}))["sample"]
    parts = cell.removeprefix('="').split(";")[1:]
    assert not any(part.lstrip(' \t"')[:1] in ("=", "+", "-", "@") for part in parts if part.strip(' \t"'))
    assert unwrap(cell) == name


@pytest.mark.parametrize("name", PLAIN)
def test_ordinary_names_are_written_as_they_are(name):
    (cell,) = wrap(pd.DataFrame({"sample": [name]}))["sample"]
    assert cell == name == unwrap(cell)


def test_numbers_and_truths_are_never_wrapped_and_column_names_are():
    table = pd.DataFrame({"sample": ["007"], "x": [-1.5], "n": [3], "abstain": [True], "SEPT2": [0.5]})
    wrapped = wrap(table)
    assert wrapped.columns.tolist() == ["sample", "x", "n", "abstain", '="SEPT2"']
    assert wrapped.iloc[0].tolist() == ['="007"', -1.5, 3, True, 0.5]
    assert table.columns[-1] == "SEPT2"


@pytest.fixture
def table():
    return pd.DataFrame(
        {"sample": ["007", "=1+1", "plain"], "log_odds": [0.1, np.nan, -2.0], "abstain": [True, False, False]}
    )


@pytest.mark.parametrize(("name", "separator"), [("t.csv", ","), ("t.tsv", "\t"), ("T.CSV", ",")])
def test_text_files_hold_wrapped_names(name, separator, table, tmp_path):
    write_sample_table(table, tmp_path / name)
    written = pd.read_csv(tmp_path / name, sep=separator, dtype={"sample": str})
    assert [unwrap(cell) for cell in written["sample"]] == table["sample"].tolist()
    assert written["sample"].tolist() == ['="007"', '="=1+1"', "plain"]
    np.testing.assert_array_equal(written["log_odds"], table["log_odds"])


def test_parquet_holds_the_names_themselves(table, tmp_path):
    write_sample_table(table, tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), table)


def test_h5ad_of_columns_alone(table, tmp_path):
    write_sample_table(table, tmp_path / "t.h5ad", tmp_path / "source.csv")
    written = anndata.read_h5ad(tmp_path / "t.h5ad")
    assert written.obs_names.tolist() == table["sample"].tolist()
    np.testing.assert_array_equal(written.obs["score_log_odds"], table["log_odds"])


@pytest.mark.parametrize("transposed", [False, True])
def test_h5ad_of_the_users_own_file_gains_columns(transposed, table, tmp_path):
    own = AnnData(
        np.arange(6.0).reshape(3, 2),
        obs=pd.DataFrame({"region": ["a", "b", "c"], "score_log_odds": 9.0}, index=["plain", "007", "=1+1"]),
        var=pd.DataFrame(index=["g1", "g2"]),
        uns={"units": "log2"},
    )
    (own.T if transposed else own).write_h5ad(tmp_path / "own.h5ad")
    write_sample_table(table, tmp_path / "t.h5ad", tmp_path / "own.h5ad")
    written = anndata.read_h5ad(tmp_path / "t.h5ad")
    assert written.obs_names.tolist() == ["plain", "007", "=1+1"]
    assert written.obs["region"].tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(written.obs["score_log_odds"], [-2.0, 0.1, np.nan])
    np.testing.assert_array_equal(written.X, own.X)
    assert written.uns["units"] == "log2"


def test_a_failed_write_leaves_the_former_file_and_no_partial_file(table, tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("former")

    def full(*args, **options):
        raise OSError("No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(CohortError, match="No space left"):
        write_sample_table(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "former"
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_another_suffix_is_refused(table, tmp_path):
    with pytest.raises(CohortError, match=r"\.xls"):
        write_sample_table(table, tmp_path / "t.xls")


@pytest.mark.parametrize("name", AT_RISK + PLAIN)
def test_a_workbook_holds_text_as_text(name, tmp_path):
    table = pd.DataFrame({"sample": [name], "SEPT2": [0.5], "gap": [np.nan], "abstain": [True]})
    write_sample_table(table, tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    assert [cell.value for cell in sheet[1]] == ["sample", "SEPT2", "gap", "abstain"]
    text, number, gap, truth = sheet[2]
    assert (text.value or "") == name
    if name:
        assert text.data_type in ("s", "inlineStr")
        assert text.number_format == "@"
    assert (number.value, gap.value, truth.value) == (0.5, None, True)


def test_a_workbook_can_be_a_sample_sheet_again(tmp_path):
    write_sample_table(pd.DataFrame({"sample": ["007", "1-2", "SEPT2"], "x": [1.5, 2.5, 3.5]}), tmp_path / "t.xlsx")
    assert read_sheet(tmp_path / "t.xlsx")["sample"].tolist() == ["007", "1-2", "SEPT2"]


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_wrapped_names_of_a_text_file_are_read_back_as_the_names(suffix, tmp_path):
    table = pd.DataFrame({"sample": AT_RISK, "SEPT2": np.arange(len(AT_RISK)) + 0.5})
    write_sample_table(table, tmp_path / f"t.{suffix}")
    written = read_sheet(tmp_path / f"t.{suffix}")
    assert written["sample"].tolist() == [name.strip() for name in AT_RISK]
    assert written.columns.tolist() == ["sample", "SEPT2"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("most_bytes", [0, 3000])
def test_a_full_disk_ends_in_one_message_and_leaves_what_was_there(suffix, most_bytes, tmp_path, rng, full_disk):
    table = pd.DataFrame({"sample": [f"s{index}" for index in range(2000)], "probability": rng.random(2000)})
    path = tmp_path / f"scores{suffix}"
    path.write_bytes(b"the scores of last week")
    source = tmp_path / "cohort.h5ad"
    AnnData(rng.random((2000, 3)), obs=pd.DataFrame(index=table["sample"])).write_h5ad(source)
    with full_disk(most_bytes), pytest.raises(CohortError, match=r"could not be written.*Free space"):
        write_sample_table(table, path, source)
    assert path.read_bytes() == b"the scores of last week"
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["cohort.h5ad", path.name])
    write_sample_table(table, path, source)
    assert path.stat().st_size > 3000
