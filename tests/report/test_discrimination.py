import dataclasses

import numpy as np
import pandas as pd
import pytest

from responder_ml.records.label_ceiling_record import LabelCeilingRecord
from responder_ml.records.learning_curve_record import LearningCurveRecord
from responder_ml.report.discrimination import Discrimination, group
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


def test_a_learning_curve_is_a_sentence_and_a_figure_and_nothing_without_one(typical_run):
    assert "Learning curve" not in Discrimination().render(typical_run)
    nothing = [np.nan] * 5
    sizes = pd.DataFrame(
        {
            "trained": [6.0, 12.0, 24.0, 48.0, 96.0], "auroc": [0.6, 0.7, 0.75, 0.78, np.nan],
            "auroc_low": [0.5, 0.6, 0.65, 0.7, np.nan], "auroc_high": [0.7, 0.8, 0.85, 0.9, np.nan],
            "fitted": [0.61, 0.69, 0.75, 0.78, 0.8], "fitted_low": [0.5] * 5, "fitted_high": [0.9] * 5,
        }
    )  # fmt: skip
    record = LearningCurveRecord(sentence="It <levels> off.", notes=["Two sizes & no more."])
    result = typical_run.result.model_copy(update={"learning_curve": record})
    plain = sizes[:4].assign(fitted=nothing[:4], fitted_low=nothing[:4], fitted_high=nothing[:4])
    for table, has_law in ((sizes, True), (plain, False)):
        tables = {**typical_run.tables, "learning_curve": table}
        html = Discrimination().render(dataclasses.replace(typical_run, result=result, tables=tables))
        assert "It &lt;levels&gt; off." in html
        assert "Two sizes &amp; no more." in html
        assert ("inverse power law" in html) == has_law
        assert html.count("<svg") == 3


def test_the_label_ceiling_is_one_paragraph_with_where_its_number_comes_from(typical_run):
    assert "Label ceiling" not in Discrimination().render(typical_run)
    for source, words in (("retest of <20> mice", "retest of &lt;20&gt; mice"), (None, "does not say where")):
        ceiling = LabelCeilingRecord(auroc=0.936, reliability=0.8, source=source)
        result = typical_run.result.model_copy(update={"label_ceiling": ceiling})
        html = Discrimination().render(dataclasses.replace(typical_run, result=result))
        assert words in html
        assert "0.94</data>" in html
