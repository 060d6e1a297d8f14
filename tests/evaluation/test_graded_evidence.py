import numpy as np
import pytest

from responder_ml.evaluation.graded_evidence import graded_power_note, judge_graded
from responder_ml.evaluation.graded_nuisance import GradedLinks
from responder_ml.evaluation.permutation import NullPlan, NullResult

BOTH, NEITHER = GradedLinks(0.01, 0.05), GradedLinks(0.6, 0.5)


def _null(p_value, settled=True):
    values = np.zeros(200)
    return NullResult(0.0, values, p_value, (0.0, 0.2), False, settled, True, 1000, 0.001, aurocs=values + 0.5)


@pytest.mark.parametrize(
    ("attainable", "null", "links", "conditional", "level", "words"),
    [
        (0.2, _null(0.2), None, None, "underpowered", "the smallest attainable is 0.2"),
        (0.0, None, None, None, "not_tested", "no null was run"),
        (0.0, _null(0.04, settled=False), None, None, "undecided", "may lie anywhere from"),
        (0.0, _null(0.3), BOTH, None, "no_evidence", "No evidence that expression predicts ratio"),
        (0.0, _null(0.01), None, None, "evidence", "p = 0.01."),
        (0.0, _null(0.01), NEITHER, None, "evidence", "not explained by batch, rin"),
        (0.0, _null(0.01), BOTH, None, "not_separable", "too few can exchange outcomes"),
        (0.0, _null(0.01), BOTH, _null(0.4), "confounded", "they may explain it"),
        (0.0, _null(0.01), BOTH, _null(0.04, settled=False), "undecided", "beyond batch, rin"),
        (0.0, _null(0.01), BOTH, _null(0.02), "evidence", "among subjects alike in batch, rin p = 0.02"),
    ],
)
def test_the_first_rule_that_applies_gives_the_verdict(attainable, null, links, conditional, level, words):
    nuisances = "" if links is None else "batch, rin"
    verdict = judge_graded("ratio", 0.72, attainable, null, nuisances, links, conditional, 0.05)
    assert verdict.level == level
    assert words in verdict.sentence


def test_a_concordance_of_no_pair_is_called_unknown():
    assert "concordance of unknown" not in judge_graded("r", float("nan"), 0.0, None, "", None, None, 0.05).sentence
    assert "is unknown" in judge_graded("r", float("nan"), 0.0, None, "", None, None, 0.05).sentence


@pytest.mark.parametrize(
    ("outcome", "permutations", "words"),
    [
        (np.arange(3.0), "auto", "Underpowered: 6 orders of the outcome within drug"),
        (
            np.arange(6.0),
            "auto",
            "720 orders of the outcome within drug; with all of them run, the smallest attainable p is 0.0028",
        ),
        (np.arange(12.0), 0, "none is run"),
        (np.arange(12.0), 50, "Too few relabellings"),
        (np.arange(30.0), "auto", "random ones are run until"),
    ],
)
def test_what_the_null_can_show_is_said_beforehand(outcome, permutations, words):
    note = graded_power_note(outcome, np.zeros(len(outcome), dtype=int), ("drug",), NullPlan(permutations, 0.05, 7))
    assert words in note
