import numpy as np
import pytest
from scipy.stats import spearmanr

from responder_ml.evaluation.behaviour import compare_behaviour

LABELS = np.repeat([1, 0], 8).astype(np.int8)
ONE = np.zeros(16, dtype=np.intp)


def _compare(log_odds, behaviour, strata=ONE, up=True, permutations=499):
    return compare_behaviour(
        log_odds, behaviour, LABELS, strata, higher_is_positive=up, seed=1, permutations=permutations
    )


def test_over_all_subjects_it_is_spearman(rng):
    log_odds, behaviour = rng.normal(size=16), rng.integers(0, 5, 16).astype(float)
    agreement = _compare(log_odds, behaviour)
    assert agreement.spearman == pytest.approx(spearmanr(log_odds, behaviour).statistic)
    # The sign of the correlation stays as it is where less of the behaviour is positive; only the side of p turns.
    turned = _compare(log_odds, behaviour, up=False)
    assert turned.spearman == pytest.approx(agreement.spearman)
    assert turned.p_value == pytest.approx(1 - agreement.p_value, abs=0.1)


def test_a_prediction_of_the_class_alone_says_nothing_within_it(rng):
    behaviour = np.where(LABELS == 1, 1.5, 0.5) + rng.normal(0, 0.1, 16)
    agreement = _compare(np.where(LABELS == 1, 2.0, -2.0), behaviour)
    assert agreement.spearman > 0.8
    assert agreement.p_value < 0.01
    assert (agreement.within, agreement.within_p) == (0.0, 1.0)


def test_a_prediction_that_follows_the_behaviour_is_seen_within_the_classes(rng):
    behaviour = np.where(LABELS == 1, 1.5, 0.5) + rng.normal(0, 0.1, 16)
    agreement = _compare(behaviour + rng.normal(0, 0.02, 16), behaviour)
    assert agreement.within > 0.8
    assert agreement.within_p < 0.01


def test_within_classes_by_hand():
    # Ranks within class and stratum: up and up, up and down.
    labels, strata = np.array([1, 1, 0, 0], dtype=np.int8), np.array([0, 0, 0, 0])
    agreement = compare_behaviour(
        np.array([3.0, 4.0, 1.0, 2.0]), np.array([1.1, 1.2, 0.2, 0.1]), labels, strata, higher_is_positive=True, seed=1
    )
    assert agreement.within == pytest.approx(0.0)
    # Of four equally likely outcomes (1, 0, 0, -1) three reach 0.
    assert agreement.within_p == pytest.approx(0.75, abs=0.02)


def test_p_counts_the_observed_order_among_the_permutations():
    order = np.arange(16.0)
    agreement = _compare(order, order, permutations=19)
    assert (agreement.p_value, agreement.within_p) == (1 / 20, 1 / 20)


def test_a_difference_between_strata_is_neither_agreement_within_them_nor_significant(rng):
    strata = np.tile([0, 1], 8)
    agreement = _compare(10.0 * strata + rng.normal(size=16), 10.0 * strata + rng.normal(size=16), strata)
    assert agreement.spearman > 0.6
    assert agreement.p_value > 0.05
    assert abs(agreement.within) < 0.5
    assert agreement.within_p > 0.05


def test_p_within_classes_is_uniform_without_effect(rng):
    p = [_compare(rng.normal(size=16), rng.normal(size=16), permutations=99).within_p for _ in range(200)]
    assert abs(np.mean(np.array(p) <= 0.2) - 0.2) < 0.1


def test_too_few_subjects_say_nothing():
    few = np.zeros(3)
    assert (
        compare_behaviour(few, few, few.astype(np.int8), few.astype(np.intp), higher_is_positive=True, seed=1) is None
    )
