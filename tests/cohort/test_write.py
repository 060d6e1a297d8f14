import numpy as np
import pandas as pd
import pytest

from responder_ml.cohort.read import read_table
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.cohort.write import write_cohort
from responder_ml.errors import CohortError


@pytest.fixture(scope="module")
def small():
    return simulate_cohort(seed=3, n_genes=300)


def test_reading_back_gives_the_same_cohort_still_called_simulated(small, tmp_path):
    write_cohort(small, tmp_path / "out")
    back = read_table(tmp_path / "out" / "counts.tsv.gz", tmp_path / "out" / "samples.tsv", units="counts")
    np.testing.assert_array_equal(back.X, small.X)
    pd.testing.assert_frame_equal(back.obs, small.obs)
    assert back.var_names.tolist() == small.var_names.tolist()
    assert back.uns["simulated"] is True
    assert back.uns["subject_source"] == "column"


def test_it_writes_these_files_and_leaves_nothing_beside_them(small, tmp_path):
    (tmp_path / "out").mkdir()
    write_cohort(small, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "README.txt", "counts.tsv.gz", "gene_sets.gmt", "samples.tsv", "truth.tsv",
    ]  # fmt: skip
    assert (tmp_path / "out" / "README.txt").read_text().startswith("SIMULATED DATA")


def test_gene_sets_and_truth_are_those_of_the_cohort(small, tmp_path):
    write_cohort(small, tmp_path / "out")
    lines = [line.split("\t") for line in (tmp_path / "out" / "gene_sets.gmt").read_text().splitlines()]
    assert {name: genes for name, _, *genes in lines} == small.uns["gene_sets"]
    assert {description for _, description, *_ in lines} == {"simulated"}
    truth = pd.read_csv(tmp_path / "out" / "truth.tsv", sep="\t", index_col="gene", keep_default_na=False)
    pd.testing.assert_frame_equal(
        truth[small.uns["truth"]["contrasts"].columns], small.uns["truth"]["contrasts"], rtol=1e-5, check_names=False
    )


def test_equal_cohorts_give_equal_bytes(small, tmp_path):
    for name in ("one", "two"):
        write_cohort(small, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_folder_that_holds_something_is_left_alone(small, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CohortError, match="not empty"):
        write_cohort(small, tmp_path)
    with pytest.raises(CohortError, match="not empty"):
        write_cohort(small, tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_failure_leaves_nothing(small, tmp_path, monkeypatch):
    def fail(*args, **keywords):
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    with pytest.raises(CohortError, match="disk full"):
        write_cohort(small, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_only_simulated_cohorts_are_written(small, tmp_path):
    real = small.copy()
    real.uns["simulated"] = False
    with pytest.raises(CohortError, match="no planted truth"):
        write_cohort(real, tmp_path / "out")
