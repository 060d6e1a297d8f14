"""From decisions to probabilities: a coin toss says one half, and every probability is in its interval."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from responder_ml.evaluation.calibration_line import CalibrationLine


def _draw(seed, n_subjects, separation, share=0.5, scale=1.0, centre=0.0):
    rng = np.random.default_rng(seed)
    labels = (np.arange(n_subjects) < max(1, round(share * n_subjects))).astype(np.int8)
    return centre + scale * (rng.normal(size=n_subjects) + separation * (labels - 0.5)), labels


def test_decisions_that_do_not_follow_the_labels_say_the_share_of_positives():
    away = []
    for seed in range(40):
        decisions, labels = _draw(seed, 20, 0.0, share=0.3, scale=5.0)
        line = CalibrationLine.learn(decisions, labels)
        away.append(np.abs(expit(line.log_odds(decisions)) - 0.3).mean())
    assert np.mean(away) < 0.05


def test_decisions_the_wrong_way_round_say_the_share_of_positives_and_keep_their_order():
    decisions, labels = _draw(1, 30, -3.0, share=0.4)
    log_odds = CalibrationLine.learn(decisions, labels).log_odds(decisions)
    assert np.abs(expit(log_odds) - 0.4).max() < 0.02
    assert np.array_equal(np.argsort(log_odds), np.argsort(decisions))


def test_many_decisions_of_a_good_model_get_the_slope_they_deserve():
    # Two normal classes a distance of 2 apart: the true log-odds are twice the decision, here shown on another scale.
    decisions, labels = _draw(2, 4000, 2.0, scale=10.0, centre=7.0)
    line = CalibrationLine.learn(decisions, labels)
    assert line.slope == pytest.approx(0.2, rel=0.1)
    assert line.log_odds(np.array([7.0]))[0] == pytest.approx(0.0, abs=0.15)


def test_separated_classes_and_equal_decisions_have_a_finite_line():
    for decisions in (np.repeat([3.0, -3.0], 6), np.full(12, 1.5)):
        line = CalibrationLine.learn(decisions, np.repeat([1, 0], 6).astype(np.int8))
        assert np.isfinite([line.slope, line.intercept, line.intercept_variance, line.slope_variance]).all()
        assert line.slope > 0


def test_the_error_of_the_line_is_that_of_many_draws():
    lines = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        labels = (rng.random(400) < 0.5).astype(np.int8)
        lines.append(CalibrationLine.learn(rng.normal(size=400) + 1.5 * (labels - 0.5), labels))
    at_one = np.array([line.log_odds(np.array([1.0]))[0] for line in lines])
    alone = np.array([line.half_width(np.array([1.0]), np.zeros((5, 1)))[0] for line in lines])
    assert np.mean(alone) == pytest.approx(1.96 * at_one.std(), rel=0.2)


def test_the_spread_of_the_outer_models_is_a_grouped_jackknife():
    line = CalibrationLine(0.0, 2.0, 0.0, 0.0, 0.0)
    without_fold = np.array([[0.1], [0.4], [-0.2], [0.3]])
    error = np.sqrt(3 / 4 * np.sum((without_fold - without_fold.mean()) ** 2))
    assert line.half_width(np.zeros(1), without_fold)[0] == pytest.approx(1.959964 * 2.0 * error, rel=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    n_subjects=st.integers(6, 40),
    separation=st.floats(-3, 6),
    scale=st.floats(1e-3, 1e3),
    folds=st.integers(2, 6),
)
def test_every_probability_is_in_its_interval(seed, n_subjects, separation, scale, folds):
    line = CalibrationLine.learn(*_draw(seed, n_subjects, separation, scale=scale))
    outer = np.random.default_rng(seed).normal(size=(folds, 20)) * scale
    decisions = outer.mean(axis=0)
    log_odds, half = line.log_odds(decisions), line.half_width(decisions, outer)
    low, point, high = (expit(log_odds + part) for part in (-half, 0.0, half))
    assert np.isfinite(half).all()
    assert np.all((low <= point) & (point <= high))
    assert np.all((low >= 0) & (high <= 1))
