from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_ml.statistics.multiple_testing import benjamini_hochberg, holm

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.mark.parametrize(("adjust", "column"), [(benjamini_hochberg, "fdr"), (holm, "holm")])
def test_equals_r(adjust, column):
    table = pd.read_csv(GOLDEN / "limma_plain.csv")
    for _, part in table.groupby("contrast"):
        np.testing.assert_allclose(adjust(part["p"]), part[column], rtol=1e-9)


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.6, 0.7]), [1.0, 1.0])
    assert holm([]).size == 0


def test_works_along_the_last_axis(rng):
    p = rng.uniform(size=(3, 20))
    for adjust in (benjamini_hochberg, holm):
        np.testing.assert_array_equal(adjust(p), np.stack([adjust(row) for row in p]))


def test_holm_counts_a_test_that_gave_no_p():
    np.testing.assert_allclose(holm([np.nan, 0.01, 0.02]), [np.nan, 0.03, 0.04])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_holm_against_its_definition(p_values):
    adjusted = holm(p_values)
    for index, value in enumerate(p_values):
        # Everything at most as large is adjusted by the number of tests not yet rejected; the largest of these counts.
        steps = sorted(p_values)
        position = max(rank for rank, other in enumerate(steps) if other == value)
        naive = max((len(steps) - rank) * steps[rank] for rank in range(position + 1))
        assert adjusted[index] == pytest.approx(min(naive, 1.0))
