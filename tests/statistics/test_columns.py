import numpy as np
import pytest

from responder_ml.statistics.columns import Columns, constant_columns, in_pieces, median, rounding_share


@pytest.mark.parametrize("shape", [(1,), (2,), (7,), (8,), (5, 6), (4, 9), (3, 2, 10)])
@pytest.mark.parametrize("axis", [0, -1])
def test_median_equals_numpy(rng, shape, axis):
    values = np.round(rng.normal(size=shape), 1)
    np.testing.assert_allclose(median(values, axis=axis), np.median(values, axis=axis), rtol=1e-15)


def test_median_is_that_of_the_last_axis_by_default(rng):
    values = rng.normal(size=(3, 4, 5))
    np.testing.assert_array_equal(median(values), np.median(values, axis=-1))


def test_rounding_grows_with_the_number_of_values():
    assert rounding_share(20) == 30 * np.finfo(float).eps


@pytest.mark.parametrize("level", [0.1, -7.3, 1e9 / 3])
@pytest.mark.parametrize("count", [3, 40, 1_000])
def test_rounding_covers_sums_of_a_constant_and_no_real_difference(rng, level, count):
    values = np.full(count, level) * (1.0 + np.finfo(float).eps * rng.integers(0, 2, size=count))
    mean = values.mean()
    assert np.sqrt(np.mean((values - mean) ** 2)) <= rounding_share(count) * abs(mean)
    values[0] *= 1.0 + 1e-9
    assert np.sqrt(np.mean((values - values.mean()) ** 2)) > rounding_share(count) * abs(mean)


def test_columns_are_prepared_as_chosen(rng):
    values = rng.normal(size=(70, 2500)) * 3 + 8
    chosen = np.sort(rng.choice(2500, 2100, replace=False))
    columns = Columns.prepare(values, chosen)
    np.testing.assert_array_equal(columns.values, values[:, chosen])
    np.testing.assert_array_equal(columns.take(np.array([5, 2])), values[:, chosen[[5, 2]]])
    centred = columns.pieces.transpose(1, 0, 2).reshape(70, -1)[:, :2100]
    moved = values[:, chosen] - centred
    np.testing.assert_allclose(moved, np.broadcast_to(moved[:1], moved.shape), atol=1e-5)


def _in_one_piece(columns):
    return columns.pieces.transpose(1, 0, 2).reshape(columns.pieces.shape[1], -1)[:, : len(columns.by_column)]


def test_columns_are_centred_at_the_median_of_every_second_of_seventy_samples(rng):
    values = rng.normal(size=(70, 40)) + 8
    centred = (values - np.median(values[::2], axis=0)).astype(np.float32)
    np.testing.assert_array_equal(_in_one_piece(Columns.prepare(values)), centred)


def test_rounding_errors_of_a_constant_are_zero_in_single_precision(rng):
    values = rng.normal(size=(21, 5))
    values[:, 3] = 1e7 / 3 * (1.0 + np.finfo(float).eps * rng.integers(0, 2, size=21))
    pieces = _in_one_piece(Columns.prepare(values))
    assert not pieces[:, 3].any()
    assert pieces[:, 4].any()


@pytest.mark.parametrize(
    ("n_samples", "shape"), [(20, (2, 20, 512)), (1_000, (3, 1_000, 256)), (9_000, (10, 9_000, 64))]
)
def test_pieces_fit_the_cache_and_are_whole_vectors_wide(n_samples, shape):
    pieces = in_pieces(n_samples, 640)
    assert pieces.shape == shape
    assert not pieces.any()


def test_constant_columns_are_those_whose_deviation_is_a_rounding_error_of_their_mean(rng):
    values = rng.normal(size=(13, 400)) * 10.0 ** rng.integers(-20, 20, 400) + 10.0 ** rng.integers(-20, 20, 400)
    values[:, :50] = 1.0 / 3.0
    values[:, 50:100] = 10.0 ** rng.integers(-20, 20, 50) * (1.0 + rng.integers(-3, 4, (13, 50)) * 1e-16)
    values[:, 100:110] = 0.0
    values[4, 110:130] += values[0, 110:130] * 1e-13
    expected = values.std(axis=0) <= rounding_share(13) * np.abs(values.mean(axis=0))
    np.testing.assert_array_equal(constant_columns(values), expected)
    assert expected[:50].all()
    assert expected[100:110].all()
    assert 110 < expected.sum() < 390
