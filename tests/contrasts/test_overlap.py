import numpy as np
import pytest
from scipy.spatial.distance import cosine
from scipy.stats import fisher_exact, pearsonr, spearmanr

from responder_ml.contrasts import overlap

FIRST = np.array([1, 1, -1, -1, 0, 0, 0, 1, 0, 0], dtype=np.int8)
SECOND = np.array([1, -1, -1, 0, 1, -1, 0, 1, 0, 0], dtype=np.int8)


def test_signed_counts_by_hand():
    found = overlap.signed_overlap(FIRST, SECOND)
    assert (found.same, found.opposite, found.first_only, found.second_only, found.neither) == (3, 1, 1, 2, 3)
    assert overlap.signed_jaccard(FIRST, SECOND) == pytest.approx(3 / 7)


def test_fisher_equals_scipy_and_log_odds_its_haldane_form():
    odds, p = overlap.fisher_overlap(FIRST, SECOND, direction=-1)
    expected = fisher_exact([[1, 1], [2, 3]], alternative="greater")
    assert (odds, p) == pytest.approx((expected[0], expected[1]))
    assert overlap.log_odds_ratio(FIRST, SECOND, direction=-1) == pytest.approx(np.log(1.5 * 3.5 / (1.5 * 2.5)))


def test_correlations_equal_scipy(rng):
    first, second = rng.normal(size=(4, 80)), rng.normal(size=(4, 80)).round(1)
    for row in range(4):
        one, other = first[row], second[row]
        assert overlap.cosine(first, second)[row] == pytest.approx(1 - cosine(one, other))
        assert overlap.pearson(first, second)[row] == pytest.approx(pearsonr(one, other).statistic)
        assert overlap.spearman(first, second)[row] == pytest.approx(spearmanr(one, other).statistic)


def test_nothing_called_and_nothing_varying_have_values():
    nothing = np.zeros(10, dtype=np.int8)
    assert overlap.signed_jaccard(nothing, nothing) == 0
    assert np.isfinite(overlap.log_odds_ratio(nothing, nothing, 1))
    assert overlap.cosine(np.zeros(5), np.ones(5)) == 0
