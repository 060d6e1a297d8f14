import numpy as np
import pytest

from responder_ml.evaluation.agreement import PredictedOutcomes
from responder_ml.evaluation.concordance_interval import concordance_interval, concordance_variance
from responder_ml.statistics.concordance import concordance


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_the_variance_is_that_of_simulated_normal_pairs(rng, correlation):
    n, draws = 12, 4000
    outcome = rng.normal(size=(draws, n))
    scores = correlation * outcome + np.sqrt(1 - correlation**2) * rng.normal(size=(draws, n))
    values = [concordance(one, other) for one, other in zip(outcome, scores, strict=True)]
    truth = 0.5 + np.arcsin(correlation) / np.pi
    assert np.mean(values) == pytest.approx(truth, abs=0.01)
    expected = concordance_variance(truth, np.arange(float(n)), np.zeros(n, dtype=int))
    assert np.var(values) == pytest.approx(expected, rel=0.1)


def test_ties_and_strata_leave_the_null_variance_exact(rng):
    outcome, strata = np.array([0.0, 0, 0, 1, 1, 2, 0, 0, 1, 3]), np.array([0] * 6 + [1] * 4)
    scores = rng.normal(size=(8000, 10))
    above = (outcome[:, None] > outcome) & (strata[:, None] == strata)
    values = [(score[:, None] > score)[above].mean() for score in scores]
    assert np.var(values) == pytest.approx(concordance_variance(0.5, outcome, strata), rel=0.06)


def test_the_interval_holds_the_value_and_widens_with_folds(rng):
    outcome = np.arange(20.0)
    predictions = outcome[None] + rng.normal(0.0, 8.0, (1, 20))
    strata = np.zeros(20, dtype=int)
    one = PredictedOutcomes(outcome, predictions, np.zeros((1, 20), dtype=int), strata, strata)
    low, high = concordance_interval(one)
    assert low < concordance(outcome, predictions[0]) < high
    # All in one order, whatever the folds: only the number of folds differs.
    perfect = [
        PredictedOutcomes(outcome, outcome[None], np.arange(20)[None] % folds, strata, strata) for folds in (1, 5)
    ]
    assert concordance_interval(perfect[1])[0] < concordance_interval(perfect[0])[0] < 1.0


def test_no_pair_has_no_interval():
    apart = PredictedOutcomes(np.arange(3.0), np.arange(3.0)[None], np.arange(3)[None], *np.zeros((2, 3), dtype=int))
    assert np.isnan(concordance_interval(apart)).all()
