"""The label ceiling of a cohort: shares of all who were measured, and no number of its own."""

from types import SimpleNamespace

import numpy as np
import pytest

from responder_ml.cohort.behaviour_rule import BehaviourRule
from responder_ml.evaluation.label_ceiling import label_ceiling
from responder_ml.records.label_ceiling_record import LabelCeilingRecord


@pytest.mark.parametrize(("rule", "measured"), [(None, 10), (BehaviourRule(cut=1.0, margin=0.1), 14)])
def test_subjects_within_the_margin_count_among_the_measured(rule, measured):
    labelled = SimpleNamespace(
        labels=np.array([1] * 4 + [0] * 6, dtype=np.int8),
        endpoint=SimpleNamespace(rule=rule),
        left_out=(("a", "b", "c", "d"), ("without a value",)),
    )
    record = LabelCeilingRecord.of(labelled, 0.6, None)
    assert record.auroc == pytest.approx(label_ceiling(0.6, 4 / measured, 6 / measured))
    assert (record.reliability, record.source) == (0.6, None)
