import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association

from responder_ml.cohort.association import associate, is_categorical, rank_difference


def _labels(text):
    return np.array([int(letter) for letter in text], dtype=np.int8)


def test_cramers_v_is_scipys(rng):
    for _ in range(20):
        values = pd.Series(rng.choice(list("abcd"), 30))
        labels = rng.integers(0, 2, 30).astype(np.int8)
        table = pd.crosstab(values.to_numpy(), labels)
        assert associate(values, labels).cramers_v == pytest.approx(association(table, method="cramer"))


def test_cramers_v_by_hand():
    # a: 3 of class 0 and 1 of class 1; b: 1 and 3. Expected 2 everywhere, chi squared 4 x 1/2 = 2, V = sqrt(2 / 8).
    association = associate(pd.Series(list("aaaabbbb")), _labels("00010111"))
    assert association.cramers_v == pytest.approx(0.5)
    assert association.by_chance == pytest.approx(np.sqrt(1 / 7))
    assert not association.one_class_only
    assert association.is_strong  # 1/4 - 1/7 exceeds a tenth


def test_chance_is_the_mean_square_over_relabellings(rng):
    values = pd.Series(list("aaaaaaabbbcc") * 2)
    labels = _labels("0" * 10 + "1" * 14)
    drawn = [associate(values, rng.permutation(labels)).cramers_v ** 2 for _ in range(200)]
    assert associate(values, labels).by_chance ** 2 == pytest.approx(np.mean(drawn), rel=0.25)


def test_values_of_one_class_are_listed_and_gaps_are_a_value():
    association = associate(pd.Series(["a", "a", "b", None, None]), _labels("01011"))
    assert association.one_class_only == ["(missing)", "b"]


@pytest.mark.parametrize(("values", "labels"), [("aaaa", "0101"), ("abab", "0000")])
def test_what_cannot_vary_is_not_associated(values, labels):
    assert associate(pd.Series(list(values)), _labels(labels)).cramers_v == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["x", "y"] * 10, True),
        ([100, 151, 152, 200] * 9, True),
        (np.linspace(7, 9, 40).round(1), False),
        (np.arange(12.0), False),
        ([1.0, 2.0] * 3, True),
        ([True, False] * 5, True),
    ],
)
def test_numbers_with_few_values_are_categories(values, expected):
    assert is_categorical(pd.Series(values)) is expected


def test_rank_difference_by_hand():
    # Pairs won by the positives: 3 > 1, 3 > 2, 5 > 1, 5 > 2, 5 > 4; 3 < 4 is lost.
    share, p_value = rank_difference(np.array([1.0, 2.0, 4.0, 3.0, 5.0]), _labels("00011"))
    assert share == pytest.approx(5 / 6)
    assert 0.1 < p_value < 1
    assert rank_difference(np.ones(4), _labels("0011")) == (0.5, 1.0)
