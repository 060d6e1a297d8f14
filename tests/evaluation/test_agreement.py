import numpy as np
import pytest
from scipy.stats import spearmanr

from responder_ml.evaluation.agreement import (
    PredictedOutcomes,
    explained_share,
    fold_concordance,
    mean_absolute_error,
    measure,
    separations,
    spearman,
)
from responder_ml.evaluation.separation import separations as separations_of_classes
from responder_ml.statistics.concordance import auroc, concordance


@pytest.fixture
def predicted(rng):
    """Return predictions with ties in outcome and prediction, in three strata of unequal size."""
    n, repeats = 23, 4
    outcome = rng.integers(0, 8, n) / 4.0
    predictions = np.round(rng.normal(size=(repeats, n)) + outcome, 0)
    folds = np.stack([rng.permutation(np.arange(n) % 3) for _ in range(repeats)])
    return PredictedOutcomes(outcome, predictions, folds, rng.integers(0, 3, n))


def _naive(predicted):
    right = met = 0.0
    for prediction, fold in zip(predicted.predictions, predicted.folds, strict=True):
        for i in range(len(prediction)):
            for j in range(len(prediction)):
                alike = fold[i] == fold[j] and predicted.strata[i] == predicted.strata[j]
                if alike and predicted.outcome[i] > predicted.outcome[j]:
                    met += 1
                    right += 1.0 if prediction[i] > prediction[j] else 0.5 * (prediction[i] == prediction[j])
    return right / met


def test_concordance_is_that_of_a_double_loop_with_ties_and_strata(predicted):
    assert fold_concordance(predicted) == pytest.approx(_naive(predicted), abs=1e-12)


def test_spearman_is_scipys_without_strata(predicted):
    whole = PredictedOutcomes(
        predicted.outcome, predicted.predictions, predicted.folds, np.zeros_like(predicted.strata)
    )
    expected = spearmanr(whole.outcome, whole.predictions.mean(axis=0)).statistic
    assert spearman(whole) == pytest.approx(expected, abs=1e-12)


def test_strata_that_differ_in_level_only_do_not_change_spearman(predicted):
    shifted = PredictedOutcomes(
        predicted.outcome + 10.0 * predicted.strata,
        predicted.predictions - 5.0 * predicted.strata,
        predicted.folds,
        predicted.strata,
    )
    assert spearman(shifted) == pytest.approx(spearman(predicted), abs=1e-12)


def test_two_values_give_the_auroc_and_the_separation_of_classes(rng):
    labels = (rng.random(20) < 0.4).astype(np.int8)
    decisions, cells = rng.normal(size=(3, 20)), rng.integers(0, 3, 20)
    outcome = np.where(labels == 1, 2.5, -1.0)
    assert concordance(outcome, decisions[0]) == pytest.approx(auroc(labels, decisions[0]), abs=1e-12)
    np.testing.assert_allclose(
        separations(outcome, decisions, cells), separations_of_classes(labels, decisions, cells), atol=1e-12
    )


def test_errors_are_in_units_of_the_outcome(predicted):
    expected = np.mean([np.abs(one - predicted.outcome) for one in predicted.predictions])
    assert mean_absolute_error(predicted) == pytest.approx(expected)
    mean = np.full_like(predicted.predictions, predicted.outcome.mean())
    constant = PredictedOutcomes(predicted.outcome, mean, predicted.folds, predicted.strata)
    assert explained_share(constant) == pytest.approx(0.0, abs=1e-12)


def test_edges_have_numbers_or_none_and_never_an_error(rng):
    outcome, one = np.array([1.0, 2.0, 3.0, 4.0]), np.zeros((1, 4), dtype=int)
    constant = PredictedOutcomes(outcome, np.full((1, 4), 1e300), one, one[0])
    assert fold_concordance(constant) == 0.5
    assert np.isnan(spearman(constant))
    np.testing.assert_array_equal(measure(constant, one[0], np.full((2, 4), 3.0)), [0.5, 0.0, 0.0, 0.0])
    apart = PredictedOutcomes(outcome, outcome[None], np.arange(4)[None], one[0])
    assert np.isnan(fold_concordance(apart))
    assert separations(np.ones(4), rng.normal(size=(2, 4)), one[0]).tolist() == [0.0, 0.0]


def test_the_separation_does_not_depend_on_the_scale_of_decisions(rng):
    outcome, decisions, cells = rng.normal(size=12), rng.normal(size=(1, 12)), np.zeros(12, dtype=int)
    for factor in (1e-8, 1e8):
        np.testing.assert_allclose(
            separations(outcome, factor * decisions, cells), separations(outcome, decisions, cells), atol=1e-9
        )
