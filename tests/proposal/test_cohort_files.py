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
