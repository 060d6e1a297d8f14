import numpy as np
import pytest
from scipy.spatial.distance import cosine
from scipy.stats import pearsonr

from responder_ml.contrasts import overlap

FIRST = np.array([1, 1, -1, -1, 0, 0, 0, 1, 0, 0], dtype=np.int8)
SECOND = np.array([1, -1, -1, 0, 1, -1, 0, 1, 0, 0], dtype=np.int8)


def test_jaccard_and_log_odds_by_hand():
    # Called alike 3, in opposite directions 1, by the first only 1, by the second only 2, by neither 3.
    assert overlap.signed_jaccard(FIRST, SECOND) == pytest.approx(3 / 7)
    assert overlap.log_odds_ratio(FIRST, SECOND) == pytest.approx(np.log(3.5 * 3.5 / (1.5 * 2.5)))


def test_log_odds_count_each_contrast_by_itself():
    # Called alike 1, in opposite directions 1, by the first only 2, by the second only 1, by neither 3.
    first, second = np.array([1, 1, -1, -1, 0, 0, 0, 0]), np.array([1, -1, 0, 0, 1, 0, 0, 0])
    expected = np.log(1.5 * 3.5 / (2.5 * 1.5))
    assert overlap.log_odds_ratio(first.astype(np.int8), second.astype(np.int8)) == pytest.approx(expected)
    assert overlap.log_odds_ratio(second.astype(np.int8), first.astype(np.int8)) == pytest.approx(expected)


def test_one_gene_called_alike_is_an_overlap_of_one():
    one = np.array([0, 0, -1], dtype=np.int8)
    assert overlap.signed_jaccard(one, one) == 1.0


def test_cosine_does_not_depend_on_the_units(rng):
    first, second = rng.normal(size=(2, 30))
    assert overlap.cosine(1e-4 * first, 1e-4 * second) == pytest.approx(float(overlap.cosine(first, second)))


def test_correlations_equal_scipy(rng):
    first, second = rng.normal(size=(4, 80)), rng.normal(size=(4, 80)).round(1)
    for row in range(4):
        one, other = first[row], second[row]
        assert overlap.cosine(first, second)[row] == pytest.approx(1 - cosine(one, other))
        assert overlap.pearson(first, second)[row] == pytest.approx(pearsonr(one, other).statistic)


def test_nothing_called_and_nothing_varying_have_values():
    nothing = np.zeros(10, dtype=np.int8)
    assert overlap.signed_jaccard(nothing, nothing) == 0
    assert np.isfinite(overlap.log_odds_ratio(nothing, nothing))
    assert overlap.cosine(np.zeros(5), np.ones(5)) == 0
