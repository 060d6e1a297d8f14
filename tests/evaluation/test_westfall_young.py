"""The step-down correction, against numbers by hand and against its promise."""

import numpy as np
import pytest

from responder_ml.evaluation.westfall_young import attainable_corrected_p, correct_p_values


def test_two_jobs_by_hand():
    # Smallest p per column: 0.1, 0.5, 0.2, 0.1, 0.5 -> the first job's 0.1 is reached in columns 1 and 4.
    p = np.array([[0.1, 0.5, 0.2, 0.9, 0.5], [0.4, 0.6, 0.8, 0.1, 0.9]])
    # The second job is then on its own: 0.4 is reached in columns 1 and 4.
    assert correct_p_values(p) == pytest.approx([2 / 5, 2 / 5])


def test_one_job_keeps_its_p(rng):
    p = rng.permutation(np.arange(1, 21) / 20)[None]
    assert correct_p_values(p) == pytest.approx(p[:, 0])


def test_corrected_p_rise_with_p_and_are_never_below_it(rng):
    ranks = np.stack([rng.permutation(200) for _ in range(6)])
    p = (ranks + 1) / 200
    corrected = correct_p_values(p)
    order = np.argsort(p[:, 0])
    assert (np.diff(corrected[order]) >= 0).all()
    assert (corrected >= p[:, 0]).all()
    assert (corrected <= 6 * p[:, 0] + 0.1).all()


def test_a_job_whose_p_is_never_small_costs_the_others_nothing(rng):
    p = (np.stack([rng.permutation(400) for _ in range(2)]) + 1) / 400
    p[:, 0] = [0.01, 0.02]
    coarse = rng.integers(1, 21, 400) / 20
    coarse[0] = 0.05
    assert correct_p_values(np.vstack([p, coarse]))[:2] == pytest.approx(correct_p_values(p))


def test_identical_jobs_are_one_job(rng):
    p = (rng.permutation(100) + 1)[None] / 100
    assert correct_p_values(np.repeat(p, 5, axis=0)) == pytest.approx(np.repeat(p[:, 0], 5))


def test_the_family_wise_error_is_held_at_its_level(rng):
    hits = 0
    for _ in range(400):
        statistics = rng.normal(size=(5, 100)) + rng.normal(size=100)
        ranks = (statistics[:, :, None] <= statistics[:, None, :]).mean(axis=2)
        hits += correct_p_values(ranks).min() <= 0.05
    assert 6 <= hits <= 36  # 0.05 of 400, six standard deviations below to four above


def test_attainable_is_what_the_best_labels_would_have_got():
    p = np.array([[0.5, 0.25, 0.5, 1.0], [0.25, 0.5, 1.0, 0.5]])
    assert attainable_corrected_p(p, 0, 0.25) == pytest.approx(2 / 4)
    assert p[0, 0] == 0.5


def test_an_exact_p_is_not_made_smaller_by_few_random_draws():
    p = np.array([[0.05, 0.5, 0.7, 0.9] + [1.0] * 36])
    assert correct_p_values(p) == pytest.approx([0.05])
