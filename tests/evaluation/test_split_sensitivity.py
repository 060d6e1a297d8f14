"""The headline on halves of its repeats: which halves there are, and what their range means."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from responder_ml.evaluation import split_sensitivity as split_sensitivity_module
from responder_ml.evaluation.metrics import OutOfFold, auroc
from responder_ml.evaluation.separation import measure
from responder_ml.evaluation.split_sensitivity import MOST_HALVES, list_halves, split_sensitivity

TOGETHER = np.zeros(24, dtype=np.intp)


def _decided(rng, repeats, n=24, folds=4, noise=2.0):
    labels = np.arange(n, dtype=np.int8) % 2
    of_subject = rng.normal(size=n) + labels
    decisions = of_subject + noise * rng.normal(size=(repeats, n))
    fold = np.stack([rng.permutation(np.arange(n) // 2 % folds) for _ in range(repeats)])
    return OutOfFold(labels, decisions, fold, np.zeros_like(decisions))


@pytest.mark.parametrize("repeats", [2, 4, 6, 7])
def test_few_repeats_use_every_half(repeats):
    assert [tuple(half) for half in list_halves(repeats, 1)] == list(combinations(range(repeats), repeats // 2))


@pytest.mark.parametrize("repeats", [8, 9, 10, 50])
def test_many_repeats_use_different_halves_of_equal_size_beside_their_complements(repeats):
    halves = list_halves(repeats, 1)
    assert len(halves) == MOST_HALVES == len(set(map(tuple, halves)))
    assert {len(set(half)) for half in halves} == {repeats // 2}
    assert set().union(*halves) == set(range(repeats))
    assert halves == list_halves(repeats, 1) != list_halves(repeats, 2)
    if repeats % 2 == 0:
        assert np.bincount(np.concatenate(halves)).tolist() == [MOST_HALVES // 2] * repeats


def test_one_repeat_has_no_half(rng):
    assert list_halves(1, 1) == []
    assert split_sensitivity(_decided(rng, 1), TOGETHER, 1) is None


def test_two_repeats_give_their_own_two_values(rng):
    decided = _decided(rng, 2)
    alone = [
        OutOfFold(decided.labels, decided.decisions[[row]], decided.folds[[row]], decided.thresholds[[row]])
        for row in (0, 1)
    ]
    sensitivity = split_sensitivity(decided, TOGETHER, 1)
    assert sensitivity.auroc == (min(map(auroc, alone)), max(map(auroc, alone)))
    separations = [measure(one, TOGETHER)[1] for one in alone]
    assert sensitivity.separation == (min(separations), max(separations))
    assert (sensitivity.halves, sensitivity.repeats) == (2, 1)


def test_repeats_that_agree_have_no_range(rng):
    decided = _decided(rng, 1)
    same = OutOfFold(
        decided.labels,
        *(np.repeat(part, 10, axis=0) for part in (decided.decisions, decided.folds, decided.thresholds)),
    )
    low, high = split_sensitivity(same, TOGETHER, 1).auroc
    assert low == pytest.approx(high, abs=1e-12)
    assert low == pytest.approx(auroc(same), abs=1e-12)


def test_the_headline_lies_within_the_range_and_ties_are_no_trouble(rng):
    for decided in (_decided(rng, 10), _decided(rng, 10, noise=0.0)):
        low, high = split_sensitivity(decided, TOGETHER, 1).auroc
        assert low <= auroc(decided) <= high
    constant = OutOfFold(decided.labels, np.zeros_like(decided.decisions), decided.folds, decided.thresholds)
    assert split_sensitivity(constant, TOGETHER, 1).auroc == (0.5, 0.5)


def test_halves_that_compare_no_pair_are_left_out(rng):
    labels = np.array([0, 0, 1, 1], dtype=np.int8)
    # In the first repeat each fold holds one class.
    folds = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
    sensitivity = split_sensitivity(
        OutOfFold(labels, rng.normal(size=(2, 4)), folds, np.zeros((2, 4))), TOGETHER[:4], 1
    )
    assert sensitivity.halves == 1
    assert (
        split_sensitivity(OutOfFold(labels, rng.normal(size=(2, 4)), folds[[0, 0]], np.zeros((2, 4))), TOGETHER[:4], 1)
        is None
    )


def test_separation_is_measured_within_strata_and_pairs_stay_pairs(rng, monkeypatch):
    strata, seen = np.repeat([0, 1], 12), []
    decided = replace(_decided(rng, 4), pair_of=np.arange(24) // 2)
    monkeypatch.setattr(
        split_sensitivity_module, "measure", lambda part, cells: seen.append((part, cells)) or [0.5, 0.1]
    )
    assert split_sensitivity(decided, strata, 1).separation == (0.1, 0.1)
    assert all(part.pair_of is decided.pair_of and cells is strata for part, cells in seen)


def test_halves_vary_as_the_whole_does_between_seeds():
    """The spread over halves stands for that between seeds: equal standard deviations, over many data sets, to 15 %."""
    rng = np.random.default_rng(5)
    between, within = [], []
    for _ in range(60):
        n, of_subject = 24, rng.normal(size=24)
        labels = np.arange(n, dtype=np.int8) % 2
        wholes = []
        for _ in range(6):
            decisions = of_subject + labels + 2.0 * rng.normal(size=(10, n))
            wholes.append(OutOfFold(labels, decisions, np.zeros((10, n), dtype=np.intp), np.zeros((10, n))))
        between.append(np.var([auroc(whole) for whole in wholes], ddof=1))
        parts = [wholes[0].decisions[half] for half in list_halves(10, 1)]
        within.append(
            np.var([auroc(OutOfFold(labels, part, np.zeros_like(part, dtype=np.intp), part)) for part in parts])
        )
    assert np.sqrt(np.mean(within) / np.mean(between)) == pytest.approx(1.0, abs=0.15)
