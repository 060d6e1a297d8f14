"""The correlation of true changes: recovered with its interval, shared subjects taken out, and what no effect gives."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.contrasts.study_change import StudyChange
from responder_ml.contrasts.true_correlation import (
    compare_changes,
    expected_correlation,
    shared_control_correlation,
)

GENES = 800


def design(classes, *others):
    return np.column_stack([np.ones(len(classes)), *others, classes]).astype(float)


def classes_of(n_positive, n_negative):
    return np.r_[np.ones(n_positive), np.zeros(n_negative)]


def simulate(rng, n, true):
    classes = classes_of(*n)
    return StudyChange.of(rng.normal(size=(len(classes), GENES)) + np.outer(classes, true), design(classes))


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_a_planted_correlation_is_recovered_and_its_interval_covers(rng, rho):
    estimates, covered, expected = [], 0, []
    for _ in range(40):
        first = 0.4 * rng.normal(size=GENES)
        second = rho * first + np.sqrt(1 - rho**2) * 0.4 * rng.normal(size=GENES)
        agreement = compare_changes(simulate(rng, (6, 7), first), simulate(rng, (8, 8), second))
        low, high = agreement.interval
        estimates.append(agreement.true_correlation)
        expected.append(agreement.observed - rho * agreement.same_changes)
        covered += low <= np.corrcoef(first, second)[0, 1] <= high
    assert abs(np.mean(estimates) - rho) < 0.06
    assert abs(np.mean(expected)) < 0.02
    assert covered >= 36


def test_the_founding_cohorts_shared_controls_give_their_correlation_from_group_sizes_alone():
    """Resilient and susceptible contrasts correlate at 0.41 (5 controls, 3, 4) and 0.46 (4, 3, 4) without any effect."""
    assert round(shared_control_correlation((3, 5), (4, 5), 5), 2) == 0.41
    assert round(shared_control_correlation((3, 4), (4, 4), 4), 2) == 0.46
    assert shared_control_correlation((3, 5), (4, 5), 0) == 0.0


@pytest.mark.parametrize("shared", [7, 3])
def test_shared_controls_make_signatures_correlate_as_group_sizes_say_and_true_changes_not(rng, shared):
    observed, alone, true = [], [], []
    for _ in range(60):
        common = rng.normal(size=(shared, GENES))
        studies = [
            StudyChange.of(np.vstack([rng.normal(size=(n + 7 - shared, GENES)), common]), design(classes_of(n, 7)))
            for n in (5, 6)
        ]
        partner = np.full(12, -1)
        partner[12 - shared :] = np.arange(13 - shared, 13)
        agreement = compare_changes(*studies, partner)
        observed.append(agreement.observed)
        alone.append(agreement.no_effect)
        true.append(agreement.product - agreement.shared_noise)
    expected = shared_control_correlation((5, 7), (6, 7), shared)
    assert abs(np.mean(observed) - expected) < 0.02
    assert abs(np.mean(alone) - expected) < 0.02
    assert abs(np.mean(true)) < 4 * np.std(true) / np.sqrt(60) + 1e-3


def test_the_same_study_twice_has_the_correlation_one(rng):
    study = simulate(rng, (6, 7), 0.5 * rng.normal(size=GENES))
    agreement = compare_changes(study, study, np.arange(13))
    assert agreement.true_correlation == pytest.approx(1.0)
    assert agreement.interval[1] == pytest.approx(1.0)
    assert not agreement.is_impossible


def test_the_same_study_under_another_name_is_more_alike_than_can_be(rng):
    study = simulate(rng, (6, 7), 0.5 * rng.normal(size=GENES))
    agreement = compare_changes(study, study)
    assert agreement.interval == (1.0, 1.0)
    assert agreement.is_impossible


def test_without_signal_the_interval_excludes_nothing(rng):
    agreement = compare_changes(simulate(rng, (6, 7), np.zeros(GENES)), simulate(rng, (6, 7), np.zeros(GENES)))
    silent = replace(agreement, signals=(-0.01, 0.02))
    assert silent.interval == (-1.0, 1.0)
    assert np.isnan(silent.true_correlation)
    assert not silent.is_impossible


def test_the_interval_is_all_that_is_within_its_error_of_zero(rng):
    """The ends solve the inequality that a fine grid tries point by point, in every shape that the set can have."""
    grid = np.linspace(-1, 1, 4001)
    for _ in range(300):
        root = rng.normal(size=(3, 3)) * np.exp(rng.normal(-1, 1))
        agreement = replace(
            _agreement(rng.normal() * 0.5, tuple(np.exp(rng.normal(size=2)))), covariance=root @ root.T, df=6
        )
        first, second = agreement.signals
        size = np.sqrt(first * second)
        slopes = np.array([np.ones_like(grid), -grid * 0.5 * size / first, -grid * 0.5 * size / second])
        error = np.sqrt(np.einsum("ig,ij,jg->g", slopes, agreement.covariance, slopes))
        inside = np.flatnonzero(np.abs(agreement.product - grid * size) <= 2.4469 * error)
        low, high = agreement.interval
        assert -1.0 <= low <= high <= 1.0
        if inside.size:
            assert abs(low - grid[inside[0]]) < 2e-3
            assert abs(high - grid[inside[-1]]) < 2e-3
        else:
            assert low == high
            assert abs(low) == 1.0


def test_losing_the_class_with_a_subject_leaves_the_interval_open(rng):
    # The second stratum has one class only, and in the first each class has one subject.
    classes, stratum = np.array([1, 0, 0, 0, 0, 0]), np.array([1, 1, 0, 0, 0, 0])
    frail = StudyChange.of(rng.normal(size=(6, GENES)), np.column_stack([stratum, 1 - stratum, classes]).astype(float))
    agreement = compare_changes(frail, simulate(rng, (6, 7), np.ones(GENES) * rng.normal(size=GENES)))
    assert np.isnan(agreement.covariance).all()
    assert agreement.interval == (-1.0, 1.0)


def test_the_order_of_subjects_and_genes_changes_nothing(rng):
    log2, classes = rng.normal(size=(13, GENES)), classes_of(6, 7)
    log2 += np.outer(classes, rng.normal(size=GENES))
    second = log2 + rng.normal(size=log2.shape)
    plain = compare_changes(*(StudyChange.of(values, design(classes)) for values in (log2, second)))
    rows, genes = rng.permutation(13), rng.permutation(GENES)
    shuffled = [
        StudyChange.of(log2[rows][:, genes], design(classes[rows])),
        StudyChange.of(second[:, genes], design(classes)),
    ]
    again = compare_changes(*shuffled)
    np.testing.assert_allclose(again.interval, plain.interval, rtol=1e-9)
    np.testing.assert_allclose(again.observed, plain.observed, rtol=1e-9)


def test_what_to_expect_of_a_study_to_come(rng):
    """The mean observed correlation with a second study of that size, if the changes are the same."""
    true = 0.4 * rng.normal(size=GENES)
    pairs = [(simulate(rng, (8, 8), true), simulate(rng, (5, 5), true)) for _ in range(25)]
    expected = [expected_correlation(first, (5, 5))[0] for first, _ in pairs]
    observed = [compare_changes(*pair).observed for pair in pairs]
    assert abs(np.mean(expected) - np.mean(observed)) < 0.03
    assert expected_correlation(pairs[0][0], (5, 5))[1] == 0.0
    assert expected_correlation(pairs[0][0], (5, 8), 8)[1] == pytest.approx(
        shared_control_correlation((8, 8), (5, 8), 8)
    )


def _agreement(product, signals):
    from responder_ml.contrasts.true_correlation import Agreement

    return Agreement(product, 0.0, (1.0, 1.0), signals, np.eye(3), 6)
