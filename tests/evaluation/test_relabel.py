from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from responder_ml.evaluation.p_values import exact_p
from responder_ml.evaluation.relabel import (
    count_labellings,
    draw_labellings,
    enumerate_labellings,
    format_count,
    smallest_exact_p,
)

# Six responders and seven non-responders, 3 + 3 under one drug and 3 + 4 under the other, as in the founding study.
LABELS = np.array([1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0], dtype=np.int8)
DRUG = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1])

COHORTS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from("abc")), min_size=1, max_size=9)
SEVERAL_CLASSES = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), min_size=1, max_size=6)


def _brute_force(labels, strata):
    """Every 0/1 vector that keeps the positives of each stratum."""

    def per_stratum(vector):
        return [vector[strata == code].sum() for code in np.unique(strata)]

    wanted = per_stratum(labels)
    every = (np.array(vector) for vector in product([0, 1], repeat=len(labels)))
    return {tuple(vector.tolist()) for vector in every if per_stratum(vector) == wanted}


def test_counts_of_the_founding_study():
    assert count_labellings(LABELS, np.zeros(13)) == 1716
    assert count_labellings(LABELS, DRUG) == 700


def test_counts_beyond_machine_integers():
    assert count_labellings(np.arange(400) % 2, np.zeros(400)) > 2**64


@given(COHORTS)
@settings(max_examples=60, deadline=None)
def test_enumeration_against_brute_force(rows):
    labels, strata = np.array([label for label, _ in rows]), np.array([code for _, code in rows])
    labellings = enumerate_labellings(labels, strata)
    assert labellings.dtype == np.int8
    np.testing.assert_array_equal(labellings[0], labels)
    assert len(labellings) == count_labellings(labels, strata)
    assert {tuple(row.tolist()) for row in labellings} == _brute_force(labels, strata)


@given(SEVERAL_CLASSES)
@settings(max_examples=60, deadline=None)
def test_labellings_of_several_classes_against_brute_force(rows):
    labels, strata = np.array([label for label, _ in rows]), np.array([code for _, code in rows])

    def sizes(vector):
        return [np.bincount(vector[strata == code], minlength=4).tolist() for code in np.unique(strata)]

    every = (np.array(vector) for vector in product(range(4), repeat=len(labels)))
    expected = {tuple(vector.tolist()) for vector in every if sizes(vector) == sizes(labels)}
    labellings = enumerate_labellings(labels, strata)
    assert labellings[0].tolist() == labels.tolist()
    assert len(labellings) == count_labellings(labels, strata) == len(expected)
    assert {tuple(row.tolist()) for row in labellings} == expected
    drawn = draw_labellings(labels, strata, 20, np.random.default_rng(0))
    assert {tuple(row.tolist()) for row in drawn} <= expected


def test_smallest_p_of_classes_that_can_change_names():
    # 2, 2 and 3 subjects: 210 labellings, and the two smaller classes can be exchanged.
    labels = np.array([0, 0, 1, 1, 2, 2, 2])
    assert smallest_exact_p(labels, np.zeros(7)) == pytest.approx(2 / 210)
    assert smallest_exact_p(np.repeat([0, 1, 2], 2), np.zeros(6)) == pytest.approx(6 / 90)
    # In a stratum of their own their sizes differ.
    assert smallest_exact_p(np.array([0, 0, 1, 1, 2, 2, 2]), np.array([0, 1, 1, 1, 0, 0, 0])) == pytest.approx(1 / 12)


def test_enumeration_order_by_hand():
    labellings = enumerate_labellings([0, 1, 0, 1], ["x", "x", "y", "y"])
    np.testing.assert_array_equal(labellings, [[0, 1, 0, 1], [1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0]])


def test_a_stratum_of_one_class_stays_as_it_is():
    labels, strata = np.array([1, 1, 1, 0, 1]), np.array([0, 0, 0, 1, 1])
    assert count_labellings(labels, strata) == 2
    np.testing.assert_array_equal(enumerate_labellings(labels, strata), [[1, 1, 1, 0, 1], [1, 1, 1, 1, 0]])
    assert (draw_labellings(labels, strata, 50, np.random.default_rng(0))[:, :3] == 1).all()


def test_draws_keep_each_stratum(rng):
    drawn = draw_labellings(LABELS, DRUG, 200, rng)
    assert drawn.shape == (200, 13)
    assert drawn.dtype == np.int8
    assert (drawn[:, DRUG == 0].sum(axis=1) == 3).all()
    assert (drawn[:, DRUG == 1].sum(axis=1) == 3).all()
    assert len(np.unique(drawn, axis=0)) > 150


def test_more_draws_begin_with_the_same_ones():
    short = draw_labellings(LABELS, DRUG, 30, np.random.default_rng(5))
    long = draw_labellings(LABELS, DRUG, 300, np.random.default_rng(5))
    np.testing.assert_array_equal(long[:30], short)


def test_a_second_call_draws_anew(rng):
    assert (draw_labellings(LABELS, DRUG, 20, rng) != draw_labellings(LABELS, DRUG, 20, rng)).any()


def test_every_labelling_is_equally_likely():
    labels, strata = [1, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1]
    drawn = draw_labellings(labels, strata, 9000, np.random.default_rng(11))
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 9
    assert chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("decimals", [0, 15])
def test_exact_p_over_all_labellings_is_valid(rng, decimals):
    values = np.round(rng.normal(size=6) * 2, decimals)
    strata = np.zeros(6)
    p_values = []
    for labels in enumerate_labellings([1, 1, 1, 0, 0, 0], strata):
        null = enumerate_labellings(labels, strata) @ values
        p_values.append(exact_p(null, float(labels @ values)))
    for alpha in np.unique(p_values):
        assert np.mean(np.array(p_values) <= alpha + 1e-12) <= alpha + 1e-12
    assert min(p_values) >= 1 / 20


@pytest.mark.parametrize(
    ("labels", "strata", "message"),
    [([0, 1], [0], "one stratum per label"), ([[0], [1]], [[0], [0]], "shapes"), ([0, -1], [0, 0], "class codes")],
)
def test_what_cannot_be_relabelled_is_refused(labels, strata, message):
    for call in (count_labellings, enumerate_labellings, lambda *x: draw_labellings(*x, 3, np.random.default_rng(0))):
        with pytest.raises(ValueError, match=message):
            call(labels, strata)


def test_numbers_of_labellings_are_short_however_many_subjects():
    assert format_count(count_labellings(LABELS, DRUG)) == "700"
    # Twenty thousand subjects have so many that Python refuses to write the number out.
    many = np.arange(20_000) % 2
    assert format_count(count_labellings(many, np.zeros_like(many))) == "More than 10^15"


def test_with_classes_of_one_size_two_labellings_are_always_learnt_alike():
    assert smallest_exact_p([1, 0, 0, 1, 1, 0], [0, 0, 1, 1, 2, 2]) == 2 / 8
    assert smallest_exact_p([1, 0, 0, 1, 1, 0], [0, 0, 1, 1, 1, 1]) == 2 / 12
    assert smallest_exact_p([1, 0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1, 1]) == 1 / 20
    assert smallest_exact_p([1, 0], [0, 0]) == 1.0
