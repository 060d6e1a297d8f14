import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import norm

from responder_ml.errors import EndpointError
from responder_ml.evaluation.calibration import Calibration, CalibrationScores, calibrate, choose_threshold, shift_prior


def _groups(*groups):
    """Log-odds and labels from (log-odds, positives, subjects) per group."""
    decisions = np.concatenate([np.full(n, value) for value, _, n in groups])
    labels = np.concatenate([np.arange(n) < positives for _, positives, n in groups]).astype(np.int8)
    return decisions, labels


def test_brier_by_hand():
    # Probabilities 1/2 and 3/4: (1/4 + 1/16) / 2.
    assert calibrate([0.0, np.log(3)], [0, 1]).brier == pytest.approx(5 / 32)


def test_in_the_large_by_hand():
    # Saying one half of four subjects, three of them positive: log 3 must be added.
    calibration = calibrate(np.zeros(4), [1, 1, 1, 0])
    assert calibration.in_the_large == pytest.approx(np.log(3))
    assert calibration.brier == pytest.approx(0.25)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 300.0))
@settings(max_examples=40, deadline=None)
def test_in_the_large_matches_the_mean(seed, spread):
    rng = np.random.default_rng(seed)
    decisions = rng.normal(0, spread, size=25)
    labels = np.arange(25) < rng.integers(1, 25)
    shift = calibrate(decisions, labels).in_the_large
    assert expit(decisions + shift).mean() == pytest.approx(labels.mean(), abs=1e-8)


def test_intercept_and_slope_by_hand():
    # Two groups leave no residual: the line passes through the log-odds seen, log(5/15) at -1 and log(16/4) at 2.
    calibration = calibrate(*_groups((-1.0, 5, 20), (2.0, 16, 20)))
    slope = (np.log(4) + np.log(3)) / 3
    assert calibration.slope == pytest.approx(slope)
    assert calibration.intercept == pytest.approx(slope - np.log(3))


def test_perfect_calibration_has_intercept_zero_and_slope_one():
    calibration = calibrate(*_groups((logit(0.2), 4, 20), (logit(0.5), 10, 20), (logit(0.9), 18, 20)))
    assert (calibration.intercept, calibration.slope, calibration.in_the_large) == pytest.approx((0, 1, 0), abs=1e-8)


@pytest.mark.parametrize("scale", [0.01, 1.0, 50.0])
def test_line_against_a_general_optimiser(rng, scale):
    truth = rng.normal(0.5, 1.5, size=80)
    labels = rng.random(80) < expit(truth)
    decisions = truth * scale + 3 * scale

    def loss(coefficients):
        value = coefficients[0] + coefficients[1] * decisions / scale
        return np.logaddexp(0, np.where(labels, -value, value)).sum()

    best = minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-8}).x
    calibration = calibrate(decisions, labels)
    assert calibration.intercept == pytest.approx(best[0], rel=1e-4)
    assert calibration.slope * scale == pytest.approx(best[1], rel=1e-4)


@pytest.mark.parametrize(
    ("negatives", "positives"),
    [
        (np.arange(20.0), np.arange(20.0) + 30),
        (np.arange(20.0) + 30, np.arange(20.0)),
        (np.arange(20.0), np.arange(20.0) + 19),
        (np.zeros(20), np.zeros(20)),
    ],
    ids=["apart", "apart and upside down", "touching", "all alike"],
)
def test_no_finite_line_is_no_line(negatives, positives):
    calibration = calibrate(np.concatenate([negatives, positives]), np.repeat([0, 1], 20))
    assert (calibration.intercept, calibration.slope) == (None, None)
    assert calibration.in_the_large is not None


def test_the_slightest_overlap_gives_a_line():
    negatives, positives = np.arange(20.0), np.arange(20.0) + 18.5
    calibration = calibrate(np.concatenate([negatives, positives]), np.repeat([0, 1], 20))
    assert calibration.slope > 1
    # The two stationary conditions of the fit.
    decisions = np.concatenate([negatives, positives])
    residual = np.repeat([0, 1], 20) - expit(calibration.intercept + calibration.slope * decisions)
    assert residual.sum() == pytest.approx(0, abs=1e-6)
    assert (residual * decisions).sum() == pytest.approx(0, abs=1e-5)


