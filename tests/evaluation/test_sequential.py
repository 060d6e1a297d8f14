"""The confidence sequence for p: what it covers, when it stops, and that looking all the time costs no more than its risk."""

from math import log

import numpy as np
import pytest
from scipy.stats import binom

from responder_ml.evaluation.sequential import (
    RISK,
    confidence_interval,
    draws_needed,
    excludes,
    fewest_draws,
    stops_at,
)

ALPHA = 0.05


@pytest.mark.parametrize(("exceedances", "draws"), [(0, 1), (0, 240), (1, 1), (3, 99), (50, 1000), (99, 99)])
def test_the_interval_is_where_the_sequence_does_not_exclude(exceedances, draws):
    low, high = confidence_interval(exceedances, draws)
    assert low <= exceedances / draws <= high
    # The p that is reported lies in it too.
    assert low <= (exceedances + 1) / (draws + 1) <= high
    for end, outwards in ((low, -1), (high, 1)):
        if 0 < end < 1:
            likelihood = log(draws + 1) + binom.logpmf(exceedances, draws, end)
            assert likelihood == pytest.approx(log(RISK), abs=1e-4)
            assert not excludes(exceedances, draws, end - outwards * 1e-6)
            assert excludes(exceedances, draws, min(max(end + outwards * 1e-6, 1e-12), 1 - 1e-12))


def test_nothing_drawn_excludes_nothing():
    assert confidence_interval(0, 0) == (0.0, 1.0)
    assert stops_at(np.zeros(0, dtype=bool), ALPHA, 1, 1) is None


def test_with_no_exceedance_p_is_settled_after_the_fewest_draws():
    fewest = fewest_draws(ALPHA)
    assert (fewest + 1) * 0.95**fewest <= RISK < fewest * 0.95 ** (fewest - 1)
    assert stops_at(np.zeros(1000, dtype=bool), ALPHA, 1, 99) == fewest
    # Several tests corrected together need a smaller p, hence more draws.
    assert stops_at(np.zeros(5000, dtype=bool), ALPHA, 10, 99) == fewest_draws(ALPHA / 10) > fewest


def test_a_large_p_stops_as_soon_as_allowed_and_not_before():
    always = np.ones(500, dtype=bool)
    assert stops_at(always, ALPHA, 1, 99) == 99
    assert stops_at(always, ALPHA, 1, 1) < 5


def test_where_it_stops_depends_on_the_order_of_the_draws_alone():
    reached = np.random.default_rng(1).random(4000) < 0.1
    stop = stops_at(reached, ALPHA, 1, 99)
    assert 99 <= stop < 4000
    assert [stops_at(reached[:end], ALPHA, 1, 99) for end in (stop - 1, stop, stop + 7)] == [None, stop, stop]


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_p_lies_on_the_side_that_was_settled(alpha):
    """For every count of exceedances at which it can stop, (C + 1) / (l + 1) agrees with the sequence."""
    draws = np.repeat(np.arange(1, 1500), 60)
    exceedances = np.minimum(np.tile(np.arange(60), 1499), draws)
    settled = excludes(exceedances, draws, alpha)
    below = settled & (exceedances < alpha * draws)
    p = (exceedances + 1) / (draws + 1)
    assert (p[below] <= alpha).all()
    assert (p[settled & ~below] > alpha).all()


def _decisions(rates, budget, rng):
    """Return for each true p whether it was settled, and below alpha; looking after every draw from the first on."""
    draws = np.arange(1, budget + 1)
    outcomes = []
    for rate in rates:
        exceedances = np.cumsum(rng.random(budget) < rate)
        settled = np.flatnonzero(excludes(exceedances, draws, ALPHA))
        outcomes.append((settled.size > 0, settled.size > 0 and exceedances[settled[0]] < ALPHA * draws[settled[0]]))
    return np.array(outcomes).T


@pytest.mark.parametrize("rate", [0.045, 0.05, 0.055])
def test_a_p_near_or_at_alpha_is_hardly_ever_settled_on_the_wrong_side(rate):
    settled, below = _decisions(np.full(3000, rate), 2000, np.random.default_rng(5))
    wrong = settled if rate == ALPHA else below if rate > ALPHA else settled & ~below
    # RISK is 0.001: of 3000 no more than 9 with probability 0.999.
    assert wrong.sum() <= 9


@pytest.mark.parametrize("levels", [5, 20, None])
def test_type_one_error_with_looking_after_every_draw_is_at_most_alpha_and_the_risk(levels):
    """The observed value is one more draw from the null's distribution, with many ties, some, or none."""
    rng = np.random.default_rng(6)
    values = rng.random(4000)
    # Ties: a value is reached by all of its own level and above; the highest of 20 levels has a p of exactly alpha.
    rates = 1 - values if levels is None else (levels - np.floor(values * levels)) / levels
    _, below = _decisions(rates, 1200, rng)
    assert below.mean() <= ALPHA + RISK + 3 * np.sqrt(ALPHA * (1 - ALPHA) / 4000)


def test_a_running_p_that_stops_when_small_is_no_test():
    """The control of the tests above: the same data, stopped whenever (C + 1) / (l + 1) is at most alpha."""
    rng = np.random.default_rng(6)
    draws = np.arange(1, 1201)
    rejected = [
        ((np.cumsum(rng.random(1200) < rate) + 1) / (draws + 1) <= ALPHA).any() for rate in 1 - rng.random(1000)
    ]
    assert np.mean(rejected) > ALPHA + RISK + 3 * np.sqrt(ALPHA * (1 - ALPHA) / 1000)


def test_the_draws_needed_settle_it_at_the_same_rate():
    assert draws_needed(30, 1000, ALPHA) > 1000
    for exceedances in (30, 40, 65):
        needed = draws_needed(exceedances, 1000, ALPHA)
        rate = (exceedances + 1) / 1002
        assert excludes(round(rate * needed), needed, ALPHA)
        assert not excludes(round(rate * needed * 0.9), round(needed * 0.9), ALPHA)
    assert draws_needed(49, 998, ALPHA) is None
