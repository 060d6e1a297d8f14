"""Jobs tested together: what joint relabellings keep, and nulls that are exact where labellings are few."""

from collections import Counter

import numpy as np
import pytest

from responder_ml.errors import ConfigError
from responder_ml.evaluation.joint_null import (
    DRAWS_WHERE_EXACT,
    JobLabels,
    JointRelabelling,
    check_relabellings,
    run_joint_null,
)
from responder_ml.evaluation.p_values import exact_p
from responder_ml.evaluation.relabel import enumerate_labellings

LABELS = np.array([1, 1, 1, 0, 0, 0, 0], dtype=np.int8)
NAMES = tuple("abcdefg")


class Difference:
    """A cheap procedure: the difference of class means; it remembers the labellings it was run on."""

    def __init__(self, values):
        self.values = np.asarray(values, dtype=np.float64)
        self.run = []

    def __call__(self, labellings):
        for labels in labellings:
            self.run.append(bytes(labels))
            difference = self.values[labels == 1].mean() - self.values[labels == 0].mean()
            yield np.array([[difference, difference]])


def joint_of(count):
    strata = np.zeros(len(LABELS), dtype=np.intp)
    return JointRelabelling({f"job{index}": JobLabels(NAMES, LABELS, strata) for index in range(count)})


def _labels_of(labels, strata=None):
    values = np.array(list(labels.values()), dtype=np.int8)
    codes = np.zeros(len(values), dtype=np.intp) if strata is None else np.array(strata, dtype=np.intp)
    return JobLabels(tuple(labels), values, codes)


ANIMALS = {"a": 1, "b": 1, "c": 0, "d": 0, "e": 1, "f": 0}


def test_regions_of_the_same_animals_get_the_same_labels(rng):
    joint = JointRelabelling({"PFC": _labels_of(ANIMALS), "NAc": _labels_of(dict(reversed(ANIMALS.items())))})
    drawn = joint.draw(50, rng)
    assert np.array_equal(drawn["PFC"], drawn["NAc"][:, ::-1])
    assert joint.n_blocks == 1
    assert joint.count() == 20


def test_a_part_gets_the_labels_of_the_whole_and_both_keep_their_classes(rng):
    part = {name: ANIMALS[name] for name in "abc"}
    joint = JointRelabelling({"both": _labels_of(ANIMALS, [0, 0, 0, 1, 1, 1]), "part": _labels_of(part)})
    drawn = joint.draw(200, rng)
    assert np.array_equal(drawn["both"][:, :3], drawn["part"])
    assert (drawn["part"].sum(axis=1) == 2).all()
    assert (drawn["both"].sum(axis=1) == 3).all()
    assert joint.count() == 9


def test_a_missing_region_changes_no_class_size(rng):
    lacks_d = {name: label for name, label in ANIMALS.items() if name != "d"}
    joint = JointRelabelling({"PFC": _labels_of(ANIMALS), "NAc": _labels_of(lacks_d)})
    drawn = joint.draw(100, rng)
    assert (drawn["NAc"].sum(axis=1) == 3).all()
    assert (drawn["PFC"][:, 3] == 0).all()  # nobody else lacks the region, so nobody changes places with d
    assert joint.count() == 10


def test_questions_about_other_animals_move_independently(rng):
    other = {"u": 1, "v": 0, "w": 0}
    joint = JointRelabelling({"response": _labels_of(ANIMALS), "resilience": _labels_of(other)})
    drawn = joint.draw(2000, rng)
    assert joint.count() == 60
    together = Counter(zip(map(bytes, drawn["response"]), map(bytes, drawn["resilience"]), strict=True))
    assert len(together) == 60
    assert max(together.values()) < 75  # 33 expected


def test_two_questions_of_the_same_animals_are_relabelled_together(rng):
    second = {name: 1 - label for name, label in ANIMALS.items()}
    joint = JointRelabelling({"one": _labels_of(ANIMALS), "two": _labels_of(second)})
    drawn = joint.draw(30, rng)
    assert np.array_equal(drawn["one"], 1 - drawn["two"])


def test_every_labelling_is_equally_likely(rng):
    drawn = JointRelabelling({"one": _labels_of(ANIMALS)}).draw(4000, rng)["one"]
    counts = Counter(map(bytes, drawn))
    assert len(counts) == 20
    assert list(counts.values()) == pytest.approx([200] * 20, abs=60)


def test_the_observed_labels_and_blocks_are_in_the_jobs_order():
    joint = JointRelabelling({"one": _labels_of({"z": 1, "y": 0, "a": 1}, [0, 1, 0])})
    assert joint.labels("one").tolist() == [1, 0, 1]
    first, other, second = joint.blocks("one")
    assert first == second != other


def test_few_labellings_are_all_run_once_and_p_is_exact(rng):
    values = rng.normal(size=7)
    statistic = Difference(values)
    joint_null = run_joint_null({"job0": statistic}, joint_of(1), permutations=35, seed=3, alpha=0.05)
    job = joint_null.jobs["job0"]
    every = enumerate_labellings(LABELS, np.zeros(7, dtype=int))
    null = np.concatenate(list(Difference(values)(every)))[:, 0]
    assert len(statistic.run) == len(set(statistic.run)) == 35
    assert job.null.p_value == pytest.approx(exact_p(null, null[0]))
    assert job.null.exact
    assert joint_null.exact
    # Of one job there is nothing to correct, and no seed decides.
    assert job.corrected_p == job.null.p_value


