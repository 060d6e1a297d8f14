from dataclasses import replace

import numpy as np
import pytest

from responder_ml.contrasts.claim_result import PartResult
from responder_ml.contrasts.claim_tests import BOTH_ARMS, build_tests
from responder_ml.contrasts.claim_verdicts import HEADLINES, headlines, judge_claims
from responder_ml.contrasts.evaluate_claims import evaluate_claims
from responder_ml.contrasts.founding_claims import CLAIMS, SUMMARIES, build_rows
from responder_ml.contrasts.groups import RESPONDER, Groups
from responder_ml.contrasts.region_ranks import RegionRank
from responder_ml.contrasts.response_fraction import response_fractions
from responder_ml.contrasts.true_changes import AnimalDesign, TrueChanges


@pytest.fixture(scope="module")
def line():
    """One line of the table, to be changed."""
    groups = Groups.of(["control"] * 3 + ["susceptible"] * 3 + ["ketamine responder"] * 3)
    noise = np.random.default_rng(1).normal(size=(9, 60))
    return evaluate_claims(noise, groups, "PFC", seed=1, relabellings=20, bootstrap=0)[0]


def _line(line, claim, region, p, smallest=0.001, **changes):
    statistic, arms = HEADLINES[claim]
    values = {"claim": claim, "statistic": statistic, "arm": arms[0], "drug": "imipramine+ketamine", "region": region}
    return replace(line, p_value=p, smallest_p=smallest, **{**values, **changes})


def _verdict(results, claim, ranks=(), alpha=0.05):
    return next(verdict for verdict in judge_claims(results, ranks, alpha) if verdict.claim == claim)


def test_every_claim_has_one_verdict_in_order(line):
    verdicts = judge_claims([], [], 0.05)
    assert [verdict.claim for verdict in verdicts] == list(CLAIMS)
    assert {verdict.level for verdict in verdicts} == {"not_asked"}


def test_headlines_name_statistics_that_exist(study):
    tests = build_tests(TrueChanges(np.random.default_rng(0).normal(size=(25, 40)), AnimalDesign(study)))
    names = {(test.claim, (test.statement.name, test.arm)) for test in tests}
    assert {(claim, (statistic, arms[0])) for claim, (statistic, arms) in HEADLINES.items()} <= names
    assert {row.statistic.name for row in build_rows(study)} | {name for _, (name, _) in names} <= set(SUMMARIES)


def test_correction_pays_for_the_choice_of_region(line):
    others = [_line(line, "R4", name, 0.5) for name in ("NAc", "AMY", "HIP")]
    assert _verdict([_line(line, "R4", "PFC", 0.0125), *others], "R4").regions == ("PFC",)
    # 4 x 0.0126 is above 0.05.
    missed = _verdict([_line(line, "R4", "PFC", 0.0126), *others], "R4")
    assert (missed.level, missed.regions) == ("not_shown", ())
    assert "p = 0.013, 0.05 after correction for 4 regions" in missed.sentence


def test_correction_across_claims_stands_beside_that_across_regions(line):
    lines = [_line(line, "R4", "PFC", 0.01), _line(line, "R6c", "PFC", 0.03), _line(line, "R3", "PFC", 0.5)]
    verdicts = {verdict.claim: verdict for verdict in judge_claims(lines, [], 0.05)}
    # Three claims have a p: 3 x 0.01 and 2 x 0.03.
    assert verdicts["R4"].p_across_claims == pytest.approx(0.03)
    assert verdicts["R6c"].p_across_claims == pytest.approx(0.06)
    assert verdicts["R6c"].level == "consistent"
    assert verdicts["R8"].p_across_claims is None


def test_in_every_region_needs_each_regions_own_p_and_no_correction(line):
    names = ("PFC", "NAc", "AMY", "HIP")
    assert _verdict([_line(line, "R2", name, 0.05) for name in names], "R2").level == "consistent"
    one_missed = [_line(line, "R2", name, 0.05 if name != "HIP" else 0.06) for name in names]
    verdict = _verdict(one_missed, "R2")
    assert (verdict.level, verdict.regions) == ("not_shown", ("PFC", "NAc", "AMY"))


