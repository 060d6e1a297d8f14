"""Where a learning curve levels off: from decisions whose AUROC at every size is known."""

import numpy as np
import pytest
from scipy.stats import norm

from responder_ml.evaluation.extrapolation import extrapolate
from responder_ml.evaluation.metrics import OutOfFold

SIZES = (6.0, 12.0, 24.0, 48.0, 96.0)


def _measured(aurocs, n=60, seed=0):
    """Decisions of the same subjects at every size, one fold: the better ones hold more of the class and the same noise."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([1, 0], n).astype(np.int8)
    noise, folds = rng.normal(size=2 * n), np.zeros((1, 2 * n), dtype=int)
    shifts = np.sqrt(2.0) * norm.ppf(aurocs)
    return [
        (size, OutOfFold(labels, (shift * labels + noise)[None], folds, np.zeros((1, 2 * n))))
        for size, shift in zip(SIZES, shifts, strict=True)
    ]


def test_the_level_of_a_known_curve_lies_in_its_band():
    aurocs = 0.85 - 0.25 * (np.array(SIZES) / 6.0) ** -0.7
    curve = extrapolate(_measured(aurocs), (), 1)
    assert curve.level_band[0] <= 0.85 <= curve.level_band[1]
    assert curve.level == pytest.approx(0.85, abs=0.08)
    # 0.25 (m / 6)^-0.7 = 0.01 at 596 subjects.
    assert curve.levels_off_band[0] <= 596 <= curve.levels_off_band[1]
    assert "levels off" in curve.sentence or "has not levelled off" in curve.sentence
    beyond = [point for point in curve.points if np.isnan(point.auroc)]
    assert [point.trained for point in beyond] == [120.0, 144.0, 192.0, 240.0, 288.0]
    assert all(point.band[0] <= point.fitted <= point.band[1] for point in curve.points)


@pytest.mark.parametrize("auroc", [0.5, 0.8, 1 - 1e-12])
def test_a_level_curve_cannot_be_extrapolated(auroc):
    curve = extrapolate(_measured([auroc] * 5), ("before",), 1)
    assert curve.level is None
    assert curve.notes[0] == "before"
    assert "does not rise beyond its noise" in curve.sentence
    assert len(curve.points) == 5


def test_a_falling_curve_and_few_sizes_cannot_either():
    assert extrapolate(_measured(np.linspace(0.8, 0.6, 5)), (), 1).level is None
    few = extrapolate(_measured(np.linspace(0.6, 0.9, 5))[:3], (), 1)
    assert few.level is None
    assert few.sentence == "The curve has 3 sizes and cannot be extrapolated; that takes 4."


def test_a_curve_that_rises_steadily_is_not_said_to_level_off():
    curve = extrapolate(_measured([0.55, 0.62, 0.69, 0.76, 0.83]), (), 1)
    assert curve.levels_off_band[1] == np.inf
    assert curve.points[0].interval[0] < curve.points[0].auroc < curve.points[0].interval[1]


def test_one_seed_gives_one_curve():
    measured = _measured([0.6, 0.7, 0.78, 0.82, 0.84])
    assert repr(extrapolate(measured, (), 4)) == repr(extrapolate(measured, (), 4))
