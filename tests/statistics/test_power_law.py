"""The inverse power law: exact on its own points, bounded on any others."""

import numpy as np
import pytest

from responder_ml.statistics.power_law import PowerLaw, fit_power_law

SIZES = np.array([8.0, 16.0, 32.0, 64.0, 128.0])


@pytest.mark.parametrize(("level", "drop", "rate"), [(0.9, 0.05, 0.6), (0.75, 0.1, 0.3), (1.0, 0.02, 1.2)])
def test_points_of_a_law_give_the_law(level, drop, rate):
    law = PowerLaw(level, drop, rate, 128.0)
    fitted = fit_power_law(SIZES, law.at(SIZES), np.full(5, 0.01))
    np.testing.assert_allclose(fitted.at(SIZES), law.at(SIZES), atol=1e-4)
    assert fitted.level == pytest.approx(level, abs=0.01)


def test_where_it_is_near_its_level_by_hand():
    law = PowerLaw(0.9, 0.1, 1.0, 20.0)
    np.testing.assert_allclose(law.at(np.array([10.0, 20.0, 200.0])), [0.7, 0.8, 0.89])
    assert law.size_within(0.01) == pytest.approx(200.0)
    assert PowerLaw(0.9, 0.0, 1.0, 20.0).size_within(0.01) == 0.0


def test_points_weigh_by_their_errors():
    values = np.array([0.6, 0.7, 0.75, 0.78, 0.2])
    errors = np.array([0.01, 0.01, 0.01, 0.01, 10.0])
    assert fit_power_law(SIZES, values, errors).at(SIZES)[3] == pytest.approx(0.78, abs=0.01)


@pytest.mark.parametrize(
    "values",
    [[0.5] * 5, [1.0] * 5, [0.0] * 5, [0.9, 0.8, 0.7, 0.6, 0.5], [0.0, 1.0, 0.0, 1.0, 0.0], [0.5, 0.5, 0.5, 0.5, 1.0]],
)
def test_any_points_give_a_law_within_its_bounds(values):
    law = fit_power_law(SIZES, np.array(values), np.full(5, 0.01))
    assert 0.0 <= law.level <= 1.0
    assert law.drop >= 0.0
    assert np.all(np.diff(law.at(SIZES)) >= 0.0)


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="3 points; at least 4"):
        fit_power_law(SIZES[:3], SIZES[:3], SIZES[:3])
