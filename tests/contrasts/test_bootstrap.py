import numpy as np
import pytest

from responder_ml.contrasts.bootstrap import recentred_interval, redraw_subjects
from responder_ml.contrasts.groups import Groups

GROUPS = Groups.of(["a"] * 3 + ["b"] * 5 + [""])
NAMES = [f"mouse{index}" for index in range(9)]


def test_each_group_is_drawn_one_short_and_nobody_without_a_group():
    drawn = redraw_subjects(GROUPS, NAMES, 200, seed=3)
    np.testing.assert_array_equal(drawn[:, :3].sum(axis=1), 2)
    np.testing.assert_array_equal(drawn[:, 3:8].sum(axis=1), 4)
    np.testing.assert_array_equal(drawn[:, 8], 0)


def test_groups_of_one_and_two_are_drawn_once():
    drawn = redraw_subjects(Groups.of(["a", "b", "b"]), NAMES[:3], 50, seed=3)
    np.testing.assert_array_equal(drawn[:, 0], 1)
    np.testing.assert_array_equal(drawn[:, 1:].sum(axis=1), 1)


def test_mean_of_redrawn_varies_like_a_mean_of_all(rng):
    values = rng.normal(size=9)
    drawn = redraw_subjects(GROUPS, NAMES, 40_000, seed=3)[:, :3]
    means = drawn @ values[:3] / 2
    assert means.var() == pytest.approx(values[:3].var(ddof=1) / 3, rel=0.03)


def test_a_subject_is_drawn_alike_wherever_its_group_is_the_same():
    order = np.array([4, 0, 7, 3, 2, 8, 5, 1, 6])
    shuffled = Groups(GROUPS.names, GROUPS.codes[order])
    one = redraw_subjects(GROUPS, NAMES, 20, seed=5)
    other = redraw_subjects(shuffled, [NAMES[index] for index in order], 20, seed=5)
    np.testing.assert_array_equal(other, one[:, order])


def test_interval_is_centred_on_the_observed_value():
    draws = np.arange(101.0)
    assert recentred_interval(draws, 10.0) == pytest.approx((-37.5, 57.5))
