import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder_ml.statistics.columns import rounding_share
from responder_ml.statistics.pooled_sums import (
    NEGATIVE,
    OUT,
    POSITIVE,
    exact_strengths,
    order_strongest,
    sums_of_squares,
)


def test_sets_of_two_runs_add_up_the_pools_of_their_own_run(rng):
    # Two pieces of 16 columns, of which the last five are not columns at all.
    pieces = rng.normal(size=(2, 23, 16)).astype(np.float32)
    values = pieces.transpose(1, 0, 2).reshape(23, 32)[:, :27].astype(float)
    order = rng.permutation(23)
    # The first run has pools of 9, 6 and 4 rows, the second of 12 and 11.
    rows = np.concatenate([order[:19], rng.permutation(23)])
    side = np.array([[POSITIVE, NEGATIVE, OUT], [NEGATIVE, OUT, POSITIVE], [POSITIVE, NEGATIVE, OUT]], np.int8)
    first_row, first_pool, first_set = np.array([0, 9, 15, 19, 31, 42]), np.array([0, 3, 5]), np.array([0, 2, 3])
    members = [(rows[0:9], rows[9:15]), (rows[15:19], rows[0:9]), (rows[19:31], rows[31:42])]
    above, below = (np.array([len(pair[index]) for pair in members], np.float32) for index in (0, 1))
    between, within = np.full((2, 3, 27), np.nan, np.float32)
    nothing = np.zeros((3, 3), np.float32), np.empty((0, 0, 0), np.float32)
    sums_of_squares(pieces, rows, first_row, first_pool, first_set, side, above, below, *nothing, between, within)
    for index, (positive, negative) in enumerate(members):
        over, under = values[positive], values[negative]
        inside = ((over - over.mean(axis=0)) ** 2).sum(axis=0) + ((under - under.mean(axis=0)) ** 2).sum(axis=0)
        both = np.concatenate([over, under])
        outside = ((both - both.mean(axis=0)) ** 2).sum(axis=0) - inside
        np.testing.assert_allclose(within[index], inside, rtol=1e-4)
        np.testing.assert_allclose(between[index], outside, rtol=1e-4, atol=1e-4)


def _one_set(values, positive, negative, shift=None):
    """Sums of squares between and within the classes of one training set of two pools."""
    n_samples, n_columns = values.shape
    pieces = values.astype(np.float32)[None]
    rows, sizes = np.concatenate([positive, negative]), [len(positive), len(negative)]
    moves, cross = np.zeros((1, 3), np.float32), np.empty((0, 0, 0), np.float32)
    if shift is not None:
        moves[0] = shift[positive].sum(), shift[negative].sum(), (shift[rows] ** 2).sum()
        used = np.where(np.isin(np.arange(n_samples), rows), shift, 0.0)
        cross = (2.0 * used @ values).astype(np.float32)[None, None]
    between, within = np.full((2, 1, n_columns), np.nan, np.float32)
    sums_of_squares(
        *(pieces, rows, np.cumsum([0, *sizes]), np.array([0, 2]), np.array([0, 1])),
        *(np.array([[POSITIVE, NEGATIVE]], np.int8), *(np.array([size], np.float32) for size in sizes)),
        *(moves, cross, between, within),
    )
    return between[0], within[0]


def test_normalisation_is_added_to_every_row(rng):
    values, shift, order = rng.normal(size=(19, 32)), rng.normal(size=19), rng.permutation(19)
    positive, negative = order[:6], order[6:15]
    expected = _one_set(values + shift[:, None], positive, negative)
    np.testing.assert_allclose(_one_set(values, positive, negative, shift), expected, rtol=1e-4, atol=1e-4)
    assert not np.allclose(_one_set(values, positive, negative), expected, rtol=0.1)


def test_a_column_whose_digits_are_lost_between_the_classes_is_marked(rng):
    values, labels = rng.normal(size=(20, 16)), np.arange(20) % 2
    values[:, 3] += 10.0 * labels
    values[:, 4] += 300.0 * labels
    values[:, 5] = 0.0
    between, within = _one_set(values, np.flatnonzero(labels == 1), np.flatnonzero(labels == 0))
    assert np.flatnonzero(np.isinf(between)).tolist() == [4]
    assert within[5] == np.float32(1e-30)
    assert within.min() > 0


