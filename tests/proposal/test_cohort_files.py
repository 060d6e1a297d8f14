import anndata
import numpy as np
import pandas as pd
import pytest

from responder_ml.errors import CohortError, ProposalError
from responder_ml.proposal.cohort_files import open_files


def test_an_h5ad_file_brings_its_sheet(tmp_path):
    obs = pd.DataFrame({"group": ["a", None, "b"], "rin": [7.5, 8.0, 9.0]}, index=["s1", "s2", "s3"])
    anndata.AnnData(np.ones((3, 2)), obs=obs).write_h5ad(tmp_path / "cohort.h5ad")
    files = open_files(tmp_path / "cohort.h5ad", None)
    assert files.source == "h5ad"
    assert files.sheet.to_dict("list") == {
        "sample": ["s1", "s2", "s3"],
        "group": ["a", "", "b"],
        "rin": ["7.5", "8.0", "9.0"],
    }


def test_a_table_without_a_sheet_is_refused_with_the_command(cohort):
    expression, _ = cohort.write()
    with pytest.raises(ProposalError, match="SAMPLES"):
        open_files(expression, None)


def test_a_missing_file_is_named(cohort):
    expression, samples = cohort.write()
    samples.unlink()
    with pytest.raises(CohortError, match=r"no file .*samples\.csv"):
        open_files(expression, samples)


def test_two_sheets_of_a_workbook_are_told_apart_by_their_names(cohort):
    with pd.ExcelWriter(cohort.folder / "book.xlsx") as book:
        pd.DataFrame({"note": ["made by", "us"]}).to_excel(book, sheet_name="Read me", index=False)
        cohort.sheet.to_excel(book, sheet_name="Tiere", index=False)
        cohort.counts.to_excel(book, sheet_name="Zählung")
    files = open_files(cohort.folder / "book.xlsx", None)
    assert files.sheets == ("Zählung", "Tiere")
    assert files.sheet["sample_id"].tolist() == cohort.samples
    assert "sheet 'Tiere'" in files.sheet_name


def test_a_workbook_of_one_sheet_needs_another_table(cohort):
    cohort.counts.to_excel(cohort.folder / "book.xlsx")
    with pytest.raises(ProposalError, match="without a sample sheet"):
        open_files(cohort.folder / "book.xlsx", None)


def test_counts_in_a_layer_are_preferred(tmp_path):
    data = anndata.AnnData(
        np.ones((2, 2)) / 3, obs=pd.DataFrame(index=["s1", "s2"]), layers={"counts": np.ones((2, 2))}
    )
    data.write_h5ad(tmp_path / "cohort.h5ad")
    files = open_files(tmp_path / "cohort.h5ad", None)
    assert files.layer == "counts"
    assert files.grid.numbers(np.arange(2), np.arange(2), False).tolist() == [[1, 1], [1, 1]]
