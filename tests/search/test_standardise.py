import numpy as np

from responder_ml.search.search_data import standardisation
from responder_ml.search.standardise import standardise
from responder_ml.statistics.columns import rounding_share


def _standardised(values, columns, train, test):
    fitted, held_out = np.empty((len(columns), len(train))), np.empty((len(columns), len(test)))
    standardise(values, columns, train, test, rounding_share(len(train)), fitted, held_out)
    return fitted, held_out


def test_columns_are_put_on_the_scale_of_their_training_rows(rng):
    values = rng.normal(size=(8, 30)) * rng.gamma(2, size=(8, 1)) + 50
    values[3] = 1.0 / 3.0
    values[3, 25:] = 9.0
    columns, rows = np.array([5, 3, 0]), rng.permutation(25)
    train, test = rows[:18], np.concatenate([rows[18:], np.arange(25, 30)])
    fitted, held_out = _standardised(values, columns, train, test)
    mean, scale = standardisation(values[columns][:, train].T)
    np.testing.assert_allclose(fitted, (values[columns][:, train] - mean[:, None]) / scale[:, None], atol=1e-12)
    np.testing.assert_allclose(held_out, (values[columns][:, test] - mean[:, None]) / scale[:, None], atol=1e-12)
    # A column constant in training is not blown up where it is not.
    assert np.abs(held_out[1]).max() == 9.0 - 1.0 / 3.0


def test_held_out_rows_change_nothing_of_the_training_rows(rng):
    values = rng.normal(size=(6, 20))
    train, test = np.arange(14), np.arange(14, 20)
    before, _ = _standardised(values, np.arange(6), train, test)
    values[:, test] *= 1e6
    after, _ = _standardised(values, np.arange(6), train, test)
    np.testing.assert_array_equal(before, after)