def _strengths(by_column, columns, shift, positive, rows, prior=0.5):
    strengths = np.empty(len(columns))
    rounding = rounding_share(int(rows.sum()))
    exact_strengths(by_column, columns, shift, positive.astype(float), rows.astype(float), rounding, prior, strengths)
    return strengths


@given(seed=st.integers(0, 2**32 - 1), level=st.floats(-1e6, 1e6))
@settings(max_examples=25, deadline=None)
def test_strengths_are_those_of_an_analysis_of_variance_of_the_rows_alone(seed, level):
    rng = np.random.default_rng(seed)
    by_column, shift = rng.normal(size=(9, 23)) + level, rng.normal(size=23)
    rows = rng.permutation(np.arange(23) < 17)
    positive = rows & (rng.permutation(np.arange(23) % 2) == 1)
    positive[np.flatnonzero(rows)[:2]] = [True, False]
    columns = np.array([7, 0, 3])
    strengths = _strengths(by_column, columns, shift, positive, rows)
    for index, column in enumerate(columns):
        values = by_column[column] + shift
        above, below = values[positive], values[rows & ~positive]
        inside = ((above - above.mean()) ** 2).sum() + ((below - below.mean()) ** 2).sum()
        total = ((values[rows] - values[rows].mean()) ** 2).sum()
        assert strengths[index] == pytest.approx((total - inside) / (0.5 + inside), rel=1e-6, abs=1e-6)
    edited = by_column.copy()
    edited[:, ~rows] = rng.normal(size=(9, 6)) * 1e9
    np.testing.assert_array_equal(_strengths(edited, columns, shift, positive, rows), strengths)


def test_equal_columns_have_equal_strengths_and_constant_ones_none(rng):
    by_column = np.tile(rng.normal(size=31), (40, 1))
    by_column[30:] = 1.0 / 3.0
    rows, positive = np.ones(31, dtype=bool), np.arange(31) < 14
    strengths = _strengths(by_column, np.arange(40), np.zeros(31), positive, rows)
    assert len(set(strengths[:30])) == 1
    assert not strengths[30:].any()


def test_sums_of_squares_within_classes_are_never_negative(rng):
    positive = np.arange(21) % 2 == 1
    by_column = rng.normal(size=(500, 2))[:, positive.astype(int)]
    rows, tiny = np.ones(21, dtype=bool), 1e-30
    strengths = _strengths(by_column, np.arange(500), np.zeros(21), positive, rows, prior=tiny)
    assert strengths.min() > 1e12
    assert not np.isnan(strengths).any()


def test_the_strongest_columns_come_first_and_of_equals_the_one_further_ahead(rng):
    by_column = rng.normal(size=(50, 20))
    by_column[31], by_column[8] = by_column[40], by_column[40]
    labels = np.stack([rng.permutation(np.arange(20) % 2 == 0) for _ in range(3)])
    rows = np.ones((3, 20))
    rows[1, :4] = rows[2, 7:9] = 0.0
    positive = labels * rows
    prior, rounding, shifts = np.array([0.1, 0.0, 3.0]), np.full(3, rounding_share(20)), np.zeros((3, 20))
    exact = np.stack(
        [_strengths(by_column, np.arange(50), shifts[0], positive[s], rows[s], prior[s]) for s in range(3)]
    )
    least = np.sort(exact, axis=1)[:, -12].astype(np.float32) * np.float32(0.999)
    best, lengths = np.empty((3, 12), np.intp), np.empty(3, np.intp)
    arguments = by_column, exact.astype(np.float32), least, shifts, positive, rows, rounding, prior, best, lengths
    order_strongest(*arguments)
    assert lengths.tolist() == [12, 12, 12]
    np.testing.assert_array_equal(best, np.argsort(-exact, axis=1, kind="stable")[:, :12])
    least[:] = np.sort(exact, axis=1)[:, -5] * 0.999
    order_strongest(*arguments)
    assert lengths.max() < 12
