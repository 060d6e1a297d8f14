import itertools
from dataclasses import replace

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
    return PredictedOutcomes(outcome, predictions, folds, rng.integers(0, 3, n), (outcome >= 1.0).astype(np.int8))


def _naive(predicted):
    """Return the mean over all comparable pairs, each with the share in order among pairs of its stratum and halves."""
    n, order, kinds = len(predicted.outcome), {}, []
    for i, j in itertools.product(range(n), repeat=2):
        if predicted.strata[i] != predicted.strata[j] or predicted.outcome[i] <= predicted.outcome[j]:
            continue
        kinds.append((predicted.strata[i], predicted.halves[i] + predicted.halves[j]))
        for prediction, fold in zip(predicted.predictions, predicted.folds, strict=True):
            if fold[i] == fold[j]:
                in_order = 1.0 if prediction[i] > prediction[j] else 0.5 * (prediction[i] == prediction[j])
                order.setdefault(kinds[-1], []).append(in_order)
    return np.mean([np.mean(order[kind]) for kind in kinds if kind in order])


def test_concordance_is_that_of_a_double_loop_with_ties_and_strata(predicted):
    assert fold_concordance(predicted) == pytest.approx(_naive(predicted), abs=1e-12)


def test_pairs_count_as_among_all_pairs_and_not_as_among_those_of_balanced_folds(rng):
    n, repeats = 40, 200
    outcome = rng.normal(size=n)
    halves = (outcome >= np.median(outcome)).astype(np.int8)
    # One model for all, so the concordance on all pairs is known; it is easier across the halves.
    prediction = halves + rng.normal(0.0, 0.7, n)
    folds = np.empty((repeats, n), dtype=int)
    for row in folds:
        order = np.lexsort((rng.random(n), halves))
        row[order] = np.arange(n) % 10
    predicted = PredictedOutcomes(outcome, np.tile(prediction, (repeats, 1)), folds, np.zeros(n, dtype=int), halves)
    plain = replace(predicted, halves=np.zeros_like(halves))
    assert fold_concordance(predicted) == pytest.approx(concordance(outcome, prediction), abs=0.01)
    assert fold_concordance(plain) > concordance(outcome, prediction) + 0.02


def test_halves_change_nothing_where_the_outcome_has_two_values(rng):
    labels = (rng.random(20) < 0.4).astype(np.int8)
    folds = np.stack([rng.permutation(np.arange(20) % 4) for _ in range(3)])
    predictions, strata = rng.normal(size=(3, 20)), rng.integers(0, 2, 20)
    of_classes = fold_concordance(PredictedOutcomes(labels + 0.5, predictions, folds, strata * 0, labels))
    without = fold_concordance(PredictedOutcomes(labels + 0.5, predictions, folds, strata * 0, labels * 0))
    assert of_classes == pytest.approx(without, abs=1e-12)


def test_spearman_is_scipys_without_strata(predicted):
    whole = replace(predicted, strata=np.zeros_like(predicted.strata))
    expected = spearmanr(whole.outcome, whole.predictions.mean(axis=0)).statistic
    assert spearman(whole) == pytest.approx(expected, abs=1e-12)


def test_strata_that_differ_in_level_only_do_not_change_spearman(predicted):
    shifted = PredictedOutcomes(
        predicted.outcome + 10.0 * predicted.strata,
        predicted.predictions - 5.0 * predicted.strata,
        predicted.folds,
        predicted.strata,
        predicted.halves,
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
    constant = replace(predicted, predictions=mean)
    assert explained_share(constant) == pytest.approx(0.0, abs=1e-12)


def test_edges_have_numbers_or_none_and_never_an_error(rng):
    outcome, one = np.array([1.0, 2.0, 3.0, 4.0]), np.zeros((1, 4), dtype=int)
    constant = PredictedOutcomes(outcome, np.full((1, 4), 1e300), one, one[0], one[0])
    assert fold_concordance(constant) == 0.5
    assert np.isnan(spearman(constant))
    np.testing.assert_array_equal(measure(constant, one[0], np.full((2, 4), 3.0)), [0.5, 0.0, 0.0, 0.0])
    apart = PredictedOutcomes(outcome, outcome[None], np.arange(4)[None], one[0], one[0])
    assert np.isnan(fold_concordance(apart))
    assert separations(np.ones(4), rng.normal(size=(2, 4)), one[0]).tolist() == [0.0, 0.0]


def test_the_separation_does_not_depend_on_the_scale_of_decisions(rng):
    outcome, decisions, cells = rng.normal(size=12), rng.normal(size=(1, 12)), np.zeros(12, dtype=int)
    for factor in (1e-8, 1e8):
        np.testing.assert_allclose(
            separations(outcome, factor * decisions, cells), separations(outcome, decisions, cells), atol=1e-9
        )
