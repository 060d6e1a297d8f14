import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, fisher_exact

from responder_ml.contrasts.response_fraction import (
    ResponseRule,
    newcombe_interval,
    responds,
    response_fractions,
    response_lines,
)
from responder_ml.contrasts.study_regions import SheetWords
from responder_ml.errors import ContrastError

PRE = np.array([0.5, 0.95, 0.2, 0.9])
POST = np.array([1.2, 1.0, 0.7, 0.99])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("post", [True, True, False, False]),
        ("delta", [True, False, True, False]),
        ("both", [True, False, False, False]),
    ],
)
def test_rules_by_hand(rule, expected):
    assert responds(POST, ResponseRule(rule, cut=1.0, delta=0.2), PRE).tolist() == expected


def test_a_rise_of_exactly_delta_counts():
    assert responds([0.75], ResponseRule("delta", delta=0.25), [0.5]).tolist() == [True]


def test_defaults_are_those_the_documentation_names():
    assert ResponseRule() == ResponseRule("post", 1.0, 0.2)


def test_shares_against_spontaneous_response():
    drug = ["saline"] * 10 + ["ketamine"] * 12 + ["imipramine"] * 8
    responder = [True] * 2 + [False] * 8 + [True] * 9 + [False] * 3 + [True] * 4 + [False] * 4
    imipramine, ketamine, gap = response_fractions(drug, responder)
    assert (ketamine.claim, ketamine.drug, ketamine.observed, ketamine.expected_no_effect) == (
        "R1",
        "ketamine",
        0.75,
        0.2,
    )
    assert ketamine.p_value == pytest.approx(fisher_exact([[9, 3], [2, 8]], alternative="greater")[1])
    assert ketamine.interval == pytest.approx((beta.ppf(0.025, 9, 4), beta.ppf(0.975, 10, 3)))
    assert imipramine.observed == 0.5
    assert gap.observed == pytest.approx(-0.25)
    assert gap.p_value == pytest.approx(fisher_exact([[4, 4], [9, 3]])[1])
    assert gap.interval[0] < -0.25 < gap.interval[1]
    assert (gap.expected_no_effect, gap.n) == (0.0, {"imipramine": 8, "ketamine": 12})


def test_newcombe_equals_his_published_example():
    """Newcombe (1998), table II, 56/70 against 48/80, method 10."""
    assert newcombe_interval((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_without_vehicle_nothing_is_claimed():
    share = response_fractions(["ketamine"] * 4, [True, True, False, False])[0]
    assert share.p_value is None
    assert share.expected_no_effect is None
    assert "spontaneous" in share.note


def test_refusals():
    for post, pre in (([1.0, np.inf], None), ([1.0, np.nan], [1.0, 1.0]), ([1.0, 1.0], [1.0, np.inf])):
        with pytest.raises(ContrastError, match="explored nothing"):
            responds(post, ResponseRule(), pre)
    with pytest.raises(ContrastError, match="before treatment"):
        responds([1.0], ResponseRule("delta"))
    with pytest.raises(ContrastError, match="treated animals"):
        response_fractions(["saline", "saline"], [True, False])


RULE = ResponseRule()


@pytest.fixture
def table():
    """Two samples of each of nine susceptible animals, and one that is resilient."""
    animals = pd.DataFrame(
        {
            "subject": [f"m{index}" for index in range(10)],
            "phenotype": ["susceptible"] * 9 + ["resilient"],
            "drug": ["saline"] * 3 + ["ketamine"] * 3 + ["imipramine"] * 3 + ["saline"],
            "si_post": [0.5, 0.9, 1.0, 1.2, 1.1, 0.4, 0.99, 0.5, 1.5, 2.0],
        }
    )
    return pd.concat([animals, animals], ignore_index=True)


def test_animals_count_once_and_only_susceptible_ones(table):
    lines = {line.drug: line for line in response_lines(table, "si_post", None, RULE, SheetWords())}
    assert lines["ketamine"].observed == pytest.approx(2 / 3)
    assert lines["imipramine"].observed == pytest.approx(1 / 3)
    # One of three on saline responds by itself, at exactly the cut-off.
    assert lines["ketamine"].expected_no_effect == pytest.approx(1 / 3)
    assert lines["imipramine"].n == {"imipramine": 3, "saline": 3}
    assert lines["imipramine+ketamine"].observed == pytest.approx(-1 / 3)


def test_the_ratio_before_treatment_is_that_of_its_own_column(table):
    table = table.assign(si_pre=table["si_post"] - np.where(table["drug"] == "ketamine", 0.3, 0.1))
    lines = response_lines(table, "si_post", "si_pre", ResponseRule("delta", delta=0.2), SheetWords())
    shares = {line.drug: (line.observed, line.labellings) for line in lines if line.statistic == "response_fraction"}
    assert shares == {"imipramine": (0.0, 0), "ketamine": (1.0, 0)}


def test_what_a_table_must_have(table):
    with pytest.raises(ContrastError, match=r"need.* column\(s\) si_pre"):
        response_lines(table, "si_post", "si_pre", RULE, SheetWords())
    with pytest.raises(ContrastError, match="missing or infinite"):
        response_lines(table.assign(si_post="?"), "si_post", None, RULE, SheetWords())
    table.loc[0, "si_post"] = 0.6
    with pytest.raises(ContrastError, match="gives m0 two different"):
        response_lines(table, "si_post", None, RULE, SheetWords())
