"""The AUROC to expect in a second study: wider for smaller studies, within 0 and 1, and defined for a perfect run."""

import numpy as np
import pytest

from responder_ml.evaluation.carried_auroc import carried_auroc_interval, hanley_mcneil


def test_smaller_studies_have_wider_intervals_and_a_perfect_run_has_one():
    ends = [carried_auroc_interval(0.8, (0.6, 0.92), (12, 12), size) for size in ((5, 5), (20, 20), (200, 200))]
    assert [low for low, _ in ends] == sorted(low for low, _ in ends)
    assert [high for _, high in ends] == sorted((high for _, high in ends), reverse=True)
    low, high = carried_auroc_interval(1.0, (0.7, 1.0), (6, 7), (8, 8))
    assert 0.0 < low < high <= 1.0
    assert np.isfinite([low, high]).all()


def test_the_variance_is_that_of_simulated_scores(rng):
    values = []
    for _ in range(3000):
        positive, negative = rng.normal(1.0, 1.0, 9), rng.normal(0.0, 1.0, 11)
        values.append(np.mean(positive[:, None] > negative))
    assert np.var(values) == pytest.approx(hanley_mcneil(float(np.mean(values)), 9, 11), rel=0.15)
