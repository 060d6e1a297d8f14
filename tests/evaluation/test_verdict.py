"""The verdict: the first rule that matches wins, and the sentence names the numbers it rests on."""

import pytest

from responder_ml.evaluation.verdict import BaselineResult, NullSummary, conclude, is_underpowered

FOUND = NullSummary(0.01, 0.001, 0.49)
BATCH = BaselineResult("batch", True, 0.62, (0.4, 0.8), 0.28, (0.1, 0.4))
AS_GOOD = BaselineResult("batch", True, 0.91, (0.7, 1.0), -0.01, (-0.2, 0.2))
EQUAL = BaselineResult("batch", True, 0.9, (0.7, 1.0), 0.0, (-0.1, 0.1))
SLIGHTLY_WORSE = BaselineResult("batch", True, 0.89, (0.7, 1.0), 0.01, (-0.1, 0.1))


def _conclude(null=FOUND, conditional=None, nuisance=None, best=None):
    return conclude(
        question="responder from non_responder",
        auroc=0.9,
        null=null,
        conditional=conditional,
        nuisance=nuisance,
        best=best,
        alpha=0.05,
    )


@pytest.mark.parametrize(
    ("facts", "level", "names"),
    [
        # 3 v 3: 20 labellings; a p of exactly alpha is not below it.
        ({"null": NullSummary(0.05, 0.05, 0.5)}, "underpowered", "0.05"),
        ({"null": NullSummary(None, 0.001)}, "not_tested", "0.90"),
        ({"null": NullSummary(0.05, 0.001, 0.5)}, "no_evidence", "p = 0.05"),
        # Not even a batch that does as well turns an absent finding into a confounded one.
        ({"null": NullSummary(0.2, 0.001, 0.5), "nuisance": AS_GOOD}, "no_evidence", "p = 0.2"),
        ({"conditional": NullSummary(1.0, 1.0)}, "confounded", "smallest attainable p 1"),
        ({"conditional": NullSummary(0.3, 0.001)}, "confounded", "p = 0.3"),
        ({"nuisance": AS_GOOD}, "confounded", "0.91"),
        ({"conditional": NullSummary(0.02, 0.001), "nuisance": BATCH}, "evidence", "within batches p = 0.02"),
        ({"best": BATCH}, "evidence", "+0.28, 95 % interval +0.10 to +0.40"),
        ({"null": NullSummary(0.0004, 0.0001, 0.49)}, "evidence", "p = 4.0e-04"),
    ],
)
def test_the_first_rule_that_matches_wins(facts, level, names):
    verdict = _conclude(**facts)
    assert verdict.level == level
    assert names in verdict.sentence


def test_the_sentence_gives_the_auroc_tested_where_it_differs_from_the_headline():
    verdict = _conclude(NullSummary(0.06, 0.001, 0.48, tested=0.83))
    assert "AUROC 0.90 (0.83 in the repeats tested) against a mean of 0.48" in verdict.sentence
    assert "tested)" not in _conclude().sentence


def test_a_nuisance_exactly_as_good_as_the_headline_confounds_and_a_worse_one_does_not():
    assert _conclude(nuisance=EQUAL).level == "confounded"
    assert "batch alone does as well (AUROC 0.90)" in _conclude(nuisance=EQUAL).sentence
    assert _conclude(nuisance=SLIGHTLY_WORSE).level == "evidence"


def test_only_a_nuisance_confounds_not_any_baseline_that_does_as_well():
    assert _conclude(best=EQUAL).level == "evidence"
    assert "gain over the best baseline (batch, AUROC 0.90) +0.00" in _conclude(best=EQUAL).sentence


@pytest.mark.parametrize(
    ("conditional", "level"),
    [
        (NullSummary(0.05, 0.001), "confounded"),
        (NullSummary(0.0499, 0.001), "evidence"),
        # A null that was not run, or whose smallest p is alpha, cannot clear the nuisance.
        (NullSummary(None, 0.001), "confounded"),
        (NullSummary(0.01, 0.05), "confounded"),
    ],
)
def test_the_conditional_null_must_be_able_to_reach_alpha_and_do_so(conditional, level):
    assert _conclude(conditional=conditional).level == level


@pytest.mark.parametrize(("smallest", "underpowered"), [(0.05, True), (0.051, True), (0.0499, False)])
def test_a_smallest_p_of_alpha_is_underpowered(smallest, underpowered):
    assert is_underpowered(smallest, 0.05) is underpowered
