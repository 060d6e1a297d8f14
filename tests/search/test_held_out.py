import numpy as np
import pytest

from responder_ml.search.held_out import HeldOut

LABELS = np.array([0, 1, 0, 1, 1], dtype=np.int8)


def test_one_sample_each_keeps_the_order_of_samples():
    fold = HeldOut.of(np.array([4, 0, 3]), LABELS)
    np.testing.assert_array_equal(fold.subjects, [4, 0, 3])
    np.testing.assert_array_equal(fold.means(np.array([0.1, 0.2, 0.3])), [0.1, 0.2, 0.3])
    assert fold.auroc(np.array([0.1, 0.2, 0.3])) == pytest.approx(0.5)


def test_samples_of_a_subject_are_averaged_first():
    fold = HeldOut.of(np.array([2, 1, 2, 1, 0]), LABELS)
    scores = np.array([1.0, 5.0, 3.0, -1.0, 2.5])
    np.testing.assert_array_equal(fold.subjects, [0, 1, 2])
    np.testing.assert_allclose(fold.means(scores), [2.5, 2.0, 2.0])
    # Subject 1 is positive: below subject 0, level with subject 2.
    assert fold.auroc(scores) == pytest.approx(0.25)
