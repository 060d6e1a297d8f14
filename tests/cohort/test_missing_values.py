import numpy as np
import pytest

from responder_ml.cohort.missing_values import leave_out_missing
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
