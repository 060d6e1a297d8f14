import numpy as np
import pytest
from scipy.stats import ttest_1samp

from responder_ml.errors import RunError
from responder_ml.evaluation.intervals import compare_pairs, corrected_t
from responder_ml.statistics.multiple_testing import holm

DIFFERENCES = np.array([0.1, 0.3, -0.1, 0.1, 0.1])


def test_hand_numbers():
    # mean 0.1, variance 0.08 / 4 = 0.02, (1/5 + 1/4) 0.02 = 0.009; 2.776445 is the 97.5 % point of t with 4 df.
    test = corrected_t(DIFFERENCES, 5)
    assert test.difference == pytest.approx(0.1)
    assert test.t == pytest.approx(0.1 / np.sqrt(0.009))
    assert (test.low, test.high) == pytest.approx((0.1 - 2.776445 * 0.0948683, 0.1 + 2.776445 * 0.0948683), abs=1e-6)
    assert test.n_folds == 5


def test_p_of_two_differences_by_hand():
    # With one degree of freedom t is Cauchy; 0 and 0.2 have mean 0.1 and variance 0.02: with two folds (1/2 + 1) 0.02.
    test = corrected_t([0.0, 0.2], 2)
    assert test.t == pytest.approx(0.1 / np.sqrt(0.03))
    assert test.p_value == pytest.approx(1 - 2 * np.arctan(test.t) / np.pi)


def test_without_overlap_it_is_the_ordinary_t_test(rng):
    differences = rng.normal(0.05, 0.1, size=(3, 5))
    test = corrected_t(differences, 10**14)
    ordinary = ttest_1samp(differences.ravel(), 0.0)
    assert (test.t, test.p_value) == pytest.approx((ordinary.statistic, ordinary.pvalue), rel=1e-6)
    interval = ordinary.confidence_interval(0.95)
    assert (test.low, test.high) == pytest.approx((interval.low, interval.high), rel=1e-6)


def test_nan_folds_are_left_out():
    with_gaps = np.concatenate([[np.nan], DIFFERENCES, [np.nan]])
    assert corrected_t(with_gaps, 5) == corrected_t(DIFFERENCES, 5)


def test_nothing_differs():
    test = corrected_t(np.zeros((2, 3)), 3)
    assert (test.difference, test.low, test.high, test.t, test.p_value) == (0, 0, 0, 0, 1)


@pytest.mark.parametrize("amount", [0.5, -0.1])
def test_equal_differences_are_no_test(amount):
    # 0.1 is not a binary number: its mean over folds differs from it by rounding, which is not a variance.
    test = corrected_t(np.full(7, amount) + np.array([0, 1e-16, 0, 0, -1e-16, 0, 0]), 5)
    assert test.low == test.high == test.difference == pytest.approx(amount)
    assert test.t == np.copysign(np.inf, amount)
    assert np.isnan(test.p_value)


@pytest.mark.parametrize(("differences", "mean"), [([0.2], 0.2), ([], np.nan), ([np.nan, np.nan], np.nan)])
def test_too_few_folds_are_no_test(differences, mean):
    test = corrected_t(differences, 5)
    assert test.difference == pytest.approx(mean, nan_ok=True)
    assert np.isnan([test.low, test.high, test.t, test.p_value]).all()


@pytest.mark.parametrize("folds", [1, 0])
def test_fewer_than_two_folds_are_refused(folds):
    with pytest.raises(ValueError, match="at least 2"):
        corrected_t(DIFFERENCES, folds)


def test_correction_holds_its_level_where_the_plain_t_test_does_not():
    # Simulated differences of no procedure: any two folds correlate as much as Nadeau and Bengio assume, test / all.
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(1500, 1)) * np.sqrt(0.2)
    differences = shared + rng.normal(size=(1500, 50)) * np.sqrt(0.8)
    corrected = np.mean([corrected_t(sample, 5).p_value <= 0.05 for sample in differences])
    plain = np.mean(ttest_1samp(differences, 0.0, axis=1).pvalue <= 0.05)
    assert 0.035 < corrected < 0.065
    assert plain > 0.4


def test_pairs(rng):
    base = rng.uniform(0.4, 0.9, size=(4, 5))
    scores = {
        "b": base,
        "a": base - 0.2 + rng.normal(0, 0.02, size=(4, 5)),
        "c": base + rng.normal(0, 0.1, size=(4, 5)),
    }
    table = compare_pairs(scores, 5)
    assert list(zip(table["first"], table["second"], strict=True)) == [("b", "a"), ("b", "c"), ("a", "c")]
    alone = corrected_t(scores["b"] - scores["a"], 5)
    row = table.iloc[0]
    assert (row["difference"], row["low"], row["high"]) == (alone.difference, alone.low, alone.high)
    assert (row["t"], row["p_value"], row["n_folds"]) == (alone.t, alone.p_value, 20)
    np.testing.assert_array_equal(table["p_holm"], holm(table["p_value"]))
    assert table["difference"][0] > 0.15
    assert table["p_holm"][0] < 0.01 < table["p_holm"][1]


def test_one_procedure_has_no_pairs():
    table = compare_pairs({"only": np.ones(5)}, 5)
    assert table.empty
    assert "p_holm" in table.columns


def test_other_folds_are_refused():
    with pytest.raises(RunError, match=r"a \(5,\), b \(4,\)"):
        compare_pairs({"a": np.ones(5), "b": np.ones(4)}, 5)
