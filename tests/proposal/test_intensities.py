import numpy as np
import pytest

from responder_ml.cohort.grid_files import open_grid
from responder_ml.errors import ProposalError
from responder_ml.proposal.intensities import FLOOR, write_log2_copy


def test_a_copy_has_the_log2_of_values_above_the_floor_and_keeps_gaps(tmp_path):
    (tmp_path / "raw.csv").write_text("gene,1,2\nFos,-30,1024\nArc,,20\n")
    write_log2_copy(open_grid(tmp_path / "raw.csv"), True, tmp_path / "log2.tsv.gz")
    copy = open_grid(tmp_path / "log2.tsv.gz")
    assert (list(copy.rows), list(copy.columns)) == (["Fos", "Arc"], ["1", "2"])
    values = copy.numbers(np.arange(2), np.arange(2), True)
    np.testing.assert_allclose(values, [[np.log2(FLOOR), 10.0], [np.nan, np.log2(20)]], rtol=1e-5)


def test_no_file_is_overwritten(tmp_path):
    (tmp_path / "raw.csv").write_text("gene,1,2\nFos,1,2\n")
    (tmp_path / "log2.tsv.gz").write_text("mine")
    with pytest.raises(ProposalError, match="not overwritten"):
        write_log2_copy(open_grid(tmp_path / "raw.csv"), True, tmp_path / "log2.tsv.gz")
    assert (tmp_path / "log2.tsv.gz").read_text() == "mine"
