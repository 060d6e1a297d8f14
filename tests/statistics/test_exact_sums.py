import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_ml.statistics.exact_sums import exact_sums
from responder_ml.statistics.rounding import rounding_share


def _sums(by_column, columns, shift, positive, rows):
    between, within = np.empty((2, len(columns)))
    rounding = rounding_share(int(rows.sum()))
    exact_sums(by_column, columns, shift, positive.astype(float), rows.astype(float), rounding, between, within)
    return between, within


@given(seed=st.integers(0, 2**32 - 1), level=st.floats(-1e6, 1e6))
@settings(max_examples=25, deadline=None)
def test_sums_of_squares_are_those_of_an_analysis_of_variance_of_the_rows_alone(seed, level):
    rng = np.random.default_rng(seed)
    by_column, shift = rng.normal(size=(9, 23)) + level, rng.normal(size=23)
    rows = rng.permutation(np.arange(23) < 17)
    positive = rows & (rng.permutation(np.arange(23) % 2) == 1)
    positive[np.flatnonzero(rows)[:2]] = [True, False]
    columns = np.array([7, 0, 3])
    between, within = _sums(by_column, columns, shift, positive, rows)
    for place, column in enumerate(columns):
        values = by_column[column] + shift
        above, below = values[positive], values[rows & ~positive]
        inside = ((above - above.mean()) ** 2).sum() + ((below - below.mean()) ** 2).sum()
        total = ((values[rows] - values[rows].mean()) ** 2).sum()
        assert within[place] == pytest.approx(inside, rel=1e-6, abs=1e-6)
        assert between[place] == pytest.approx(total - inside, rel=1e-6, abs=1e-6)
    edited = by_column.copy()
    edited[:, ~rows] = rng.normal(size=(9, 6)) * 1e9
    np.testing.assert_array_equal(_sums(edited, columns, shift, positive, rows), (between, within))


def test_equal_columns_have_equal_sums_and_constant_ones_none(rng):
    by_column = np.tile(rng.normal(size=31), (40, 1))
    by_column[30:] = 1.0 / 3.0
    rows, positive = np.ones(31, dtype=bool), np.arange(31) < 14
    between, within = _sums(by_column, np.arange(40), np.zeros(31), positive, rows)
    assert len(set(between[:30])) == len(set(within[:30])) == 1
    assert not between[30:].any()
    assert not within[30:].any()