def test_out_of_reach_where_no_labelling_could_do_it(line):
    lines = [_line(line, "R4", name, 0.02, smallest=0.02) for name in ("PFC", "NAc", "AMY")]
    # The smallest attainable corrected p is 3 x 0.02.
    assert _verdict(lines, "R4").level == "out_of_reach"
    assert _verdict(lines[:2], "R4").level == "consistent"
    assert _verdict([_line(line, "R4", "PFC", 0.5, smallest=0.04)], "R4").level == "not_shown"


def test_the_preferred_line_is_the_difference_of_both_drugs(line):
    lines = [
        _line(line, "R4", "PFC", 0.5, arm=arm, drug=drug)
        for arm in (RESPONDER, BOTH_ARMS)
        for drug in ("ketamine", "imipramine+ketamine", "imipramine")
    ]
    (chosen,) = headlines(lines, "R4")
    assert (chosen.arm, chosen.drug) == (BOTH_ARMS, "imipramine+ketamine")
    (fallback,) = headlines([line for line in lines if line.arm == RESPONDER], "R4")
    assert (fallback.arm, fallback.drug) == (RESPONDER, "imipramine+ketamine")


def _rank(claim, region, share):
    statistic, arms = HEADLINES[claim]
    return RegionRank(claim, "imipramine+ketamine", arms[0], statistic, region, 0.2, (0.1, 0.3), 1, 1.0, share)


def test_a_region_leads_surely_only_in_all_three_and_nearly_all_draws(line):
    lines = [_line(line, claim, region, 0.02) for claim in ("R3", "R4", "R5") for region in ("PFC", "NAc")]
    sure = [_rank(claim, "PFC", 0.97) for claim in ("R3", "R4", "R5")]
    assert _verdict(lines, "R8", sure).regions == ("PFC",)
    for other in (_rank("R5", "NAc", 0.97), _rank("R5", "PFC", 0.9)):
        verdict = _verdict(lines, "R8", [*sure[:2], other])
        assert verdict.level == "not_shown"
        assert "PFC in R3 (97% of draws)" in verdict.sentence
    not_alike = [replace(other, p_value=0.5) if other.claim == "R3" else other for other in lines]
    verdict = _verdict(not_alike, "R8", sure)
    assert (verdict.level, "R3) is not shown" in verdict.sentence) == ("not_shown", True)


@pytest.mark.parametrize(
    ("imipramine", "ketamine", "level"),
    [((6, 12), (6, 12), "not_shown"), ((300, 600), (306, 600), "consistent"), ((30, 60), (5, 60), "contradicted")],
)
def test_equal_fractions_are_called_equal_only_where_the_interval_is_narrow(imipramine, ketamine, level):
    drug = ["imipramine"] * imipramine[1] + ["ketamine"] * ketamine[1]
    responder = [index < hits for hits, total in (imipramine, ketamine) for index in range(total)]
    assert _verdict(response_fractions(drug, responder), "R1").level == level


UNDONE = "51% of the stress change is undone in responders (95 % interval 10% to 90%)"


def test_sentences_of_one_region_name_the_numbers(line):
    numbers = {"observed": 0.512, "interval": (0.1, 0.9)}
    sentence = _verdict([_line(line, "R4", "PFC", 0.012, **numbers)], "R4").sentence
    assert sentence == f"Consistent with the claim in PFC. PFC: {UNDONE}; p = 0.012."
    sentence = _verdict([_line(line, "R4", "PFC", 0.3, smallest=0.1, **numbers)], "R4").sentence
    assert sentence == f"Out of reach: with these animals no p below 0.1 is attainable. PFC: {UNDONE}; p = 0.3."
    sentence = _verdict([_line(line, "R4", "PFC", 0.3, interval=None, observed=-0.001)], "R4").sentence
    assert (
        sentence
        == "Not shown. PFC: 0% of the stress change is undone in responders (interval not determined); p = 0.3."
    )


def test_sentences_of_several_regions_name_the_smallest_p_and_its_correction(line):
    numbers = {"observed": 0.512, "interval": (0.1, 0.9)}
    lines = [_line(line, "R2", name, p) for name, p in (("PFC", 0.3), ("NAc", 0.04))]
    assert _verdict(lines, "R2").sentence.startswith("Shown in 1 of 2 regions, not in all. NAc: stress changes")
    lines = [_line(line, "R4", name, p, **numbers) for name, p in (("PFC", 0.3), ("NAc", 0.04))]
    tail = f"NAc: {UNDONE}; p = 0.04, 0.08 after correction for 2 regions."
    assert _verdict(lines, "R4").sentence == f"Not shown in any region. {tail}"
    lines = [replace(other, smallest_p=0.03) for other in lines]
    sentence = _verdict(lines, "R4").sentence
    assert sentence == f"Out of reach: with these animals no p below 0.06 (corrected) is attainable. {tail}"