def test_of_many_labellings_only_those_drawn_are_run_and_the_observed_one_counts(rng):
    statistic = Difference([9, 8, 7, 0, 1, 2, 3])
    joint_null = run_joint_null({"job0": statistic}, joint_of(1), permutations=19, seed=3, alpha=0.05)
    job = joint_null.jobs["job0"]
    assert len(statistic.run) == len(set(statistic.run)) <= 20
    assert statistic.run[0] == bytes(LABELS)
    assert not job.null.exact
    assert len(job.null.values) == joint_null.draws == 19
    # The observed labelling is the best of all 35; draws that happen to be it count against it.
    assert job.null.p_value == (1 + np.sum(job.null.values >= job.null.observed)) / 20
    assert job.corrected_p == pytest.approx(job.null.p_value)


def test_a_copy_of_a_job_costs_nothing_and_an_independent_one_does(rng):
    values = np.array([9, 8, 7, 0, 1, 2, 3])
    alone = run_joint_null({"job0": Difference(values)}, joint_of(1), 35, 3, 0.05).jobs["job0"].corrected_p
    copied = run_joint_null({f"job{i}": Difference(values) for i in range(3)}, joint_of(3), 35, 3, 0.05)
    others = {f"job{i}": Difference(rng.normal(size=7)) for i in range(1, 3)}
    apart = run_joint_null({"job0": Difference(values), **others}, joint_of(3), 35, 3, 0.05).jobs["job0"]
    assert copied.jobs["job0"].corrected_p == pytest.approx(alone)
    assert apart.corrected_p > 1.5 * alone
    assert apart.attainable_corrected_p == pytest.approx(apart.corrected_p)


def test_without_effect_any_job_is_significant_as_rarely_as_promised(rng):
    hits = 0
    for seed in range(60):
        statistics = {f"job{i}": Difference(rng.normal(size=7)) for i in range(4)}
        joint_null = run_joint_null(statistics, joint_of(4), 199, seed, 0.05)
        hits += min(job.corrected_p for job in joint_null.jobs.values()) <= 0.05
    assert hits <= 9  # 3 expected at most


def test_the_same_seed_gives_the_same_answer(rng):
    values = rng.normal(size=7)
    one, two = (run_joint_null({"job0": Difference(values)}, joint_of(1), 19, 5, 0.05).jobs["job0"] for _ in range(2))
    assert one.corrected_p == two.corrected_p
    assert np.array_equal(one.null.values, two.null.values)


def test_the_joint_null_is_exact_where_every_job_is_and_then_rests_on_all_of_them(rng):
    small, large = dict(zip("abcdefg", LABELS.tolist(), strict=True)), dict(zip("stuvwxyz", [1, 0] * 4, strict=True))
    # 35 labellings of one, 70 of the other.
    joint = JointRelabelling({"small": _labels_of(small), "large": _labels_of(large)})
    jobs = {"small": Difference(rng.normal(size=7)), "large": Difference(rng.normal(size=8))}
    both, one = (run_joint_null(jobs, joint, permutations, 1, 0.05) for permutations in (70, 69))
    assert (both.exact, both.draws, both.labellings) == (True, 35 * 70, 35 * 70)
    assert (one.exact, one.draws) == (False, 69)
    assert (one.jobs["small"].null.exact, one.jobs["large"].null.exact) == (True, False)


def test_few_joint_relabellings_are_all_enumerated_once():
    both = {"a": 1, "b": 0, "c": 1, "d": 0, "e": 0}
    # Animals of both jobs carry their labels along; f and g are in one job only.
    joint = JointRelabelling({"one": _labels_of(both), "two": _labels_of({**both, "f": 1, "g": 0})})
    every = joint.enumerate()
    rows = np.concatenate([every["one"], every["two"]], axis=1)
    assert len(rows) == len(np.unique(rows, axis=0)) == joint.count() - 1 == 10 * 2 - 1
    drawn = joint.draw(2000, np.random.default_rng(0))
    seen = {row.tobytes() for row in np.concatenate([drawn["one"], drawn["two"]], axis=1)}
    observed = np.concatenate([joint.labels("one"), joint.labels("two")])
    assert {row.tobytes() for row in rows} == seen - {observed.tobytes()}


def test_a_corrected_p_of_all_joint_relabellings_does_not_depend_on_the_seed(rng):
    statistics = {f"job{i}": Difference(rng.normal(size=7)) for i in range(3)}
    one, two = (run_joint_null(statistics, joint_of(3), "auto", seed, 0.05) for seed in (1, 2))
    assert {name: job.corrected_p for name, job in one.jobs.items()} == {
        n: job.corrected_p for n, job in two.jobs.items()
    }
    assert one.draws == one.labellings


def test_where_joint_relabellings_are_too_many_to_list_many_are_drawn(rng):
    # Four jobs on animals of their own: 35 ** 4 joint relabellings.
    jobs = {
        f"job{i}": _labels_of({f"{i}{animal}": int(label) for animal, label in enumerate(LABELS)}) for i in range(4)
    }
    joint_null = run_joint_null(
        {name: Difference(rng.normal(size=7)) for name in jobs}, JointRelabelling(jobs), "auto", 1, 0.05
    )
    assert (joint_null.exact, joint_null.draws) == (True, DRAWS_WHERE_EXACT)


@pytest.mark.parametrize(("permutations", "least"), [(0, 19), (18, 19)])
def test_joint_relabellings_too_few_for_any_p_are_refused_with_the_number_needed(permutations, least):
    with pytest.raises(ConfigError, match=f"at least {least}"):
        check_relabellings(permutations, 0.05)
    for enough in (least, "auto"):
        check_relabellings(enough, 0.05)
