"""Labels drawn given measurements: their distribution, their exchangeability, and the model of the label."""

from itertools import combinations

import numpy as np
import pytest

from responder_ml.evaluation.conditional_permutation import (
    centred_within,
    draw_conditionally,
    label_log_odds,
    normal_scores,
)


def test_normal_scores_depend_on_ranks_only_and_survive_constants_missing_values_and_extreme_scales():
    values = np.array([3.0, 1.0, 2.0, 10.0, 5.0])
    scores = normal_scores(np.column_stack([values, np.exp(values) * 1e12, np.full(5, 7.0), -values]))
    assert scores[:, 0] == pytest.approx(scores[:, 1])
    assert (scores[:, 2] == 0).all()
    assert scores[:, 0] == pytest.approx(-scores[:, 3])
    assert scores[:, 0].std() == pytest.approx(1)
    with_gap = normal_scores(np.array([[3.0], [np.nan], [1.0], [np.nan], [2.0]]))[:, 0]
    assert with_gap[1] == with_gap[3] == pytest.approx(0)
    assert (normal_scores(np.full((4, 1), np.nan)) == 0).all()
    # Nearly a constant: one late value.
    assert np.isfinite(normal_scores(np.array([[1.0], [1.0], [1.0], [2.0]]))).all()


def test_draws_have_the_probabilities_of_the_model():
    labels, cells = np.array([1, 1, 0, 0, 0], dtype=np.int8), np.zeros(5, dtype=int)
    log_odds = np.array([1.5, -0.5, 0.0, 0.7, -1.0])
    rng = np.random.default_rng(3)
    draws = draw_conditionally(labels, cells, log_odds, 20_000, rng)
    assert (draws.sum(axis=1) == 2).all()
    weights = {pair: np.exp(log_odds[list(pair)].sum()) for pair in combinations(range(5), 2)}
    total = sum(weights.values())
    for pair, weight in weights.items():
        share = np.mean(draws[:, list(pair)].all(axis=1))
        assert share == pytest.approx(weight / total, abs=0.015)


def test_without_log_odds_every_labelling_within_cells_is_equally_likely():
    labels = np.array([1, 0, 0, 1, 1, 0, 1], dtype=np.int8)
    cells = np.array([0, 0, 0, 1, 1, 1, 2])
    draws = draw_conditionally(labels, cells, np.zeros(7), 9_000, np.random.default_rng(1))
    assert draws.dtype == np.int8
    assert (draws[:, :3].sum(axis=1) == 1).all()
    assert (draws[:, 3:6].sum(axis=1) == 2).all()
    # A cell of one class stays.
    assert (draws[:, 6] == 1).all()
    assert draws[:, :6].mean(axis=0) == pytest.approx([1 / 3] * 3 + [2 / 3] * 3, abs=0.02)


def test_labels_that_follow_the_model_are_rejected_as_often_as_alpha_says():
    rng = np.random.default_rng(8)
    rejected = 0
    log_odds = np.linspace(-2, 2, 14)
    for _ in range(300):
        labels = np.zeros(14, dtype=np.int8)
        labels[np.argsort(-(log_odds + rng.logistic(size=14)))[:6]] = 1
        labels = draw_conditionally(labels, np.zeros(14, dtype=int), log_odds, 1, rng)[0]
        draws = draw_conditionally(labels, np.zeros(14, dtype=int), log_odds, 19, rng)
        # Any statistic will do: here positions against a fixed direction.
        direction = np.sin(np.arange(14))
        rejected += (draws @ direction >= labels @ direction).sum() == 0
    assert 3 <= rejected <= 28


def test_the_label_model_finds_an_association_and_shrinks_it():
    values = normal_scores(np.arange(20.0)[:, None])
    labels, cells = (np.arange(20) >= 10).astype(np.int8), np.zeros(20, dtype=int)
    # Even where the classes are separated, the odds stay finite.
    odds = label_log_odds(values, labels, cells)
    assert (np.diff(odds) > 0).all()
    assert 2 < odds[-1] < 12
    swapped = np.tile([0, 1], 10).astype(np.int8)
    assert np.abs(label_log_odds(values, swapped, cells)).max() < 0.6


def test_the_label_model_looks_within_cells_and_passes_over_cells_of_one_class():
    cells = np.repeat([0, 1, 2], 6)
    # Between cells the measurement goes with the label, within them it does not.
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1], dtype=np.int8)
    values = np.array([0.0, 1, 2, 3, 4, 2, 10, 11, 12, 13, 14, 12, 100, 110, 120, 130, 140, 150])[:, None]
    odds = label_log_odds(values, labels, cells)
    assert (odds[12:] == 0).all()
    assert np.abs(odds).max() < 0.5
    assert centred_within(values, cells)[:6].sum() == pytest.approx(0)
    assert (label_log_odds(np.empty((18, 0)), labels, cells) == 0).all()
    assert (label_log_odds(values[12:], labels[12:], cells[12:]) == 0).all()


def test_in_pairs_the_slope_is_that_of_differences(rng):
    # Of each pair the member with the larger measurement is positive with the odds of their difference, slope 1.
    pairs = np.repeat(np.arange(2000), 2)
    measured = rng.normal(size=(4000, 1))
    difference = measured[::2, 0] - measured[1::2, 0]
    first = rng.random(2000) < 1 / (1 + np.exp(-difference))
    labels = np.stack([first, ~first], axis=1).ravel().astype(np.int8)
    log_odds = label_log_odds(measured, labels, pairs)
    slope = np.polyfit(difference, log_odds[::2] - log_odds[1::2], 1)[0]
    assert slope == pytest.approx(1.0, abs=0.1)