def test_what_these_animals_cannot_be_asked_is_said_with_the_size_that_could(line):
    few = {"power": 0.17, "needed": 8, "n": {"control": 5, "susceptible": 3}}
    verdict = _verdict([_line(line, "R6c", "PFC", 0.3, **few)], "R6c")
    assert verdict.level == "too_few_animals"
    assert "with 3 to 5 animals a group even full opposition would be found in 17% of studies; 8 in" in verdict.sentence
    assert _verdict([_line(line, "R6c", "PFC", 0.3, **few | {"power": 0.5})], "R6c").level == "not_shown"
    # What is found is found, however improbable it was.
    assert _verdict([_line(line, "R6c", "PFC", 0.03, **few)], "R6c").level == "consistent"


@pytest.mark.parametrize(
    ("claim", "interval", "level"),
    [
        ("R6c", (0.01, 0.9), "contradicted"),
        ("R6c", (-0.01, 0.9), "not_shown"),
        ("R4", (-0.9, -0.01), "contradicted"),
        ("R6a", (-0.5, 0.7), "contradicted"),
        ("R6a", (-0.5, 0.8), "not_shown"),
    ],
)
def test_an_interval_on_the_wrong_side_contradicts(line, claim, interval, level):
    assert _verdict([_line(line, claim, "PFC", 0.9, interval=interval)], claim).level == level
    elsewhere = _line(line, claim, "NAc", 0.9, interval=None)
    assert _verdict([_line(line, claim, "PFC", 0.9, interval=interval), elsewhere], claim).level == "not_shown"


def test_the_sentence_names_every_part_of_a_claim(line):
    parts = (PartResult("responders are moved back", 0.01, 0.01), PartResult("more than others", 0.2, 0.1, 0.2, 700))
    sentence = _verdict([_line(line, "R4", "PFC", 0.2, parts=parts)], "R4").sentence
    assert "p = 0.2, the largest of: responders are moved back (0.01); more than others (0.2)." in sentence


def test_every_region_must_be_able_to_reach_the_level_but_one_is_enough_for_some_region(line):
    for claim, level in (("R2", "out_of_reach"), ("R4", "not_shown")):
        lines = [_line(line, claim, name, 0.5, smallest) for name, smallest in (("PFC", 0.02), ("NAc", 0.1))]
        assert _verdict(lines, claim).level == level


def test_what_is_unknown_is_called_unknown_and_shows_nothing(line):
    unknown = _line(line, "R4", "PFC", None, None, expected_no_effect=None, observed=1.0)
    verdict = _verdict([unknown], "R4")
    assert verdict.level == "out_of_reach"
    assert verdict.sentence.endswith("p = unknown.")
    # Its p counts as 1 beside the other region's.
    both = _verdict([unknown, _line(line, "R4", "NAc", 0.02)], "R4")
    assert (both.level, both.regions) == ("consistent", ("NAc",))


def test_a_region_leads_from_95_per_cent_of_draws_on(line):
    lines = [_line(line, claim, region, 0.02) for claim in ("R3", "R4", "R5") for region in ("PFC", "NAc")]
    assert _verdict(lines, "R8", [_rank(claim, "PFC", 0.95) for claim in ("R3", "R4", "R5")]).level == "consistent"


@pytest.mark.parametrize(
    ("interval", "level"),
    [
        ((-0.2, 0.2), "consistent"),
        ((-0.21, 0.1), "not_shown"),
        ((-0.1, 0.21), "not_shown"),
        ((0.0, 0.1), "consistent"),
        ((0.01, 0.1), "contradicted"),
        ((-0.1, -0.01), "contradicted"),
    ],
)
def test_the_widest_difference_of_fractions_decides(line, interval, level):
    changes = {"claim": "R1", "statistic": "response_fraction_difference"}
    pairs = [
        replace(line, observed=0.01, interval=(-0.5, 0.5), **changes),
        replace(line, observed=-0.05, interval=interval, **changes),
        replace(line, observed=0.9, interval=None, **changes),
    ]
    verdict = _verdict(pairs, "R1")
    assert verdict.level == level
    assert "largest difference -5% " in verdict.sentence
