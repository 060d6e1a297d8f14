"""The verdict: the first rule that matches wins, and the sentence names the numbers it rests on."""

import numpy as np
import pytest
from scipy.stats import norm

from responder_ml.evaluation.permutation import NullResult
from responder_ml.evaluation.verdict import (
    BaselineResult,
    NuisanceSummary,
    NullSummary,
    Verdict,
    conclude,
    detectable_auroc,
    is_underpowered,
    summarise_null,
)

FOUND = NullSummary(0.01, 0.001, 0.49)
HELD, FAILED, UNABLE = NullSummary(0.02, 0.001), NullSummary(0.3, 0.001), NullSummary(1.0, 1.0)
BATCH = BaselineResult("batch", True, 0.62, (0.4, 0.8), 0.28, (0.1, 0.4))
AS_GOOD = BaselineResult("batch", True, 0.91, (0.7, 1.0), -0.01, (-0.2, 0.2))
EQUAL = BaselineResult("batch", True, 0.9, (0.7, 1.0), 0.0, (-0.1, 0.1))
SLIGHTLY_WORSE = BaselineResult("batch", True, 0.89, (0.7, 1.0), 0.01, (-0.1, 0.1))


def _nuisance(conditional=FAILED, association_p=0.01, may_explain=True, baseline=AS_GOOD, names="batch"):
    return NuisanceSummary(names, conditional, association_p, may_explain, baseline)


def _conclude(null=FOUND, nuisance=None, best=None, upper=None):
    return conclude(
        question="responder from non_responder",
        auroc=0.9,
        null=null,
        nuisance=nuisance,
        best=best,
        alpha=0.05,
        upper=upper,
    )


@pytest.mark.parametrize(
    ("facts", "level", "names"),
    [
        ({"null": NullSummary(0.06, 0.0501, 0.5)}, "underpowered", "smallest attainable is 0.05"),
        # 3 v 3: 20 labellings; a p of exactly alpha is evidence.
        ({"null": NullSummary(0.05, 0.05, 0.5)}, "evidence", "p = 0.05"),
        ({"null": NullSummary(None, 0.001)}, "not_tested", "0.90"),
        ({"null": NullSummary(0.0501, 0.001, 0.5)}, "no_evidence", "p = 0.05"),
        (
            {"null": NullSummary(0.04, 0.001, 0.5, settled=False, p_interval=(0.02, 0.07), draws=900, needed=3000)},
            "undecided",
            "p = 0.04, which may lie anywhere from 0.02 to 0.07 (confidence 99.9 %) after 900 relabellings; about 3,000",
        ),
        (
            {"null": NullSummary(0.05, 0.001, 0.5, settled=False, p_interval=(0.03, 0.08), draws=900)},
            "undecided",
            "too close to 0.05 to say how many would settle it",
        ),
        # Too few subjects, and no null at all, come before.
        ({"null": NullSummary(0.2, 0.1, 0.5, settled=False)}, "underpowered", "0.1"),
        # Not even a batch that explains everything turns an absent finding into a confounded one.
        ({"null": NullSummary(0.2, 0.001, 0.5), "nuisance": _nuisance()}, "no_evidence", "p = 0.2"),
        ({"nuisance": _nuisance()}, "confounded", "batch explains it: batch alone has AUROC 0.91 (the headline 0.90)"),
        ({"nuisance": _nuisance()}, "confounded", "among subjects alike in batch p = 0.3"),
        ({"nuisance": _nuisance(UNABLE)}, "not_separable", "the smallest attainable p is 1"),
        ({"nuisance": _nuisance(UNABLE)}, "not_separable", "batch and class: p = 0.01; batch alone has AUROC 0.91"),
        ({"nuisance": _nuisance(HELD)}, "evidence", "among subjects alike in batch p = 0.02"),
        # Each of these alone clears a nuisance within which the difference was not shown.
        ({"nuisance": _nuisance(may_explain=False)}, "evidence", "decisions do not follow it"),
        ({"nuisance": _nuisance(baseline=BATCH)}, "evidence", "batch alone has AUROC 0.62"),
        # Where the design cannot show it, only an association counts.
        ({"nuisance": _nuisance(UNABLE, association_p=0.0501)}, "evidence", "too few can be relabelled to test it"),
        ({"nuisance": _nuisance(UNABLE, may_explain=False)}, "not_separable", "batch"),
        ({"nuisance": _nuisance(UNABLE, baseline=BATCH)}, "evidence", "batch"),
        # The library size, of which nothing was seen to need a second null.
        ({"nuisance": _nuisance(None)}, "evidence", "p = 0.01"),
        ({"best": BATCH}, "evidence", "+0.28, 95 % interval +0.10 to +0.40"),
        ({"null": NullSummary(0.0004, 0.0001, 0.49)}, "evidence", "p = 4.0e-04"),
    ],
)
def test_the_first_rule_that_matches_wins(facts, level, names):
    verdict = _conclude(**facts)
    assert verdict.level == level
    assert names in verdict.sentence


def test_about_as_well_means_that_the_interval_of_the_gain_reaches_zero():
    for baseline in (EQUAL, SLIGHTLY_WORSE, BaselineResult("batch", True, 0.5, (0.4, 0.6), 0.4, (0.0, 0.8))):
        assert _conclude(nuisance=_nuisance(baseline=baseline)).level == "confounded"
    assert _conclude(nuisance=_nuisance(baseline=BATCH)).level == "evidence"
    # Where no interval can be given, a nuisance is not cleared by it.
    unknown = BaselineResult("batch", True, 0.6, (0.4, 0.8), 0.3, (float("nan"), float("nan")))
    assert _conclude(nuisance=_nuisance(baseline=unknown)).level == "confounded"


