"""Genes called again: predicted numbers are those of simulated second studies, with and without effect, and by shared subjects."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.contrasts.called_again import (
    CallRule,
    ChangeMixture,
    SecondStudy,
    call_again,
    observed_again,
    p_values,
)
from responder_ml.contrasts.study_change import StudyChange
from responder_ml.contrasts.true_correlation import compare_changes

GENES = 1500


def simulate(rng, n, true, common=None):
    classes = np.r_[np.ones(n[0]), np.zeros(n[1])]
    log2 = rng.normal(size=(sum(n), GENES)) + np.outer(classes, true)
    if common is not None:
        log2[n[0] :] = common
    return StudyChange.of(log2, np.column_stack([np.ones(sum(n)), classes]))


def predict(first, second, rule, partner=None):
    agreement = compare_changes(first, second, partner)
    weights = first.coefficient.weights, second.coefficient.weights
    sizes = [np.linalg.norm(weight) for weight in weights]
    shared = 0.0 if partner is None else weights[0][partner >= 0] @ weights[1][partner[partner >= 0]] / np.prod(sizes)
    later = SecondStudy(sizes[1], second.total_df, second.sd, shared)
    return call_again(first, agreement.signals[0], later, rule), int(observed_again(first, second, rule).sum())


@pytest.mark.parametrize(("size", "share"), [(0.6, 1.0), (2.0, 0.1), (0.0, 1.0)])
def test_as_many_genes_are_called_again_as_predicted(rng, size, share):
    rule, numbers = CallRule(0.05, 0.4), []
    for _ in range(12):
        true = size * rng.normal(size=GENES) * (rng.random(GENES) < share)
        again, observed = predict(simulate(rng, (7, 7), true), simulate(rng, (8, 8), true), rule)
        numbers.append((again.expected, again.chance, observed))
    expected, chance, observed = np.mean(numbers, axis=0)
    assert abs(expected - observed) < 0.12 * observed + 2.0
    assert chance < expected + 1.0
    if size == 0.0:
        assert abs(chance - observed) < 2.0


def test_shared_controls_make_genes_be_called_again_without_any_effect(rng):
    rule, numbers, partner = CallRule(0.05, 0.0), [], np.r_[np.full(5, -1), np.arange(5, 10)]
    for _ in range(12):
        common = rng.normal(size=(5, GENES))
        first, second = (simulate(rng, (5, 5), np.zeros(GENES), common) for _ in range(2))
        again, observed = predict(first, second, rule, partner)
        numbers.append((again.chance, observed, again.n_called * 0.025))
    chance, observed, independent = np.mean(numbers, axis=0)
    assert observed > 4 * independent
    assert abs(chance - observed) < 0.2 * observed


def test_both_parts_of_the_rule_count(rng):
    study = simulate(rng, (7, 7), rng.normal(size=GENES))
    loose, large, certain = (CallRule(p, least).called(study) for p, least in ((0.05, 0.0), (0.05, 1.5), (1e-4, 0.0)))
    assert large.sum() < loose.sum() > certain.sum()
    assert np.abs(study.change[large]).min() >= 1.5
    assert p_values(study)[certain].max() <= 1e-4
    assert CallRule().least_change == pytest.approx(np.log2(1.3))


def test_the_mixture_has_no_more_variance_than_the_signal_and_none_without(rng):
    observed = rng.normal(0.0, 1.5, 4000)
    free, capped, none = (ChangeMixture.fit(observed, 1.0, most) for most in (9.0, 0.5, -0.1))
    assert free.shares @ free.scales**2 == pytest.approx(1.25, abs=0.15)
    assert capped.shares @ capped.scales**2 == pytest.approx(0.5)
    assert not none.scales.any()
    weights, mean, variance = free.posterior(np.array([-3.0, 3.0]))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert np.sum(weights * mean, axis=1) == pytest.approx([-3 * 1.25 / 2.25, 3 * 1.25 / 2.25], abs=0.25)
    assert np.all(variance >= 0)


def test_the_direction_of_classes_changes_nothing(rng):
    true, rule = 0.7 * rng.normal(size=GENES), CallRule()
    first, second = simulate(rng, (7, 7), true), simulate(rng, (7, 7), true)
    turned = replace(first, change=-first.change)
    assert predict(first, second, rule)[0].expected == pytest.approx(predict(turned, second, rule)[0].expected)
