import numpy as np
import pandas as pd

from responder_ml.records.run import Run
from responder_ml.report.subject_decisions import subject_decisions


def run_of(rows):
    columns = ["sample", "subject", "label", "repeat", "fold", "candidate", "log_odds"]
    return Run({}, {"out_of_fold": pd.DataFrame(rows, columns=columns)}, {})


def test_samples_of_a_subject_are_averaged_and_order_is_kept():
    run = run_of(
        [
            ("b1", "b", 0, 0, 1, "auto", -1.0),
            ("a1", "a", 1, 0, 0, "auto", 1.0),
            ("a2", "a", 1, 0, 0, "auto", 3.0),
            ("b1", "b", 0, 1, 0, "auto", -2.0),
            ("a1", "a", 1, 1, 1, "auto", 0.0),
            ("a2", "a", 1, 1, 1, "auto", 1.0),
            ("a1", "a", 1, 0, 0, "other", 99.0),
        ]
    )
    decisions = subject_decisions(run)
    assert decisions.subjects.tolist() == ["b", "a"]
    assert decisions.labels.tolist() == [0, 1]
    np.testing.assert_array_equal(decisions.log_odds, [[-1.0, 2.0], [-2.0, 0.5]])
    np.testing.assert_array_equal(decisions.folds, [[1, 0], [0, 1]])
    np.testing.assert_array_equal(decisions.mean_log_odds, [-1.5, 1.25])
    assert subject_decisions(run, "other").log_odds.tolist() == [[99.0]]


def test_nothing_trained_gives_none(underpowered_run):
    assert subject_decisions(underpowered_run) is None
