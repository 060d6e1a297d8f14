"""Learning curves: nested training subsets on the headline's folds, and nothing of held-out rows."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.evaluation.learning_curve import _train_on, learning_curve, subset_sizes
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.small_n import fit_plan_to_n
from responder_ml.features.builders.all_genes import AllGenes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.splits import NEITHER
from responder_ml.search.workers import Workers

CANDIDATES = (Candidate("all_genes", AllGenes(), NearestCentroid),)


class Job:
    """A cohort of two classes with its headline; with ``pairs``, members of pairs stand side by side."""

    def __init__(
        self, positive=12, negative=12, shift=0.5, strata=None, pairs=False, block_of=None, trials=0, seed=3, genes=30
    ):
        rng = np.random.default_rng(seed)
        n = positive + negative
        self.labels = (np.tile([1, 0], positive) if pairs else np.repeat([1, 0], [positive, negative])).astype(np.int8)
        strata = np.arange(n) // 2 if pairs else np.zeros(n, dtype=np.intp) if strata is None else strata
        values = rng.normal(6.0, 1.0, (n, genes)) + shift * self.labels[:, None]
        names = np.array([f"g{index}" for index in range(genes)])
        self.data = SearchData(values, names, np.arange(n), strata, block_of=block_of)
        plan = SearchPlan(4, 2, trials, 5, repeats=2, paired=pairs)
        self.plan = fit_plan_to_n(plan, CANDIDATES, positive, negative).plan
        self.observed = self.observe(self.data)

    def observe(self, data):
        return Procedure(data, CANDIDATES, self.plan, Workers(1)).observe(self.labels)

    def sizes(self, n_sizes=5):
        return subset_sizes(self.observed.auto, self.labels, self.data, self.plan, n_sizes)

    def decide(self, labellings, data=None):
        data, headline = self.data if data is None else data, self.observed.auto
        return _train_on(labellings, data, self.labels, CANDIDATES, self.plan, headline, Workers(1)).decisions

    def curve(self, n_sizes=5):
        seen = []
        on_progress = lambda *done: seen.append(done)  # noqa: E731
        curve = learning_curve(
            self.data, self.labels, CANDIDATES, self.plan, self.observed, n_sizes, Workers(1), on_progress
        )
        return curve, seen


@pytest.fixture(scope="module")
def job():
    return Job()


def _training(labellings, folds):
    return [
        (of_repeat != NEITHER) & (fold != number)
        for of_repeat, fold in zip(labellings, folds, strict=True)
        for number in np.unique(fold)
    ]


def test_subsets_are_nested_and_each_training_set_has_three_of_a_class(job):
    sizes, notes = job.sizes()
    assert len(sizes) == 4
    assert not notes
    for smaller, larger in zip(sizes, [*sizes[1:], np.tile(job.labels, (2, 1))], strict=True):
        assert np.all((smaller == NEITHER) | (smaller == larger))
        assert np.count_nonzero(smaller != NEITHER) < np.count_nonzero(larger != NEITHER)
        np.testing.assert_array_equal(smaller[smaller != NEITHER], np.tile(job.labels, (2, 1))[smaller != NEITHER])
    for training in _training(sizes[0], job.observed.auto.folds):
        assert np.bincount(job.labels[training]).tolist() in ([3, 3], [3, 4], [4, 3], [4, 4])


def test_classes_and_strata_keep_their_shares():
    strata = np.tile([0, 0, 0, 1], 12)
    job = Job(32, 16, strata=strata)
    for labellings in job.sizes(4)[0]:
        for of_repeat in labellings:
            kept = of_repeat != NEITHER
            assert np.count_nonzero(kept & (job.labels == 1)) == 2 * np.count_nonzero(kept & (job.labels == 0))
            assert abs(np.mean(strata[kept]) - 0.25) < 0.13


def test_pairs_stay_together():
    job = Job(10, 10, pairs=True)
    sizes, _ = job.sizes()
    for labellings in sizes:
        kept = labellings != NEITHER
        np.testing.assert_array_equal(kept[:, ::2], kept[:, 1::2])
    curve, _ = job.curve()
    assert len(curve.points) >= 4


def test_the_largest_size_is_the_headline_itself(job):
    everybody = np.tile(job.labels, (2, 1))
    np.testing.assert_array_equal(job.decide(everybody), job.observed.auto.decisions)
    curve, seen = job.curve()
    assert curve.points[4].trained == 18.0
    assert seen == [(done, 4, "") for done in (1, 2, 3, 4)]


def test_a_model_of_a_subset_is_that_of_its_rows_alone(job):
    sizes, _ = job.sizes()
    decisions, folds = job.decide(sizes[1]), job.observed.auto.folds
    train, test = (sizes[1][0] != NEITHER) & (folds[0] != 2), folds[0] == 2
    model = AllGenes().fit(job.data.expression[train], job.labels[train], genes=job.data.genes)
    values = model.transform(job.data.expression)
    mean, scale = values[train].mean(axis=0), values[train].std(axis=0)
    expected = NearestCentroid().fit((values[train] - mean) / scale, job.labels[train])
    np.testing.assert_allclose(decisions[0, test], expected.decision_function((values[test] - mean) / scale), rtol=1e-7)


@pytest.mark.parametrize("trials", [0, 2])
def test_editing_held_out_subjects_changes_no_decision_on_the_others_of_their_fold(trials):
    job = Job(14, 14, trials=trials)
    (first, *_), folds = job.sizes()[0], job.observed.auto.folds[0]
    edited = job.data.expression.copy()
    held_out = np.flatnonzero(folds == 1)[:-1]
    edited[held_out] = 100.0 - edited[held_out]
    before, after = job.decide(first), job.decide(first, replace(job.data, expression=edited))
    assert after[0, np.flatnonzero(folds == 1)[-1]] == before[0, np.flatnonzero(folds == 1)[-1]]
    assert not np.array_equal(after[0, folds != 1], before[0, folds != 1])


def test_sizes_that_cannot_be_made_are_left_out_with_a_message():
    curve, seen = Job(6, 5).curve(6)
    assert len(curve.points) == len(seen) + 1 < 6
    assert f"{len(curve.points)} sizes in place of 6" in curve.notes[0]
    assert curve.level is None
    none, seen = Job(4, 4).curve(6)
    assert len(none.points) == 1
    assert not seen
    assert "cannot be extrapolated" in none.sentence


def test_blocks_are_kept_together_and_nothing_is_tuned_on_parts_of_them():
    job = Job(16, 16, block_of=np.arange(32) % 8, trials=2)
    curve, _ = job.curve(3)
    assert len(curve.points) == 3


def test_noise_gives_no_curve_and_no_level():
    """The mean over cohorts is one half at every size; a leak would lift the larger ones."""
    curves = [Job(12, 12, shift=0.0, seed=seed).curve()[0] for seed in range(30)]
    means = np.mean([[point.auroc for point in curve.points if not np.isnan(point.auroc)] for curve in curves], axis=0)
    np.testing.assert_allclose(means, 0.5, atol=0.08)
    assert np.mean([curve.level is not None for curve in curves]) <= 0.1


def test_the_level_of_simulated_cohorts_lies_in_its_band():
    """Two hundred independent genes shifted by 0.2: the best rule reaches Phi(0.2 sqrt(200 / 2)) = 0.977."""
    curves = [Job(40, 40, shift=0.2, genes=200, seed=seed).curve(6)[0] for seed in range(4)]
    for curve in curves:
        trained = [point.auroc for point in curve.points if not np.isnan(point.auroc)]
        assert trained[-1] > trained[0] + 0.1
    bands = [curve.level_band for curve in curves if curve.level_band is not None]
    assert len(bands) >= 2
    assert all(low <= 0.977 <= high for low, high in bands)
