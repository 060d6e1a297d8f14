from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.stats import ttest_ind
from sklearn.feature_selection import f_classif

from responder_ml.statistics.columns import Columns
from responder_ml.statistics.moderated_t import best_columns, moderated_t
from responder_ml.statistics.training_sets import TrainingSets


def _sets(rng, n_sets, n_samples):
    labels = np.tile(np.arange(n_samples) % 2, (n_sets, 1)).astype(np.int8)
    labels = rng.permuted(labels, axis=1)
    rows = np.ones((n_sets, n_samples), dtype=bool)
    for row in rows:
        row[rng.choice(n_samples, 3, replace=False)] = False
    return TrainingSets(rows, labels)


def test_two_groups_equal_limma():
    golden = Path(__file__).resolve().parents[1] / "golden"
    groups = pd.read_csv(golden / "limma_samples.csv")["group"]
    expression = pd.read_csv(golden / "limma_voom_expression.csv").set_index("gene").to_numpy().T
    t = moderated_t(expression, (groups == "susceptible").to_numpy(), (groups == "control").to_numpy())
    np.testing.assert_allclose(t, pd.read_csv(golden / "limma_pair.csv")["t"], rtol=1e-8)


def test_moderated_t_is_the_ordinary_t_when_variances_differ_much_and_df_is_large(rng):
    values = rng.normal(size=(200, 50)) * np.exp(rng.normal(size=50) * 1.5)
    positive = np.arange(200) < 90
    moderated = moderated_t(values, positive, ~positive)
    ordinary = ttest_ind(values[positive], values[~positive]).statistic
    np.testing.assert_allclose(moderated, ordinary, rtol=0.1)


@pytest.mark.parametrize("order", ["C", "F"])
def test_what_is_done_in_pieces_equals_the_whole_and_takes_the_columns_asked_for(rng, order):
    values = np.asarray(rng.normal(8.0, 2.0, size=(23, 2049)), order=order)
    values[:, -1] = values[:, 0]
    labels = np.resize([0, 1, 1], 23)
    t = moderated_t(values, labels == 1, labels == 0)
    above, below = values[labels == 1], values[labels == 0]
    assert_array_equal(np.sign(t), np.sign(above.mean(axis=0) - below.mean(axis=0)))
    assert t[-1] == t[0]
    chosen = np.flatnonzero(rng.random(2049) < 0.7)
    assert_array_equal(
        moderated_t(values, labels == 1, labels == 0, chosen), moderated_t(values[:, chosen], labels == 1, labels == 0)
    )


def test_constant_column_has_zero_t(rng):
    values = rng.normal(size=(12, 30))
    values[:, 4] = 7.0
    positive = np.arange(12) < 6
    assert moderated_t(values, positive, ~positive)[4] == 0