def test_fewer_than_thirty_subjects_have_no_line():
    decisions, labels = _groups((-1.0, 5, 15), (1.0, 10, 15))
    assert calibrate(decisions, labels).slope is not None
    assert calibrate(decisions[1:], labels[1:]).slope is None


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_has_a_brier_score_only(label):
    assert calibrate(np.zeros(40), np.full(40, label)) == Calibration(0.25, None, None, None)


@pytest.mark.parametrize(
    ("decisions", "labels", "message"),
    [
        ([0.0, 1.0], [0], "shapes"),
        ([], [], "shapes"),
        ([0.0, np.nan], [0, 1], "nan"),
        ([0.0, np.inf], [0, 1], "finite"),
        ([0.0, 1.0], [1, 2], "0 or 1"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(decisions, labels, message):
    with pytest.raises(ValueError, match=message):
        calibrate(decisions, labels)


def test_shifted_prior_by_hand():
    # An undecided model of balanced classes says what the population's prior says.
    np.testing.assert_allclose(shift_prior([0.5, 0.0, 1.0], 0.5, 0.2), [0.2, 0.0, 1.0])
    # Odds 3 times (0.1 / 0.9) over (0.4 / 0.6) is one half.
    assert shift_prior(0.75, 0.4, 0.1) == pytest.approx(1 / 3)


@given(st.floats(-4, 4), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
@settings(max_examples=50, deadline=None)
def test_shifted_prior_is_bayes_rule_with_the_other_prior(value, trained, target):
    def posterior(prior):
        positive, negative = prior * norm.pdf(value, 1), (1 - prior) * norm.pdf(value, -1)
        return positive / (positive + negative)

    assert shift_prior(posterior(trained), trained, target) == pytest.approx(posterior(target), rel=1e-9)
    back = shift_prior(shift_prior(posterior(trained), trained, target), target, trained)
    assert back == pytest.approx(posterior(trained), rel=1e-9)


@pytest.mark.parametrize(("trained", "target"), [(0.0, 0.5), (0.5, 1.0), (0.5, 24.0)])
def test_impossible_prior_is_refused(trained, target):
    with pytest.raises(EndpointError, match="above 0 and below 1"):
        shift_prior([0.5], trained, target)


def test_impossible_probability_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        shift_prior([1.2], 0.5, 0.5)


def _balanced_accuracy(scores, labels, cut):
    called = np.asarray(scores) > cut
    labels = np.asarray(labels) == 1
    return 0.5 * (called[labels].mean() + (~called)[~labels].mean())


@pytest.mark.parametrize(
    ("scores", "labels", "cut"),
    [
        ([1.0, 2.0, 4.0, 5.0], [0, 0, 1, 1], 3.0),
        ([5.0, 1.0, 4.0, 2.0], [1, 0, 1, 0], 3.0),
        # Cuts at 1.5 and 3.5 are equally good; the lower of two middle ones.
        ([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1], 1.5),
        # Cuts at 1.5, 3.5 and 5.5 are equally good; the middle one.
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0, 1, 0, 1, 0, 1], 3.5),
        # Upside down: all three cuts are below one half, the outer two less so.
        ([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 0], 1.5),
        # Ties never fall apart.
        ([1.0, 1.0, 1.0, 3.0], [0, 0, 1, 1], 2.0),
        ([2.0, 2.0], [0, 1], 2.0),
    ],
)
def test_threshold_by_hand(scores, labels, cut):
    assert choose_threshold(scores, labels) == cut


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 1)), min_size=2, max_size=15).filter(
        lambda rows: len({label for _, label in rows}) == 2 and len({score for score, _ in rows}) > 1
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=100, deadline=None)
def test_threshold_against_every_cut(rows, random):
    scores, labels = np.array(rows, dtype=float).T
    cut = choose_threshold(scores, labels)
    values = np.unique(scores)
    cuts = (values[1:] + values[:-1]) / 2
    worth = np.array([_balanced_accuracy(scores, labels, cut) for cut in cuts])
    best = cuts[worth > worth.max() - 1e-12]
    assert cut == best[(len(best) - 1) // 2]
    random.shuffle(rows)
    assert choose_threshold(*np.array(rows, dtype=float).T) == cut
    # The same subjects are called on any increasing scale.
    stretched = np.exp(scores)
    np.testing.assert_array_equal(scores > cut, stretched > choose_threshold(stretched, labels))


def test_threshold_between_neighbouring_floats_still_separates_them():
    lower = np.nextafter(1.0, 2.0)
    upper = np.nextafter(lower, 2.0)
    cut = choose_threshold([lower, upper], [0, 1])
    assert not lower > cut
    assert upper > cut


@pytest.mark.parametrize(("scores", "labels"), [([1.0, 2.0], [1, 1]), ([np.nan, 2.0], [0, 1]), ([1.0], [0, 1])])
def test_threshold_of_one_class_or_unusable_scores_is_refused(scores, labels):
    with pytest.raises(ValueError, match=r"classes|nan|shapes"):
        choose_threshold(scores, labels)


def test_p_values_by_hand():
    held_out = CalibrationScores.of(np.array([2.0, 1.0, 3.0, -1.0, -2.0]), np.array([1, 1, 1, 0, 0]))
    positive, negative = held_out.p_values(np.array([0.0, 1.0, 2.5, -1.5]))
    # Positives 1, 2, 3: how many lie at or below, plus one, over four.
    np.testing.assert_allclose(positive, [1 / 4, 2 / 4, 3 / 4, 1 / 4])
    # Negatives -2, -1: how many lie at or above, plus one, over three.
    np.testing.assert_allclose(negative, [1 / 3, 1 / 3, 1 / 3, 2 / 3])


def test_p_values_equal_a_naive_count(rng):
    log_odds, labels = rng.normal(size=40).round(1), rng.integers(0, 2, size=40)
    new = rng.normal(size=30).round(1)
    positive, negative = CalibrationScores.of(log_odds, labels).p_values(new)
    for index, value in enumerate(new):
        high = [decision for decision, label in zip(log_odds, labels, strict=True) if label == 1]
        low = [decision for decision, label in zip(log_odds, labels, strict=True) if label == 0]
        assert positive[index] == pytest.approx((1 + sum(decision <= value for decision in high)) / (1 + len(high)))
        assert negative[index] == pytest.approx((1 + sum(decision >= value for decision in low)) / (1 + len(low)))


@pytest.mark.parametrize(("alpha", "needed"), [(0.1, 9), (0.05, 19), (0.2, 4), (0.25, 3)])
def test_too_few_subjects_make_sets_impossible(alpha, needed):
    enough = CalibrationScores(np.zeros(needed), np.zeros(needed + 5))
    too_few = CalibrationScores(np.zeros(needed - 1), np.zeros(needed + 5))
    assert enough.why_impossible(alpha) == ""
    few_negatives = CalibrationScores(np.zeros(needed + 5), np.zeros(needed - 1))
    assert f"the smaller class has {needed - 1}" in few_negatives.why_impossible(alpha)
    assert f"need {needed} held-out subjects" in too_few.why_impossible(alpha)
    # It would indeed have been of no use: even the strangest sample keeps the class.
    assert too_few.sets(np.array([-1e9]), alpha)[0, 0]
    assert not enough.sets(np.array([-1e9]), alpha)[0, 0]


def test_each_class_is_missed_as_rarely_as_promised(rng):
    missed = []
    for _ in range(400):
        labels = np.repeat([0, 1], [12, 20])
        log_odds = rng.normal(size=32) + labels
        new = rng.normal(size=50) + 1.0
        missed.append(1 - CalibrationScores.of(log_odds, labels).sets(new, 0.1)[:, 0].mean())
    assert 0.07 < np.mean(missed) < 0.105
