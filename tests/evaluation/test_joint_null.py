"""Jobs tested together: exact where labellings are few, each labelling run once, a bound on the family's error."""

import numpy as np
import pytest

from responder_ml.evaluation.joint_null import JobLabels, JointRelabelling, run_joint_null
from responder_ml.evaluation.permutation import exact_p
from responder_ml.evaluation.relabel import enumerate_labellings

LABELS = np.array([1, 1, 1, 0, 0, 0, 0], dtype=np.int8)
NAMES = tuple("abcdefg")


class Difference:
    """A cheap procedure: the difference of class means; remembers what it was asked."""

    def __init__(self, values):
        self.values = np.asarray(values, dtype=np.float64)
        self.asked = []

    def __call__(self, labellings):
        for labels in labellings:
            self.asked.append(bytes(labels))
            yield np.array([self.values[labels == 1].mean() - self.values[labels == 0].mean()])


def joint_of(count):
    strata = np.zeros(len(LABELS), dtype=np.intp)
    return JointRelabelling({f"job{index}": JobLabels(NAMES, LABELS, strata) for index in range(count)})


def test_few_labellings_are_all_run_once_and_p_is_exact(rng):
    values = rng.normal(size=7)
    statistic = Difference(values)
    family = run_joint_null({"job0": statistic}, joint_of(1), permutations=35, seed=3)
    found = family.jobs["job0"]
    every = enumerate_labellings(LABELS, np.zeros(7, dtype=int))
    null = np.concatenate(list(Difference(values)(every)))
    assert len(statistic.asked) == len(set(statistic.asked)) == 35
    assert found.null.p_value == pytest.approx(exact_p(null, null[0]))
    assert found.null.exact
    assert family.exact
    assert found.corrected_p == pytest.approx(found.null.p_value, abs=0.02)


def test_of_many_labellings_only_those_drawn_are_run_and_the_observed_one_counts(rng):
    statistic = Difference([9, 8, 7, 0, 1, 2, 3])
    family = run_joint_null({"job0": statistic}, joint_of(1), permutations=19, seed=3)
    found = family.jobs["job0"]
    assert len(statistic.asked) == len(set(statistic.asked)) <= 20
    assert statistic.asked[0] == bytes(LABELS)
    assert not found.null.exact
    assert len(found.null.values) == family.draws == 19
    # The observed labelling is the best of all 35; draws that happen to be it count against it.
    assert found.null.p_value == (1 + np.sum(found.null.values >= found.null.observed)) / 20
    assert found.corrected_p == pytest.approx(found.null.p_value)


def test_a_copy_of_a_job_costs_nothing_and_an_independent_one_does(rng):
    values = np.array([9, 8, 7, 0, 1, 2, 3])
    alone = run_joint_null({"job0": Difference(values)}, joint_of(1), 35, 3).jobs["job0"].corrected_p
    copied = run_joint_null({f"job{i}": Difference(values) for i in range(3)}, joint_of(3), 35, 3)
    others = {f"job{i}": Difference(rng.normal(size=7)) for i in range(1, 3)}
    apart = run_joint_null({"job0": Difference(values), **others}, joint_of(3), 35, 3).jobs["job0"]
    assert copied.jobs["job0"].corrected_p == pytest.approx(alone)
    assert apart.corrected_p > 1.5 * alone
    assert apart.attainable_corrected_p == pytest.approx(apart.corrected_p)


def test_without_effect_the_family_is_called_out_at_its_level(rng):
    hits = 0
    for seed in range(60):
        statistics = {f"job{i}": Difference(rng.normal(size=7)) for i in range(4)}
        family = run_joint_null(statistics, joint_of(4), 199, seed)
        hits += min(each.corrected_p for each in family.jobs.values()) <= 0.05
    assert hits <= 9  # 3 expected at most


def test_the_same_seed_gives_the_same_answer(rng):
    values = rng.normal(size=7)
    one, two = (run_joint_null({"job0": Difference(values)}, joint_of(1), 19, 5).jobs["job0"] for _ in range(2))
    assert one.corrected_p == two.corrected_p
    assert np.array_equal(one.null.values, two.null.values)
