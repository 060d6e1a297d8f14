import numpy as np

from responder_ml.statistics.training_sets import TrainingSets

ROWS = np.array([[True, True, True, False], [False, True, True, True]])
LABELS = np.array([[1, 0, 1, 1], [1, 0, 0, 1]], dtype=np.int8)


def test_classes_hold_training_rows_only():
    sets = TrainingSets(ROWS, LABELS)
    assert sets.positive.tolist() == [[True, False, True, False], [False, False, False, True]]
    assert sets.negative.tolist() == [[False, True, False, False], [False, True, True, False]]


def test_a_slice_is_the_same_sets_and_keeps_how_many_are_alike():
    part = TrainingSets(ROWS, LABELS, alike=2)[1:]
    assert (len(part), part.alike) == (1, 2)
    np.testing.assert_array_equal(part.rows, ROWS[1:])
    np.testing.assert_array_equal(part.labels, LABELS[1:])
