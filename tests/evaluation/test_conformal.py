import numpy as np
import pytest

from responder_ml.evaluation.conformal import HeldOut


def test_p_values_by_hand():
    held_out = HeldOut.of(np.array([2.0, 1.0, 3.0, -1.0, -2.0]), np.array([1, 1, 1, 0, 0]))
    positive, negative = held_out.p_values(np.array([0.0, 1.0, 2.5, -1.5]))
    # Positives 1, 2, 3: how many lie at or below, plus one, over four.
    np.testing.assert_allclose(positive, [1 / 4, 2 / 4, 3 / 4, 1 / 4])
    # Negatives -2, -1: how many lie at or above, plus one, over three.
    np.testing.assert_allclose(negative, [1 / 3, 1 / 3, 1 / 3, 2 / 3])


def test_p_values_equal_a_naive_count(rng):
    log_odds, labels = rng.normal(size=40).round(1), rng.integers(0, 2, size=40)
    new = rng.normal(size=30).round(1)
    positive, negative = HeldOut.of(log_odds, labels).p_values(new)
    for index, value in enumerate(new):
        high = [each for each, label in zip(log_odds, labels, strict=True) if label == 1]
        low = [each for each, label in zip(log_odds, labels, strict=True) if label == 0]
        assert positive[index] == pytest.approx((1 + sum(each <= value for each in high)) / (1 + len(high)))
        assert negative[index] == pytest.approx((1 + sum(each >= value for each in low)) / (1 + len(low)))


@pytest.mark.parametrize(("alpha", "needed"), [(0.1, 9), (0.05, 19), (0.2, 4), (0.25, 3)])
def test_too_few_subjects_make_sets_impossible(alpha, needed):
    enough = HeldOut(np.zeros(needed), np.zeros(needed + 5))
    too_few = HeldOut(np.zeros(needed - 1), np.zeros(needed + 5))
    assert enough.impossible(alpha) == ""
    assert f"need {needed} held-out subjects" in too_few.impossible(alpha)
    # It would indeed have been of no use: even the strangest sample keeps the class.
    assert too_few.sets(np.array([-1e9]), alpha)[0, 0]
    assert not enough.sets(np.array([-1e9]), alpha)[0, 0]


def test_each_class_is_missed_as_rarely_as_promised(rng):
    missed = []
    for _ in range(400):
        labels = np.repeat([0, 1], [12, 20])
        log_odds = rng.normal(size=32) + labels
        new = rng.normal(size=50) + 1.0
        missed.append(1 - HeldOut.of(log_odds, labels).sets(new, 0.1)[:, 0].mean())
    assert 0.07 < np.mean(missed) < 0.105
