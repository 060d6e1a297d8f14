import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from responder_ml.contrasts.ranking import Ranking
from responder_ml.contrasts.rrho2 import CONCORDANT, DISCORDANT, DOWN, UP, rrho2, rrho2_maximum


def _lists(values, sign, step):
    """The definition: most extreme genes first, cut at multiples of step and at the number with that sign."""
    order = sorted(range(values.size), key=lambda gene: (-values[gene], gene))
    if sign == DOWN:
        order = order[::-1]
    extreme = [gene for gene in order if sign * values[gene] > 0]
    sizes = sorted({*range(step, len(extreme), step), len(extreme)} - {0})
    return [set(extreme[:size]) for size in sizes]


def _naive(first, second, signs, step):
    rows, columns = _lists(first, signs[0], step), _lists(second, signs[1], step)
    heights = np.zeros((len(rows), len(columns)))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            terms = np.arange(len(row & column), min(len(row), len(column)) + 1)
            log_p = np.logaddexp.reduce(hypergeom.logpmf(terms, first.size, len(row), len(column)))
            heights[i, j] = -min(0.0, log_p) / np.log(10)
    return heights


@given(seed=st.integers(0, 2**32 - 1), step=st.integers(1, 40), decimals=st.sampled_from([1, 9]))
@settings(max_examples=15, deadline=None)
def test_equals_the_definition(seed, step, decimals):
    rng = np.random.default_rng(seed)
    first = rng.normal(size=50).round(decimals)
    second = (0.7 * first + rng.normal(size=50)).round(decimals)
    map_ = rrho2(first, second, step)
    for quadrant, signs in (
        (map_.up_up, (UP, UP)),
        (map_.down_down, (DOWN, DOWN)),
        (map_.up_down, (UP, DOWN)),
        (map_.down_up, (DOWN, UP)),
    ):
        np.testing.assert_allclose(quadrant, _naive(first, second, signs, step), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("quadrants", [CONCORDANT, DISCORDANT])
def test_maxima_of_many_pairs_equal_the_maps(rng, quadrants):
    first = rng.normal(size=(12, 150))
    second = np.linspace(-0.9, 0.9, 12)[:, None] * first + rng.normal(size=(12, 150))
    maxima = rrho2_maximum(Ranking.of(first), Ranking.of(second), quadrants, step=9)
    for row in range(12):
        map_ = rrho2(first[row], second[row], step=9)
        assert maxima[row] == pytest.approx(map_.concordant if quadrants == CONCORDANT else map_.discordant, rel=1e-9)


def test_opposed_contrasts_fill_the_discordant_quadrants(rng):
    t = rng.normal(size=2000)
    map_ = rrho2(t, -t, 45)
    assert map_.discordant > 300
    assert np.isfinite(map_.discordant)
    assert map_.concordant == pytest.approx(0.0)
    assert rrho2(t, t, 45).concordant == pytest.approx(map_.discordant, rel=0.05)


def test_one_sided_contrast_leaves_a_quadrant_empty(rng):
    map_ = rrho2(np.abs(rng.normal(size=40)) + 0.1, rng.normal(size=40), step=5)
    assert map_.down_down.size == 0
    assert map_.first_down.size == 0
    assert map_.first_up.tolist() == [5, 10, 15, 20, 25, 30, 35, 40]


def test_all_zero_contrast_has_height_zero(rng):
    zero = Ranking.of(np.zeros((1, 40)))
    assert rrho2_maximum(zero, Ranking.of(rng.normal(size=(1, 40))), CONCORDANT, 5).tolist() == [0.0]
    assert rrho2(np.zeros(40), rng.normal(size=40), 5).concordant == 0.0


def test_refusals(rng):
    with pytest.raises(ValueError, match="step"):
        rrho2(rng.normal(size=10), rng.normal(size=10), 0)
    with pytest.raises(ValueError, match="same genes"):
        rrho2(rng.normal(size=10), rng.normal(size=11), 2)