def test_unsqueezed_it_is_the_ordinary_t_and_ranks_as_scikit_learn_does(rng):
    values = rng.normal(size=(21, 700)) * rng.gamma(2, size=700) + rng.normal(size=700) * 5
    labels = np.arange(21) % 2
    t = moderated_t(values, labels == 1, labels == 0, squeezed=False)
    np.testing.assert_allclose(t, ttest_ind(values[labels == 1], values[labels == 0]).statistic, rtol=1e-10)
    np.testing.assert_allclose(t**2, f_classif(values, labels)[0], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("squeezed", [False, True])
@pytest.mark.parametrize("level", [0.1, 3.3, 1e7 / 3])
def test_rounding_errors_of_a_constant_are_no_difference(rng, squeezed, level):
    values = rng.normal(size=(21, 80)) + level
    values[:, :40] = level
    # A constant up to its last digit, as sums of constants are.
    values[:, :20] *= 1.0 + np.finfo(float).eps * rng.integers(0, 2, size=(21, 20))
    labels = np.arange(21) % 2
    t = moderated_t(values, labels == 1, labels == 0, squeezed=squeezed)
    np.testing.assert_array_equal(t[:40], 0.0)
    sets = TrainingSets(np.ones((1, 21), dtype=bool), labels[None].astype(np.int8))
    (best,) = best_columns(Columns.prepare(values), sets, 40, squeezed=squeezed)
    np.testing.assert_array_equal(np.sort(best), np.arange(40, 80))


@pytest.mark.parametrize("squeezed", [False, True])
def test_columns_constant_in_training_alone_rank_last_whatever_held_out_rows_say(rng, squeezed):
    values = rng.normal(size=(60, 900))
    values[:, :300] += 9.0
    training = np.arange(60) < 27
    values[training, :300] = 5.3
    sets = TrainingSets(training[None], (np.arange(60) % 2).astype(np.int8)[None])
    (before,) = best_columns(Columns.prepare(values), sets, 20, squeezed=squeezed)
    values[~training] = rng.normal(size=(33, 900)) * 7
    (after,) = best_columns(Columns.prepare(values), sets, 20, squeezed=squeezed)
    np.testing.assert_array_equal(before, after)
    assert before.min() >= 300


@pytest.mark.parametrize("apart", [10.0, 300.0])
def test_enormous_differences_are_ordered_exactly(rng, apart):
    values, labels = rng.normal(size=(20, 800)), np.arange(20) % 2
    values[:, :200] += apart * labels[:, None]
    sets = TrainingSets(np.ones((1, 20), dtype=bool), labels[None].astype(np.int8))
    t = np.abs(moderated_t(values, labels == 1, labels == 0, squeezed=False))
    (best,) = best_columns(Columns.prepare(values), sets, 50, squeezed=False)
    np.testing.assert_array_equal(best, np.argsort(-t, kind="stable")[:50])


def test_a_perfect_difference_without_spread_ranks_first(rng):
    values = rng.normal(size=(12, 30))
    labels = np.arange(12) % 2
    values[:, 7] = labels
    sets = TrainingSets(np.ones((1, 12), dtype=bool), labels[None].astype(np.int8))
    assert np.argmax(np.abs(moderated_t(values, labels == 1, labels == 0, squeezed=False))) == 7
    assert best_columns(Columns.prepare(values), sets, 3, squeezed=False)[0][0] == 7


@pytest.mark.parametrize("alike", [1, 6, 60])
@pytest.mark.parametrize("squeezed", [False, True])
@pytest.mark.parametrize("with_shifts", [False, True])
@pytest.mark.parametrize("with_barred", [False, True])
def test_many_at_once_equals_one_at_a_time(rng, with_shifts, with_barred, squeezed, alike):
    values = rng.normal(size=(20, 600)) * rng.gamma(2, size=600) + rng.normal(size=600) * 5
    sets = replace(_sets(rng, 60, 20), alike=alike)
    shifts = rng.normal(size=(60, 20)) if with_shifts else None
    usable = rng.random((60, 600)) < 0.7 if with_barred else None
    best = best_columns(Columns.prepare(values), sets, 40, usable, shifts, squeezed=squeezed)
    for index, positions in enumerate(best):
        allowed = np.flatnonzero(usable[index]) if with_barred else np.arange(600)
        shifted = values + shifts[index][:, None] if with_shifts else values
        t = moderated_t(shifted[:, allowed], sets.positive[index], sets.negative[index], squeezed=squeezed)
        expected = allowed[np.argsort(-np.abs(t), kind="stable")[:40]]
        np.testing.assert_array_equal(positions, expected)


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1.0, 1e6))
@settings(max_examples=20, deadline=None)
def test_editing_held_out_rows_changes_no_ranking(seed, scale):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(16, 300))
    sets = _sets(rng, 1, 16)
    edited = values.copy()
    held_out = ~sets.rows[0]
    edited[held_out] = rng.normal(size=(3, 300)) * scale
    flipped = np.where(sets.rows, sets.labels, 1 - sets.labels).astype(np.int8)
    before = best_columns(Columns.prepare(values), sets, 25)[0]
    after = best_columns(Columns.prepare(edited), TrainingSets(sets.rows, flipped), 25)[0]
    np.testing.assert_array_equal(before, after)


def test_equal_columns_rank_by_position_and_constant_ones_last(rng):
    values = rng.normal(size=(20, 40)).repeat(3, axis=1)
    values[:, 60:66] = 2.0
    sets = _sets(rng, 5, 20)
    for positions in best_columns(Columns.prepare(values), sets, 120):
        np.testing.assert_array_equal(np.sort(positions[-6:]), np.arange(60, 66))
        for column in set(range(40)) - {20, 21}:
            np.testing.assert_array_equal(
                positions[np.isin(positions, range(3 * column, 3 * column + 3))], np.arange(3 * column, 3 * column + 3)
            )


def test_a_set_that_may_use_few_columns_or_none_gets_these(rng):
    values, sets = rng.normal(size=(12, 50)), _sets(rng, 3, 12)
    usable = np.ones((3, 50), dtype=bool)
    usable[1] = False
    usable[2] = np.arange(50) == 7
    best = best_columns(Columns.prepare(values), sets, 5, usable)
    assert [positions.tolist() for positions in best[1:]] == [[], [7]]
    assert len(best[0]) == 5
    assert [len(positions) for positions in best_columns(Columns.prepare(values[:, :0]), sets, 5)] == [0, 0, 0]


@pytest.mark.parametrize("n_ties", [10, 500])
def test_any_number_of_tied_columns_near_the_cut_goes_to_the_lower_positions(rng, n_ties):
    values = rng.normal(size=(20, 2000))
    (one,) = best_columns(Columns.prepare(values), _sets(rng, 1, 20), 60)
    values[:, 400 : 400 + n_ties] = values[:, [one[30]]]
    sets = _sets(np.random.default_rng(1), 1, 20)
    (best,) = best_columns(Columns.prepare(values), sets, 60)
    t = np.abs(moderated_t(values, sets.positive[0], sets.negative[0]))
    np.testing.assert_array_equal(best, np.argsort(-t, kind="stable")[:60])
