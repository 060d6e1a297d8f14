import math

import pytest

from responder_ml.contrasts.founding_claims import CLAIMS, DIFFERENCE, build_rows
from responder_ml.contrasts.groups import NON_RESPONDER, RESPONDER, Groups
from responder_ml.errors import ContrastError


def test_every_claim_about_expression_has_rows(study):
    rows = build_rows(study)
    assert {row.statistic.claim for row in rows} == set(CLAIMS) - {"R1", "R8"}
    keys = [(row.statistic.name, row.drug, row.arm) for row in rows]
    assert len(set(keys)) == len(keys)


def test_reversal_rows_say_what_is_exchanged(study):
    rows = [row for row in build_rows(study) if row.statistic.name == "reversal_share"]
    exchanged = {(row.drug, row.arm): row.exchange for row in rows}
    assert exchanged["ketamine", RESPONDER] == (("susceptible", "ketamine responder"),)
    assert exchanged["ketamine", DIFFERENCE] == (("ketamine responder", "ketamine non_responder"),)
    assert len(exchanged["imipramine+ketamine", DIFFERENCE]) == 2
    assert set(exchanged["imipramine+ketamine", RESPONDER][0]) == {
        "susceptible",
        "ketamine responder",
        "imipramine responder",
    }
    assert len(rows) == 8


def _terms(rows, statistic):
    """Terms and exchanged groups by drug and arm; I, i, K and k are imipramine and ketamine responders and non-responders."""
    short = {
        f"{drug} {arm}": letter
        for drug, pair in (("imipramine", "Ii"), ("ketamine", "Kk"))
        for arm, letter in zip((RESPONDER, NON_RESPONDER), pair, strict=True)
    }
    short |= {"susceptible": "S", "control": "C", "resilient": "R"}
    return {
        (row.drug, row.arm): (
            [(weight, "".join(short[name] for name in names)) for weight, names in row.terms],
            ["".join(short[name] for name in names) for names in row.exchange],
        )
        for row in rows
        if row.statistic.name == statistic
    }


BOTH, TWO_ARMS = "imipramine+ketamine", "responder and non_responder"


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        (
            "deg_count",
            {
                ("", "susceptible - control"): ([(1.0, "SC")], ["SC"]),
                ("", "resilient - control"): ([(1.0, "RC")], ["RC"]),
                **{
                    (drug, f"{drug} {arm} - {minus}"): ([(1.0, letter + minus[0].upper())], [letter + minus[0].upper()])
                    for drug, letters in (("imipramine", "Ii"), ("ketamine", "Kk"))
                    for arm, letter in zip((RESPONDER, NON_RESPONDER), letters, strict=True)
                    for minus in ("susceptible", "control")
                },
            },
        ),
        (
            "reversal_cosine",
            {
                ("imipramine", RESPONDER): ([(1.0, "I")], ["SI"]),
                ("ketamine", RESPONDER): ([(1.0, "K")], ["SK"]),
                (BOTH, RESPONDER): ([(0.5, "I"), (0.5, "K")], ["SIK"]),
                ("imipramine", NON_RESPONDER): ([(1.0, "i")], ["Si"]),
                ("ketamine", NON_RESPONDER): ([(1.0, "k")], ["Sk"]),
                ("imipramine", DIFFERENCE): ([(1.0, "I"), (-1.0, "i")], ["Ii"]),
                ("ketamine", DIFFERENCE): ([(1.0, "K"), (-1.0, "k")], ["Kk"]),
                (BOTH, DIFFERENCE): ([(0.5, "I"), (-0.5, "i"), (0.5, "K"), (-0.5, "k")], ["Ii", "Kk"]),
            },
        ),
        (
            "common_cosine",
            {
                (BOTH, RESPONDER): ([(1.0, "IK")], ["SIK"]),
                (BOTH, DIFFERENCE): ([(1.0, "IK"), (-1.0, "ik")], ["Ii", "Kk"]),
            },
        ),
        (
            "aggravation_share",
            {
                ("imipramine", NON_RESPONDER): ([(1.0, "i")], ["Si"]),
                ("ketamine", NON_RESPONDER): ([(1.0, "k")], ["Sk"]),
            },
        ),
        (
            "response_degs",
            {
                ("imipramine", TWO_ARMS): ([(1.0, "Ii")], ["Ii"]),
                ("ketamine", TWO_ARMS): ([(1.0, "Kk")], ["Kk"]),
                (BOTH, TWO_ARMS): ([(0.5, "Ii"), (0.5, "Kk")], ["Ii", "Kk"]),
            },
        ),
        (
            "drug_only_degs",
            {
                ("imipramine", RESPONDER): ([(1.0, "IK")], ["IK"]),
                ("ketamine", RESPONDER): ([(1.0, "KI")], ["IK"]),
            },
        ),
        ("interaction_degs", {(BOTH, "drug x response"): ([(1.0, "IiKk")], ["Ii", "Kk"])}),
    ],
)
def test_every_row_compares_and_exchanges_the_groups_of_its_claim(study, statistic, expected):
    assert _terms(build_rows(study), statistic) == expected


