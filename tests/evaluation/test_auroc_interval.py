import numpy as np
import pytest
from scipy.stats import norm

from responder_ml.evaluation.auroc_interval import auroc_interval, score_interval, variance_inflation
from responder_ml.evaluation.metrics import OutOfFold, auroc


def _result(decisions, labels, folds=None):
    decisions = np.atleast_2d(np.asarray(decisions, dtype=float))
    folds = np.zeros(decisions.shape, dtype=int) if folds is None else np.asarray(folds)
    return OutOfFold(np.asarray(labels, dtype=np.int8), decisions, folds, np.zeros_like(decisions))


def test_at_one_half_the_variance_is_that_of_the_rank_sum():
    # (n1 + n0 + 1) / (12 n1 n0), whatever the balance; the lower end of 0.5 solves (A - t)^2 = z^2 V(t).
    for positive, negative in [(6, 7), (3, 30)]:
        sd = np.sqrt((positive + negative + 1) / (12 * positive * negative))
        value = 0.5 + norm.ppf(0.975) * sd
        assert score_interval(value, positive, negative)[0] == pytest.approx(0.5, abs=1e-9)


def test_one_pair_of_subjects_is_a_binomial_of_one():
    # Wilson's interval of 1 of 1: from 1 / (1 + z^2) to 1.
    assert score_interval(1.0, 1, 1) == (pytest.approx(1 / (1 + norm.ppf(0.975) ** 2)), 1.0)


@pytest.mark.parametrize("value", [0.0, 1e-9, 0.1, 0.5, 0.8, 1 - 1e-9, 1.0])
@pytest.mark.parametrize("counts", [(1, 1), (3, 3), (3, 40), (50, 50), (10_000, 10_000)])
def test_ends_hold_the_value_and_stay_on_the_scale(value, counts):
    low, high = score_interval(value, *counts, 1.8)
    assert 0 <= low <= value <= high <= 1
    assert high - low > 0


@pytest.mark.parametrize("value", [0.2, 0.7, 1.0])
def test_exchanging_the_classes_mirrors_the_interval(value):
    low, high = score_interval(value, 5, 12, 1.7)
    other_low, other_high = score_interval(1 - value, 12, 5, 1.7)
    assert (low, high) == (pytest.approx(1 - other_high), pytest.approx(1 - other_low))


def test_more_subjects_narrow_it_and_inflation_widens_it():
    widths = [np.diff(score_interval(0.8, n, n))[0] for n in (3, 6, 20, 100)]
    assert widths == sorted(widths, reverse=True)
    inside, outside = score_interval(0.8, 6, 7, 1.0), score_interval(0.8, 6, 7, 2.0)
    assert outside[0] < inside[0]
    assert inside[1] < outside[1]


@pytest.mark.parametrize("n", [3, 6, 50])
def test_a_perfect_ranking_does_not_collapse(n):
    low, high = score_interval(1.0, n, n, variance_inflation(5, 10))
    assert high == 1.0
    assert low < 1 - 1 / n**2


def test_inflation_grows_with_shared_training_subjects_and_with_few_repeats():
    assert variance_inflation(1, 1) == variance_inflation(1, 50) == 1.0
    by_folds = [variance_inflation(folds, 10) for folds in (2, 3, 5, 10, 50)]
    assert by_folds == sorted(by_folds)
    by_repeats = [variance_inflation(5, repeats) for repeats in (1, 2, 10, 100)]
    assert by_repeats == sorted(by_repeats, reverse=True)


def test_only_order_within_folds_counts_and_no_seed(rng):
    labels = np.tile([1, 0], 8)
    folds = np.stack([rng.permutation(np.repeat([0, 1], 8)) for _ in range(3)])
    decisions = rng.normal(size=(3, 16)) + labels
    plain = auroc_interval(_result(decisions, labels, folds))
    shifted = auroc_interval(_result(1e9 * (folds * 7.0) + decisions, labels, folds))
    huge = auroc_interval(_result(np.exp(decisions), labels, folds))
    assert plain == pytest.approx(huge)
    assert plain == pytest.approx(shifted)
    assert plain[0] < auroc(_result(decisions, labels, folds)) < plain[1]


def test_folds_of_other_models_are_not_new_training_sets(rng):
    labels = np.tile([1, 0], 10)
    decisions = rng.normal(size=20) + labels
    fixed = auroc_interval(_result(decisions, labels))
    value = auroc(_result(decisions, labels))
    assert fixed == score_interval(value, 10, 10)


def test_a_constant_is_one_half_by_construction():
    labels = np.tile([1, 0], 4)
    folds = np.tile([[0, 0, 0, 0, 1, 1, 1, 1]], (2, 1))
    constant_by_fold = np.array([folds[0] * 3.0, folds[0] * -2.0])
    assert auroc_interval(_result(constant_by_fold, labels, folds)) == (0.5, 0.5)
    # Half of the pairs won is not the same as no pair decided.
    low, high = auroc_interval(_result([1, 0, 0, 1, 1, 0, 0, 1], labels, folds[:1]))
    assert low < 0.5 < high


def test_without_compared_pairs_there_is_no_interval():
    result = _result([0.1, 0.2, 0.3, 0.4], [1, 1, 0, 0], [[0, 0, 1, 1]])
    assert np.isnan(auroc_interval(result)).all()


def test_a_value_without_subjects_is_refused():
    with pytest.raises(ValueError, match="0 positive"):
        score_interval(0.5, 0, 4)


@pytest.mark.parametrize("size", [6, 20])
def test_it_covers_one_half_where_the_null_is_true(size):
    # Difference of means over 200 genes of pure noise, 5 folds x 4 repeats; the bootstrap covered 0.79 of these.
    rng = np.random.default_rng(4)
    labels = np.repeat([1, 0], size)
    covered = 0
    for _ in range(200):
        x = rng.standard_normal((2 * size, 200))
        fold = np.stack([np.concatenate([rng.permutation(size) % 5 for _ in range(2)]) for _ in range(4)])
        train = (fold[:, None, :] != np.arange(5)[:, None]).astype(float)
        means = [(train * of_class) @ x / (train @ of_class)[..., None] for of_class in (labels, 1 - labels)]
        scores = (means[0] - means[1]) @ x.T
        decisions = np.take_along_axis(scores, fold[:, None, :], axis=1)[:, 0]
        low, high = auroc_interval(_result(decisions, labels, fold))
        covered += low <= 0.5 <= high
    assert 0.92 < covered / 200 < 0.995


def test_the_luck_of_matched_pairs_counts_twice(rng):
    # The pair is the unit: its members' scores are opposite. Half of 40 scores without information are to be right.
    labels, pairs, shape = np.tile([1, 0], 20).astype(np.int8), np.repeat(np.arange(20), 2), (1, 40)
    inside = 0
    for _ in range(400):
        margin = rng.normal(size=20)
        decisions = np.stack([margin, -margin], axis=1).reshape(shape)
        low, high = auroc_interval(OutOfFold(labels, decisions, np.zeros(shape, dtype=int), np.zeros(shape), pairs))
        inside += low <= 0.5 <= high
    assert 0.92 <= inside / 400 <= 0.99
