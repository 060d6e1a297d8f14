import numpy as np
import pytest

from responder_ml.cohort.missing_values import gaps_of, leave_out_missing, without_gaps
from responder_ml.cohort.read import read_table
from responder_ml.errors import ExpressionError

GENES = [f"g{index}" for index in range(10)]
SAMPLES = [f"s{index}" for index in range(6)]


@pytest.fixture
def values(rng):
    return rng.normal(8, 1, size=(6, 10))


def _left(values):
    return leave_out_missing(values, np.ones(10, dtype=bool), SAMPLES, GENES, "t")


def test_nothing_is_left_out_where_nothing_is_missing(values):
    measured = _left(values)
    assert measured.is_usable.all()
    assert measured.notes == ()


def test_genes_without_any_value_are_left_out_however_many(values):
    values[:, 2:] = np.nan
    measured = _left(values)
    assert measured.is_usable.sum() == 2
    assert measured.notes[0].message == (
        "8 of 10 genes have no value in any sample and were left out ('g2', 'g3', 'g4')."
    )


def test_an_infinite_value_is_refused_by_name(values):
    values[4, 7] = -np.inf
    with pytest.raises(ExpressionError, match=r"1 value\(s\) are infinite.*gene 'g7', sample 's4'"):
        _left(values)


@pytest.mark.shared
def test_a_panel_in_a_table_of_all_genes_is_read_as_it_is(shared_data):
    folder = shared_data / "gse93157_melanoma"
    raw, panel = (
        read_table(folder / f"expression_{name}.tsv.gz", folder / "samples.tsv", units="log2")
        for name in ("raw", "717")
    )
    assert raw.n_vars == 717
    np.testing.assert_array_equal(raw[:, panel.var_names].X, panel.X)
    assert raw.uns["reading"][0][1].startswith("55552 of 56269 genes have no value in any sample")


@pytest.fixture
def sparse(rng):
    values = rng.normal(8, 1, size=(12, 200))
    values[rng.random(values.shape) < 0.03] = np.nan
    return values


def test_genes_with_a_gap_are_left_out_where_nearly_all_are_complete(values):
    values[0, 3] = np.nan
    measured = _left(values)
    assert measured.is_usable.tolist() == [index != 3 for index in range(10)]
    assert (
        "1 of 10 measured genes have missing values in some sample and were left out ('g3')"
        in measured.notes[0].message
    )


def test_few_gaps_in_many_genes_are_kept_to_be_filled(sparse):
    sparse[:5, 7] = np.nan
    measured = leave_out_missing(
        sparse, np.ones(200, dtype=bool), [str(row) for row in range(12)], [str(gene) for gene in range(200)], "t"
    )
    assert measured.is_usable.tolist() == (np.isnan(sparse).mean(axis=0) <= 0.2).tolist()
    assert not measured.is_usable[7]
    assert (
        "every training set fills them from its own samples. 4 genes with more gaps were left out."
        in measured.notes[0].message
    )


def test_many_gaps_are_refused_with_what_each_remedy_leaves(values):
    values[:2, :7] = np.nan
    with pytest.raises(
        ExpressionError,
        match=r"keep 3 of 10; leaving out 2 sample\(s\) \('s0', 's1'\) would keep 10 genes and 4 samples",
    ):
        _left(values)
    for row in range(6):
        values[row, [(row + step) % 10 for step in range(5)]] = np.nan
    with pytest.raises(ExpressionError, match="leaving out samples would not help"):
        _left(values)


def test_a_cohort_carries_its_gaps(tmp_path, sparse):
    import pandas as pd

    table = pd.DataFrame(sparse, index=[f"s{row}" for row in range(12)], columns=[f"g{gene}" for gene in range(200)])
    table.T.to_csv(tmp_path / "e.tsv", sep="\t", index_label="gene")
    (tmp_path / "s.csv").write_text("sample,answer\n" + "".join(f"s{row},{'yn'[row % 2]}\n" for row in range(12)))
    cohort = read_table(tmp_path / "e.tsv", tmp_path / "s.csv", units="log2")
    np.testing.assert_array_equal(gaps_of(cohort), np.isnan(table[cohort.var_names].to_numpy()))
    assert np.isfinite(cohort.X).all()
    assert gaps_of(without_gaps(cohort)) is None
