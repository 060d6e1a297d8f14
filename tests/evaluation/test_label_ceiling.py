"""The label ceiling against simulation, in closed form where there is one, and at its ends."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from responder_ml.evaluation.label_ceiling import label_ceiling


@pytest.mark.parametrize("reliability", [0.3, 0.6, 0.8, 0.95])
@pytest.mark.parametrize(("positive", "negative"), [(0.5, 0.5), (0.2, 0.8), (0.3, 0.4)])
def test_it_is_what_a_simulated_perfect_predictor_reaches(reliability, positive, negative):
    rng = np.random.default_rng(1)
    true = rng.normal(size=400_000)
    measured = np.sqrt(reliability) * true + np.sqrt(1 - reliability) * rng.normal(size=len(true))
    high, low = np.quantile(measured, [1 - positive, negative])
    chosen = (measured > high) | (measured <= low)
    simulated = roc_auc_score(measured[chosen] > high, true[chosen])
    assert label_ceiling(reliability, positive, negative) == pytest.approx(simulated, abs=0.003)


@pytest.mark.parametrize("reliability", [1e-6, 0.01, 0.2, 0.5, 0.8, 0.99])
def test_cut_at_the_median_it_has_a_closed_form(reliability):
    """An orthant of three normals, 4 (1/8 + (asin a + asin b + asin c) / (4 pi)), with correlations sqrt(r / 2) twice and 0."""
    expected = 0.5 + 2 * np.arcsin(np.sqrt(reliability / 2)) / np.pi
    assert label_ceiling(reliability, 0.5, 0.5) == pytest.approx(expected, abs=1e-7)


def test_it_rises_with_reliability_and_reaches_one():
    values = [label_ceiling(value, 0.4, 0.6) for value in (1e-9, 0.1, 0.5, 0.9, 0.999, 0.999999, 1.0)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(0.5, abs=1e-3)
    assert values[-2] == pytest.approx(1.0, abs=1e-3)
    assert values[-1] == 1.0


def test_leaving_out_the_middle_raises_it_and_the_classes_are_alike():
    assert label_ceiling(0.6, 0.3, 0.3) > label_ceiling(0.6, 0.5, 0.5)
    assert label_ceiling(0.6, 0.1, 0.7) == pytest.approx(label_ceiling(0.6, 0.7, 0.1), abs=1e-9)
    assert 0.5 < label_ceiling(0.5, 1e-4, 1 - 1e-4) <= 1.0


@pytest.mark.parametrize(
    "wrong", [(0.0, 0.5, 0.5), (1.1, 0.5, 0.5), (float("nan"), 0.5, 0.5), (0.8, 0.0, 1.0), (0.8, 0.6, 0.6)]
)
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        label_ceiling(*wrong)
