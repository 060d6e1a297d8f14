"""The test statistic: by hand, what it ignores, and how several are standardised and combined."""

import numpy as np
import pytest

from responder_ml.evaluation.metrics import OutOfFold, auroc
from responder_ml.evaluation.separation import SOFTNESS, Standard, measure, separations

LABELS = np.array([1, 1, 0, 0, 0], dtype=np.int8)
TOGETHER = np.zeros(5, dtype=np.intp)


def test_one_cell_by_hand():
    decisions = np.array([2.0, 0.0, 1.0, -1.0, -2.0])
    unit = decisions.std(ddof=1)
    expected = np.mean([np.tanh((above - below) / unit) for above in (2.0, 0.0) for below in (1.0, -1.0, -2.0)])
    assert separations(LABELS, decisions, TOGETHER) == pytest.approx(expected)


def test_cells_are_compared_within_and_weighted_by_their_size_plus_one():
    labels = np.array([1, 0, 1, 0, 0, 1], dtype=np.int8)
    cells = np.array([0, 0, 1, 1, 1, 2])
    decisions = np.array([1.0, 0.0, 5.0, 7.0, 6.0, 100.0])
    # The last cell holds one class only and takes no part, whatever its values.
    unit = np.sqrt((0.5 + 2.0) / 3)
    first, second = np.tanh(1 / unit), np.tanh(-2 / unit) + np.tanh(-1 / unit)
    expected = (first / 3 + second / 4) / (1 / 3 + 2 / 4)
    assert separations(labels, decisions, cells) == pytest.approx(expected)
    assert separations(labels, np.where(cells == 2, -1e6, decisions), cells) == pytest.approx(expected)


def test_a_shift_of_a_whole_cell_and_a_change_of_scale_change_nothing(rng):
    labels, cells = rng.permutation(np.repeat([0, 1], 10)).astype(np.int8), rng.integers(0, 3, 20)
    decisions = rng.normal(size=(4, 20))
    expected = separations(labels, decisions, cells)
    np.testing.assert_allclose(separations(labels, decisions * 1e6 + 1e3 * cells, cells), expected, atol=1e-9)
    np.testing.assert_allclose(separations(labels, decisions * 1e-9, cells), expected, atol=1e-9)
    np.testing.assert_allclose(separations(1 - labels, decisions, cells), -expected, atol=1e-12)


@pytest.mark.parametrize("level", [0.0, 1.0, -1e9, 1e-9])
def test_decisions_that_do_not_vary_separate_nothing(level):
    assert separations(LABELS, np.full(5, level), TOGETHER) == 0.0
    assert separations(LABELS, np.full(5, level) * (1 + 1e-16), TOGETHER) == 0.0


def test_no_cell_with_both_classes_separates_nothing():
    assert separations(LABELS, np.arange(5.0), np.arange(5)) == 0.0


def test_infinite_confidence_stays_between_minus_one_and_one():
    assert separations(LABELS, np.array([1e150, 1e150, -1e150, -1e150, -1e150]), TOGETHER) <= 1.0


def test_what_is_measured_is_the_auroc_of_auto_then_its_separation_and_those_of_the_candidates(rng):
    folds = np.array([[0, 1, 0, 1, 1], [1, 0, 0, 1, 0]])
    auto = OutOfFold(LABELS, rng.normal(size=(2, 5)), folds, np.zeros((2, 5)))
    candidates = rng.normal(size=(3, 5))
    measured = measure(auto, TOGETHER, candidates)
    assert measured.shape == (5,)
    assert measured[0] == auroc(auto)
    assert measured[1] == separations(LABELS, auto.decisions.mean(axis=0), TOGETHER)
    np.testing.assert_allclose(measured[2:], separations(LABELS, candidates, TOGETHER))


def test_the_soft_maximum_is_taken_on_the_scale_of_their_own_null(rng):
    null = np.column_stack([rng.random(50), rng.normal(0.0, 0.1, 50), rng.normal(-0.2, 0.4, 50)])
    standard = Standard.of(null)
    own = null[:, 1:]
    z = (own - own.mean(axis=0)) / own.std(axis=0)
    np.testing.assert_allclose(standard.soft_maximum(null), np.log(np.mean(np.exp(SOFTNESS * z), axis=1)) / SOFTNESS)
    # A separation of 0.3 is three deviations of the first, a little more than one of the second.
    assert standard.leading(np.array([0.5, 0.3, 0.3])) == 0
    assert standard.leading(np.array([0.5, 0.0, 0.9])) == 1


def test_agreement_counts_for_more_than_one_alone_and_one_far_out_suffices():
    standard = Standard(np.zeros(3), np.ones(3))
    alone, together, far = standard.soft_maximum(
        [[0.5, 2.0, 0.0, 0.0], [0.5, 2.0, 2.0, 2.0], [0.5, 40.0, -40.0, -400.0]]
    )
    assert alone < together == pytest.approx(2.0)
    assert far == pytest.approx(40.0, abs=0.5)


def test_a_single_candidate_equal_to_auto_changes_nothing():
    standard = Standard(np.array([0.1, 0.1]), np.array([0.3, 0.3]))
    measured = np.array([[0.5, value, value] for value in (-0.4, 0.1, 0.7)])
    np.testing.assert_allclose(standard.soft_maximum(measured), (measured[:, 1] - 0.1) / 0.3)


def test_a_separation_that_never_varies_never_leads():
    null = np.column_stack([np.full(30, 0.5), np.zeros(30), np.linspace(-0.3, 0.3, 30)])
    standard = Standard.of(null)
    # It adds the same to every labelling, so their order is that of the other.
    np.testing.assert_array_equal(np.argsort(standard.soft_maximum(null)), np.argsort(null[:, 2]))
    assert standard.leading(np.array([0.5, 0.0, 0.2])) == 1