def test_only_a_nuisance_confounds_not_any_baseline_that_does_as_well():
    assert _conclude(best=EQUAL).level == "evidence"
    assert "gain over the best baseline (batch, AUROC 0.90) +0.00" in _conclude(best=EQUAL).sentence


@pytest.mark.parametrize(
    ("conditional", "level"),
    [
        (NullSummary(0.0501, 0.001), "confounded"),
        (NullSummary(0.05, 0.05), "evidence"),
        # A null whose smallest p is above alpha can neither show nor clear anything.
        (NullSummary(0.01, 0.0501), "not_separable"),
        (NullSummary(0.04, 0.001, settled=False), "undecided"),
    ],
)
def test_the_conditional_null_must_be_able_to_reach_alpha_and_do_so(conditional, level):
    assert _conclude(nuisance=_nuisance(conditional)).level == level


def test_the_undecided_conditional_null_says_beyond_what_and_a_harmless_nuisance_is_not_undecided():
    open_null = NullSummary(0.04, 0.001, settled=False, p_interval=(0.02, 0.07), draws=900, needed=3000)
    sentence = _conclude(nuisance=_nuisance(open_null, names="batch and library size")).sentence
    assert sentence.startswith(
        "Undecided whether expression distinguishes responder from non_responder beyond batch and library size: AUROC 0.90"
    )
    assert "about 3,000 would settle it" in sentence
    assert _conclude(nuisance=_nuisance(open_null, may_explain=False)).level == "evidence"


@pytest.mark.parametrize(("smallest", "underpowered"), [(0.05, False), (0.051, True), (0.0499, False)])
def test_only_a_smallest_p_above_alpha_is_underpowered(smallest, underpowered):
    assert is_underpowered(smallest, 0.05) is underpowered


def test_no_evidence_says_what_can_be_excluded():
    null = NullSummary(0.3, 0.001, 0.5, detectable=0.87)
    sentence = _conclude(null, upper=0.794).sentence
    assert (
        "the 95 % interval of the AUROC ends at 0.79, and a true AUROC of 0.87 would have been detected with 80 % power"
        in (sentence)
    )
    hopeless = _conclude(NullSummary(0.3, 0.001, 0.5, detectable=1.04)).sentence
    assert "not even a true AUROC of 1 would have been detected with 80 % power" in hopeless
    # Evidence excludes nothing.
    assert "80 % power" not in _conclude(upper=0.99).sentence


def test_a_verdict_that_hangs_on_one_labelling_says_so():
    assert "hangs on one labelling" in _conclude(NullSummary(0.05, 0.01, 0.5, turned_by_one=True)).sentence
    assert "hangs on one labelling" in _conclude(NullSummary(0.06, 0.01, 0.5, turned_by_one=True)).sentence
    assert "hangs on" not in _conclude().sentence
    # Likewise where the one labelling is among subjects alike in a nuisance.
    within = NullSummary(0.05, 0.01, turned_by_one=True)
    nuisance = NuisanceSummary("batch", within, 0.01, True, BATCH)
    assert "alike in batch p = 0.05 (it hangs on one labelling" in _conclude(nuisance=nuisance).sentence


def _null(values, **changes):
    facts = {"exact": False, "settled": True, "stopped_early": False, "labellings": 1716, "min_attainable_p": 0.1}
    values = np.asarray(values)
    return NullResult(0.6, values, 0.2, (0.1, 0.3), aurocs=values, **{**facts, **changes})


def test_too_few_relabellings_do_not_make_subjects_too_few():
    asked_for_nine = _null(np.linspace(0.3, 0.6, 9), settled=False)
    assert summarise_null(asked_for_nine, 0.05).min_attainable_p == 1 / 1716
    assert _conclude(summarise_null(asked_for_nine, 0.05)).level == "undecided"
    # A corrected p is what it is, and so is one of all labellings.
    assert summarise_null(asked_for_nine, 0.05, "corrected p").min_attainable_p == 0.1
    assert summarise_null(_null([0.5] * 10, exact=True, labellings=10), 0.05).min_attainable_p == 0.1


@pytest.mark.parametrize(("mean", "sd"), [(0.5, 0.02), (0.5, 0.12), (0.42, 0.2)])
def test_the_detectable_auroc_has_the_power_it_promises(mean, sd):
    null = _null(np.random.default_rng(2).normal(mean, sd, 4999))
    detectable, critical = detectable_auroc(null, 0.05), null.critical_auroc(0.05)
    assert mean < critical < detectable < 1
    spread = null.sd * np.sqrt(detectable * (1 - detectable) / (null.mean * (1 - null.mean)))
    assert norm.sf((critical - detectable) / spread) == pytest.approx(0.8)


def test_where_even_a_perfect_auroc_can_be_luck_none_is_detectable():
    often_perfect = _null(np.repeat([1.0, 0.5, 0.0], 33))
    assert detectable_auroc(often_perfect, 0.05) > 1.0
    # Nineteen relabellings can reach 0.05, eighteen cannot.
    assert detectable_auroc(_null(np.linspace(0, 1, 19) * 0.9), 0.05) < 1.0
    assert detectable_auroc(_null(np.linspace(0, 1, 18)), 0.05) is None
    # Without spread the critical value itself is.
    assert detectable_auroc(_null(np.full(99, 0.5)), 0.05) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("run", "jobs", "sentence"),
    [(1, 1, "Evidence."), (3, 3, "Evidence. Run 3 on these data."), (1, 20, "Evidence. Run 1 of 20 on these data.")],
)
def test_the_sentence_says_which_of_how_many_jobs_it_is_and_the_level_stays(run, jobs, sentence):
    assert Verdict("evidence", "Evidence.").among_jobs(run, jobs) == Verdict("evidence", sentence)