def test_a_drug_without_non_responders_has_no_difference_in_common_with_the_other():
    labels = ["control", "susceptible", "imipramine responder", "imipramine non_responder", "ketamine responder"]
    rows = build_rows(Groups.of(labels * 2))
    assert set(_terms(rows, "common_cosine")) == {(BOTH, RESPONDER)}
    assert _terms(rows, "interaction_degs") == {}
    assert set(_terms(rows, "response_degs")) == {("imipramine", TWO_ARMS)}
    assert ("", "resilient - control") not in _terms(rows, "deg_count")


def test_design_values_follow_the_group_sizes(study):
    sizes = {name: study.size(name) for name in study.names}
    values = {
        (row.drug, row.arm): row.design_value(sizes)
        for row in build_rows(study)
        if row.statistic.name == "reversal_cosine"
    }
    assert values["ketamine", RESPONDER] == pytest.approx(0.559, abs=1e-3)
    assert values["ketamine", DIFFERENCE] == pytest.approx(0.0)
    assert values["imipramine", DIFFERENCE] == pytest.approx(0.559 - 0.5976, abs=1e-3)


def test_bounds_of_a_difference_are_twice_as_wide(study):
    rows = {(row.drug, row.arm): row for row in build_rows(study) if row.statistic.name == "reversal_share"}
    assert rows["ketamine", RESPONDER].bounds() == (0.0, 1.0)
    assert rows["imipramine+ketamine", DIFFERENCE].bounds() == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("statistic", "bounds"),
    [
        ("reversal_share", (0.0, 1.0)),
        ("reversal_cosine", (-1.0, 1.0)),
        ("response_degs", (0.0, math.inf)),
        ("reversal_xsum", (-math.inf, math.inf)),
    ],
)
def test_bounds_are_those_of_shares_correlations_counts_and_sums(study, statistic, bounds):
    row = next(row for row in build_rows(study) if row.statistic.name == statistic and len(row.terms) == 1)
    assert row.bounds() == bounds


def test_one_drug_and_no_resilient_animals_leave_fewer_rows():
    labels = ["control"] * 4 + ["susceptible"] * 3 + ["ketamine responder"] * 3
    rows = build_rows(Groups.of(labels))
    assert {row.statistic.claim for row in rows} == {"R2", "R4"}
    assert not any(row.arm == DIFFERENCE for row in rows)


def test_missing_groups_are_named():
    stress = build_rows(Groups.of(["control"] * 4 + ["susceptible"] * 3))
    assert {row.statistic.claim for row in stress} == {"R2"}
    with pytest.raises(ContrastError, match="control 4, ketamine responder 3"):
        build_rows(Groups.of(["control"] * 4 + ["ketamine responder"] * 3))
