import math

import pytest

from responder_ml.contrasts.founding_claims import CLAIMS, DIFFERENCE, build_rows
from responder_ml.contrasts.groups import RESPONDER, Groups
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
    with pytest.raises(ContrastError, match="control 4, ketamine responder 3"):
        build_rows(Groups.of(["control"] * 4 + ["ketamine responder"] * 3))
