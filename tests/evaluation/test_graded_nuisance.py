from dataclasses import replace

import numpy as np
import pytest

from responder_ml.cohort.endpoint import Endpoint
from responder_ml.cohort.graded_outcome import LOWER, UPPER, grade_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.evaluation.conditional import Nuisance, nuisance_of
from responder_ml.evaluation.conditional_permutation import normal_scores
from responder_ml.evaluation.graded_nuisance import (
    alike_in,
    associations,
    draw_orders_given,
    measure_graded_links,
)

N = 30
ONE = np.zeros(N, dtype=np.intp)


def _nuisance(columns):
    scores = normal_scores(columns)
    return Nuisance(("rin",), True, ONE, scores, scores)


def test_draws_stay_as_associated_with_a_measurement_as_the_outcome_is(rng):
    rin = rng.normal(size=N)
    outcome, cells = rin + 0.5 * rng.normal(size=N), np.arange(N) % 2
    drawn = draw_orders_given(outcome, cells, normal_scores(rin[:, None]), 300, rng)
    observed = np.corrcoef(outcome, rin)[0, 1]
    assert np.mean([np.corrcoef(one, rin)[0, 1] for one in drawn]) == pytest.approx(observed, abs=0.1)
    for cell in (0, 1):
        np.testing.assert_array_equal(
            np.sort(drawn[:, cells == cell]), np.tile(np.sort(outcome[cells == cell]), (300, 1))
        )


def test_an_unrelated_measurement_leaves_all_orders_alike(rng):
    drawn = draw_orders_given(np.arange(6.0), np.zeros(6, dtype=int), np.zeros((6, 1)), 6000, rng)
    np.testing.assert_allclose(drawn.mean(axis=0), 2.5, atol=0.1)


def test_categories_alone_exchange_within_cells_and_may_be_exact():
    categories = Nuisance(("batch",), True, ONE, np.empty((N, 0)), np.eye(N)[:, :2])
    assert alike_in(categories, np.arange(float(N))).draw is not None
    measured = alike_in(_nuisance(np.arange(float(N))[:, None]), np.arange(float(N)))
    # Orders are not equally likely, so that they are never enumerated.
    assert measured.count(np.arange(3.0), np.zeros(3, dtype=int)) > 2000


def test_both_links_are_needed(rng):
    rin, outcome = rng.normal(size=N), rng.normal(size=N)
    follows = rin + 0.3 * rng.normal(size=N)
    linked = rin + 0.7 * rng.normal(size=N)
    assert measure_graded_links(_nuisance(rin[:, None]), linked, ONE, follows).may_explain
    # Predictions that follow the outcome alone do not follow what goes with it.
    own = measure_graded_links(_nuisance(rin[:, None]), linked, ONE, linked - 0.9 * rin)
    assert own.association_p < 0.01
    assert own.following_p > 0.2
    unrelated = measure_graded_links(_nuisance(rin[:, None]), outcome, ONE, follows)
    assert unrelated.following_p < 0.01


def test_p_values_of_both_links_are_uniform_on_noise(rng):
    p_values = []
    for _ in range(40):
        links = measure_graded_links(_nuisance(rng.normal(size=(N, 1))), rng.normal(size=N), ONE, rng.normal(size=N))
        p_values.append((links.association_p, links.following_p))
    shares = np.mean(np.array(p_values) <= 0.5, axis=0)
    assert ((shares > 0.25) & (shares < 0.75)).all()


def test_each_nuisance_has_a_row_with_its_sign():
    cohort = simulate_cohort(seed=7, n_genes=300, regions=["PFC"])
    # The ratio is the RIN, turned round.
    cohort.obs["ratio"] = 10.0 - cohort.obs["rin"].to_numpy() + 0.01 * np.arange(cohort.n_obs)
    graded = grade_cohort(cohort, Endpoint("ratio", UPPER, LOWER, strata=("drug",), nuisance=("batch", "rin")))
    rows = {row.name: row for row in associations(graded.labelled, graded.outcome)}
    assert list(rows) == ["batch", "rin", "library size"]
    assert rows["rin"].correlation < -0.9
    assert rows["rin"].p_value < 0.01
    assert rows["batch"].p_value > 0.05
    without = replace(graded.labelled, endpoint=replace(graded.labelled.endpoint, nuisance=(), library_size=False))
    assert associations(without, graded.outcome) == ()
    assert nuisance_of(without) is None
