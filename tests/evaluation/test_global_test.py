"""The global test: its statistic against a direct computation, its p, and what it does and does not see."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.evaluation import global_test as module
from responder_ml.evaluation.global_test import (
    distances_between,
    energy_statistics,
    energy_test,
    run_global_test,
    standardise_within,
)
from responder_ml.evaluation.relabel import draw_labellings, enumerate_labellings
from responder_ml.statistics.seeds import generator

LABELS = np.array([1, 0, 1, 0, 1, 0, 1, 0, 0], dtype=np.int8)
STRATA = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
NONE = np.zeros(9, dtype=int)


def _values(seed=0, n=9, genes=40):
    return np.random.default_rng(seed).normal(5, 2, size=(n, genes))


def _slow(values, labels, strata):
    """The statistic pair by pair, from its definition."""
    centred, residual, sizes = values.copy(), labels.astype(float), np.empty(len(labels))
    for code in set(strata):
        rows = strata == code
        centred[rows] -= values[rows].mean(axis=0)
        residual[rows] -= labels[rows].mean()
        for label in (0, 1):
            sizes[rows & (labels == label)] = np.sum(rows & (labels == label))
    centred = centred[:, centred.std(axis=0) > 1e-9]
    centred /= np.sqrt(np.mean(centred**2, axis=0))
    total = 0.0
    for one, other in permutations(range(len(labels)), 2):
        weight = residual[one] * residual[other]
        if strata[one] == strata[other] and labels[one] == labels[other]:
            weight *= sizes[one] / (sizes[one] - 1)
        total -= weight * np.linalg.norm(centred[one] - centred[other])
    return total


@pytest.mark.parametrize("strata", [NONE, STRATA])
@pytest.mark.parametrize("genes", [4, 40])
def test_statistic_and_exact_p_are_those_of_a_direct_computation(strata, genes):
    values = _values(genes=genes)
    values[:, 1] = 3.7  # constant: left out
    result = energy_test(values, LABELS, strata, 7, "strata")
    direct = np.array([_slow(values, labels, strata) for labels in enumerate_labellings(LABELS, strata)])
    assert result.exact
    assert result.genes == genes - 1
    assert result.permutations == result.labellings == len(direct)
    assert result.z == pytest.approx((direct[0] - direct.mean()) / direct.std(), rel=1e-9)
    assert result.p_value == pytest.approx(np.mean(direct >= direct[0] - 1e-9))
    assert result.p_interval == (result.p_value, result.p_value)


def test_without_strata_it_is_twice_between_less_within():
    distances = distances_between(standardise_within(_values(), NONE))
    one, other = LABELS == 1, LABELS == 0
    between = distances[np.ix_(one, other)].mean()
    within = sum(distances[np.ix_(rows, rows)].sum() / (rows.sum() * (rows.sum() - 1)) for rows in (one, other))
    factor = (4 * 5 / 9) ** 2
    assert energy_statistics(distances, LABELS[None], NONE)[0] == pytest.approx(factor * (2 * between - within))


@pytest.mark.parametrize("strata", [NONE, STRATA])
def test_its_mean_over_all_labellings_is_zero(strata):
    distances = distances_between(standardise_within(_values(), strata))
    statistics = energy_statistics(distances, enumerate_labellings(LABELS, strata), strata)
    assert statistics.mean() == pytest.approx(0.0, abs=1e-12)


def test_many_labellings_are_drawn_as_the_null_draws_them(monkeypatch):
    monkeypatch.setattr(module, "MOST_LABELLINGS", 100)
    values = _values()
    result = energy_test(values, LABELS, NONE, 7, "strata")
    drawn = draw_labellings(LABELS, NONE, 99, generator(7, "null", "strata"))
    direct = np.array([_slow(values, labels, NONE) for labels in [LABELS, *drawn]])
    count = int(np.sum(direct[1:] >= direct[0] - 1e-9))
    assert not result.exact
    assert result.p_value == (count + 1) / 100
    assert result.p_interval[0] <= count / 99 <= result.p_interval[1]


def test_classes_exchanged_change_nothing():
    values = _values()
    one, other = (energy_test(values, labels, STRATA, 7, "strata") for labels in (LABELS, 1 - LABELS))
    assert one.p_value == other.p_value
    assert one.z == pytest.approx(other.z)


def test_units_shifts_and_order_of_genes_change_nothing():
    values = _values()
    result = energy_test(values, LABELS, STRATA, 7, "strata")
    scaled = values[:, ::-1] * np.geomspace(1e-6, 1e6, values.shape[1]) + 1000 * np.arange(values.shape[1])
    shifted = scaled + np.where(STRATA, 5.0, 0.0)[:, None]
    again = energy_test(shifted, LABELS, STRATA, 7, "strata")
    assert again.p_value == result.p_value
    assert again.z == pytest.approx(result.z)


def test_a_difference_between_strata_is_no_difference_between_classes():
    values = _values(3)
    with_offset = values + 50.0 * STRATA[:, None]
    assert energy_test(with_offset, LABELS, STRATA, 7, "s").z == pytest.approx(
        energy_test(values, LABELS, STRATA, 7, "s").z
    )


def test_nothing_to_test_gives_none():
    assert energy_test(np.full((9, 5), 2.0), LABELS, NONE, 7, "strata") is None
    assert energy_test(np.tile([0.1, 0.7], (9, 1)), LABELS, NONE, 7, "strata") is None
    assert energy_test(_values(), LABELS, LABELS.astype(int), 7, "strata") is None
    assert standardise_within(np.ones((3, 2)) * 1e12 + 0.1, np.zeros(3, dtype=int)).shape == (3, 0)


def _share_of_small_p(make, seeds=200):
    labels = np.repeat([1, 0], [4, 5]).astype(np.int8)
    values = (make(np.random.default_rng(seed), labels) for seed in range(seeds))
    return np.mean([energy_test(table, labels, NONE, seed, "s").p_value <= 0.05 for seed, table in enumerate(values)])


def test_without_effect_p_is_uniform():
    # 126 labellings allow p <= 6 / 126; 200 tables, so within 3.5 standard errors.
    share = _share_of_small_p(lambda rng, labels: rng.normal(size=(9, 30)) + rng.normal(size=(9, 1)))
    assert abs(share - 6 / 126) < 3.5 * np.sqrt(0.05 * 0.95 / 200)


def test_it_sees_many_small_shifts():
    assert _share_of_small_p(lambda rng, labels: rng.normal(size=(9, 200)) + 0.8 * labels[:, None]) > 0.8


@pytest.mark.parametrize("wider", [0, 1])
def test_it_sees_a_difference_of_spread_whichever_class_is_wider(wider):
    assert _share_of_small_p(lambda rng, labels: rng.normal(size=(9, 200)) * (1 + (labels == wider)[:, None])) > 0.8


def test_pairs_that_differ_alike_are_seen_through_large_differences_between_pairs():
    pairs = np.repeat(np.arange(8), 2)
    labels = np.tile([1, 0], 8).astype(np.int8)
    rng = np.random.default_rng(1)
    values = rng.normal(size=(8, 60))[pairs] * 10 + rng.normal(size=(16, 60)) + 0.8 * labels[:, None]
    within = energy_test(values, labels, pairs, 7, "strata")
    assert within.labellings == 2**8
    assert within.p_value == 2 / 2**8  # all pairs flipped together are as far apart
    assert energy_test(values, labels, np.zeros(16, dtype=int), 7, "strata").p_value > 0.2


def _cohort(values, labels, batch=None, subjects=None):
    names = [f"s{index:02d}" for index in range(len(values))]
    sheet = pd.DataFrame(
        {
            "sample": names,
            "subject": names if subjects is None else subjects,
            "response": np.where(labels, "yes", "no"),
            "drug": "a",
            "batch": "1" if batch is None else batch,
        },
        index=names,
    )
    cohort = AnnData(X=values, obs=sheet, uns={"units": "log2", "unused_samples": []})
    return label_cohort(cohort, Endpoint("response", "yes", "no", nuisance=() if batch is None else ("batch",)))


def test_a_subject_counts_once_whatever_its_samples():
    values = _values()
    once = _cohort(values, LABELS)
    twice = np.repeat(np.arange(9), [1, 3, 1, 2, 1, 1, 4, 1, 1])
    labelled = _cohort(values[twice], LABELS[twice], subjects=[f"m{index:02d}" for index in twice])
    one, other = run_global_test(once, values, 7), run_global_test(labelled, values[twice], 7)
    assert one.within_strata.p_value == other.within_strata.p_value
    assert one.within_strata.z == pytest.approx(other.within_strata.z)


def test_batch_that_makes_the_difference_is_seen_within_batches():
    labels = np.repeat([1, 0], 8).astype(np.int8)
    batch = np.array(list("1111111212222222"))
    values = _values(5, 16) + 6.0 * (batch == "1")[:, None]
    result = run_global_test(_cohort(values, labels, batch), values, 7)
    assert result.within_strata.p_value < 0.05
    assert result.within_batches.p_value > 0.1
    assert result.within_batches.labellings == 8 * 8


def test_without_labellings_within_batches_there_is_no_second_p():
    labels = np.repeat([1, 0], 4).astype(np.int8)
    values = _values(5, 8)
    result = run_global_test(_cohort(values, labels, labels.astype(str)), values, 7)
    assert result.within_batches is None


def test_only_expressed_genes_enter():
    labels = np.repeat([1, 0], 4).astype(np.int8)
    labelled = _cohort(np.random.default_rng(0).poisson(50.0, size=(8, 20)).astype(float), labels)
    labelled.cohort.uns["units"] = "counts"
    labelled.cohort.X[:, 3] = 0
    log2 = np.log2(labelled.cohort.X + np.random.default_rng(1).uniform(1, 2, size=(8, 20)))
    assert run_global_test(labelled, log2, 7).within_strata.genes == 19
