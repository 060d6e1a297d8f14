import numpy as np
import pytest

from responder_ml.report.discrimination import group
from responder_ml.report.subject_decisions import SubjectDecisions


def decisions(labels, log_odds):
    n = len(labels)
    return SubjectDecisions(
        np.arange(n).astype(str), np.asarray(labels, np.int8), np.atleast_2d(log_odds), np.zeros((1, n), int)
    )


def test_groups_by_hand():
    labels = np.array([0] * 9 + [1] + [1] * 10)
    groups = group(decisions(labels, np.concatenate([np.full(10, -1.0), np.full(10, 1.0)])))
    assert groups.sizes.tolist() == [10, 10]
    assert groups.share.tolist() == [0.1, 1.0]
    assert groups.mean == pytest.approx([1 / (1 + np.e), np.e / (1 + np.e)])
    # Wilson's interval of 1 in 10 and of 10 in 10, from the published formula.
    assert groups.low == pytest.approx([0.0178762, 0.7224672], abs=1e-6)
    assert groups.high == pytest.approx([0.4041500, 1.0], abs=1e-6)


def test_no_more_than_ten_groups_of_like_size(rng):
    groups = group(decisions(rng.integers(0, 2, 1003), rng.normal(size=1003)))
    assert len(groups.sizes) == 10
    assert groups.sizes.min() >= 100


def test_few_subjects_get_a_sentence_and_many_a_diagram(built):
    assert "too few points" in built("typical_run").section("calibration")
    assert "<svg" not in built("typical_run").section("calibration")
    assert "<svg" in built("large_run").section("calibration")


def test_nothing_trained(built):
    assert "Nothing was trained" in built("underpowered_run").section("calibration")
