"""The single-precision scan against one training set at a time in double precision."""

import numpy as np
import pytest

from responder_ml.statistics.columns import in_pieces
from responder_ml.statistics.squeeze import fit_f_dist
from responder_ml.statistics.training_sets import TrainingSets
from responder_ml.statistics.two_group_scan import scan

N_SAMPLES, N_COLUMNS, N_SETS = 18, 2300, 7


@pytest.fixture
def sets(rng):
    labels = np.tile(np.arange(N_SAMPLES) % 2, (N_SETS, 1)).astype(np.int8)
    rows = np.ones((N_SETS, N_SAMPLES), dtype=bool)
    for row in rows:
        row[rng.choice(N_SAMPLES, 4, replace=False)] = False
    return TrainingSets(rows, rng.permuted(labels, axis=1))


def _one_by_one(values, positive, negative):
    """Return sums of squares between and within two groups, and the prior sum of squares."""
    above, below = values[positive], values[negative]
    within = ((above - above.mean(axis=0)) ** 2).sum(axis=0) + ((below - below.mean(axis=0)) ** 2).sum(axis=0)
    both = values[positive | negative]
    between = ((both - both.mean(axis=0)) ** 2).sum(axis=0) - within
    df = len(both) - 2
    prior_df, prior_variance = fit_f_dist(within / df, df)
    return between, within, prior_df * prior_variance


def _scan(values, sets, usable=None, shifts=None):
    pieces = in_pieces(*values.shape)
    centred = (values - np.median(values, axis=0)).astype(np.float32)
    for start, piece in zip(range(0, values.shape[1], pieces.shape[2]), pieces, strict=True):
        here = centred[:, start : start + pieces.shape[2]]
        piece[:, : here.shape[1]] = here
    return scan(pieces, values.shape[1], sets, usable, shifts)


@pytest.mark.parametrize("with_shifts", [False, True])
@pytest.mark.parametrize("with_barred", [False, True])
@pytest.mark.parametrize("constant", [0, 5])
def test_strengths_and_priors_equal_one_at_a_time(rng, sets, with_shifts, with_barred, constant):
    values = rng.normal(size=(N_SAMPLES, N_COLUMNS)) * rng.gamma(2, size=N_COLUMNS) + rng.normal(size=N_COLUMNS) * 5
    values[:, 100 : 100 + constant] = 3.0
    # Without shifts constant columns stay constant, and limma's floor is needed.
    shifts = rng.normal(size=(N_SETS, N_SAMPLES)) if with_shifts else None
    usable = rng.random((N_SETS, N_COLUMNS)) < 0.7 if with_barred else None
    analysis = _scan(values, sets, usable, shifts)
    for index in range(N_SETS):
        columns = usable[index] if with_barred else np.ones(N_COLUMNS, dtype=bool)
        moved = values + shifts[index][:, None] if with_shifts else values
        between, within, prior = _one_by_one(moved[:, columns], sets.positive[index], sets.negative[index])
        assert analysis.prior[index] == pytest.approx(prior, rel=1e-4)
        np.testing.assert_allclose(
            analysis.strengths()[index][columns], between / (prior + within), rtol=1e-3, atol=1e-4
        )
        assert np.all(analysis.strengths()[index][~columns] < 0)


def test_equal_variances_leave_only_the_difference(rng, sets):
    # Each column is the same values in another order of samples, so sums of squares hardly differ between columns.
    base = np.repeat([-1.0, 1.0], N_SAMPLES // 2)
    values = np.stack([rng.permutation(base) for _ in range(N_COLUMNS)], axis=1)
    analysis = _scan(values, sets)
    for index in range(N_SETS):
        between, _, prior = _one_by_one(values, sets.positive[index], sets.negative[index])
        assert np.isinf(prior)
        order = np.argsort(-analysis.strengths()[index])
        assert np.all(np.diff(between[order]) < 1e-3)


def test_sets_that_share_pools_of_rows_equal_sets_on_their_own(rng):
    # Five folds of three labellings, their training sets in a row, and one set more than fills a whole run.
    labels = np.repeat(rng.permuted(np.tile(np.arange(N_SAMPLES) % 2, (3, 1)), axis=1), 5, axis=0).astype(np.int8)
    fold = np.arange(N_SAMPLES) % 5
    rows = np.tile(fold != np.arange(5)[:, None], (3, 1))
    rows, labels = np.vstack([rows, rows[2:3]]), np.vstack([labels, labels[1:2]])
    values = rng.normal(size=(N_SAMPLES, N_COLUMNS))
    alone, together = (_scan(values, TrainingSets(rows, labels, alike)) for alike in (1, 5))
    np.testing.assert_allclose(alone.between, together.between, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(alone.within, together.within, rtol=1e-5)
    np.testing.assert_allclose(alone.prior, together.prior, rtol=1e-4)


@pytest.mark.parametrize("alike", [2, 31, 32, 40, 100])
def test_runs_of_any_length_give_the_same(rng, alike):
    labels = np.tile(np.arange(N_SAMPLES) % 2, (70, 1)).astype(np.int8)
    rows = rng.random((70, N_SAMPLES)) < 0.8
    values = rng.normal(size=(N_SAMPLES, N_COLUMNS))
    alone, together = (_scan(values, TrainingSets(rows, labels, number)) for number in (1, alike))
    np.testing.assert_allclose(alone.within, together.within, rtol=1e-5)
    np.testing.assert_allclose(alone.between, together.between, rtol=1e-3, atol=1e-4)


def test_a_set_may_use_no_column_of_a_whole_piece(rng, sets):
    values = rng.normal(size=(N_SAMPLES, N_COLUMNS))
    usable = np.ones((N_SETS, N_COLUMNS), dtype=bool)
    usable[2, :1500] = False
    analysis = _scan(values, sets, usable)
    alone = _scan(values[:, 1500:], sets[2:3])
    assert analysis.prior[2] == pytest.approx(alone.prior[0], rel=1e-5)


def test_a_level_that_normalisation_adds_to_all_samples_costs_no_digits(rng, sets):
    values, shifts = rng.normal(size=(N_SAMPLES, N_COLUMNS)), rng.normal(size=(N_SETS, N_SAMPLES))
    plain, raised = (_scan(values, sets, shifts=shifts + level) for level in (0.0, 1e3))
    np.testing.assert_allclose(raised.within, plain.within, rtol=1e-4)
    np.testing.assert_allclose(raised.prior, plain.prior, rtol=1e-4)
