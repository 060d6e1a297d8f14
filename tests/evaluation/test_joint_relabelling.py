"""Relabellings of several jobs at once: what they keep, and that all are equally likely."""

from collections import Counter

import numpy as np
import pytest

from responder_ml.evaluation.joint_null import JobLabels, JointRelabelling


def job(labels, strata=None):
    values = np.array(list(labels.values()), dtype=np.int8)
    codes = np.zeros(len(values), dtype=np.intp) if strata is None else np.array(strata, dtype=np.intp)
    return JobLabels(tuple(labels), values, codes)


LABELS = {"a": 1, "b": 1, "c": 0, "d": 0, "e": 1, "f": 0}


def test_regions_of_the_same_animals_get_the_same_labels(rng):
    joint = JointRelabelling({"PFC": job(LABELS), "NAc": job(dict(reversed(LABELS.items())))})
    drawn = joint.draw(50, rng)
    assert np.array_equal(drawn["PFC"], drawn["NAc"][:, ::-1])
    assert joint.n_blocks == 1
    assert joint.count() == 20


def test_a_part_gets_the_labels_of_the_whole_and_both_keep_their_classes(rng):
    part = {name: LABELS[name] for name in "abc"}
    joint = JointRelabelling({"both": job(LABELS, [0, 0, 0, 1, 1, 1]), "part": job(part)})
    drawn = joint.draw(200, rng)
    assert np.array_equal(drawn["both"][:, :3], drawn["part"])
    assert (drawn["part"].sum(axis=1) == 2).all()
    assert (drawn["both"].sum(axis=1) == 3).all()
    assert joint.count() == 9


def test_a_missing_region_changes_no_class_size(rng):
    lacks_d = {name: label for name, label in LABELS.items() if name != "d"}
    joint = JointRelabelling({"PFC": job(LABELS), "NAc": job(lacks_d)})
    drawn = joint.draw(100, rng)
    assert (drawn["NAc"].sum(axis=1) == 3).all()
    assert (drawn["PFC"][:, 3] == 0).all()  # nobody else lacks the region, so nobody changes places with d
    assert joint.count() == 10


def test_questions_about_other_animals_move_independently(rng):
    other = {"u": 1, "v": 0, "w": 0}
    joint = JointRelabelling({"response": job(LABELS), "resilience": job(other)})
    drawn = joint.draw(2000, rng)
    assert joint.count() == 60
    together = Counter(zip(map(bytes, drawn["response"]), map(bytes, drawn["resilience"]), strict=True))
    assert len(together) == 60
    assert max(together.values()) < 75  # 33 expected


def test_two_questions_of_the_same_animals_travel_together(rng):
    second = {name: 1 - label for name, label in LABELS.items()}
    joint = JointRelabelling({"one": job(LABELS), "two": job(second)})
    drawn = joint.draw(30, rng)
    assert np.array_equal(drawn["one"], 1 - drawn["two"])


def test_every_labelling_is_equally_likely(rng):
    drawn = JointRelabelling({"one": job(LABELS)}).draw(4000, rng)["one"]
    counts = Counter(map(bytes, drawn))
    assert len(counts) == 20
    assert list(counts.values()) == pytest.approx([200] * 20, abs=60)


def test_the_observed_labels_and_blocks_are_in_the_jobs_order():
    joint = JointRelabelling({"one": job({"z": 1, "y": 0, "a": 1}, [0, 1, 0])})
    assert joint.labels("one").tolist() == [1, 0, 1]
    first, other, second = joint.blocks("one")
    assert first == second != other
