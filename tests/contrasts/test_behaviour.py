import pandas as pd
import pytest

from responder_ml.contrasts.behaviour import response_lines
from responder_ml.contrasts.response_fraction import ResponseRule
from responder_ml.contrasts.study_regions import SheetWords
from responder_ml.exceptions import ContrastError

RULE = ResponseRule()


@pytest.fixture
def table():
    """Two samples of each of nine susceptible animals, and one that is resilient."""
    animals = pd.DataFrame(
        {
            "subject": [f"m{place}" for place in range(10)],
            "phenotype": ["susceptible"] * 9 + ["resilient"],
            "drug": ["saline"] * 3 + ["ketamine"] * 3 + ["imipramine"] * 3 + ["saline"],
            "si_post": [0.5, 0.9, 1.0, 1.2, 1.1, 0.4, 0.99, 0.5, 1.5, 2.0],
        }
    )
    return pd.concat([animals, animals], ignore_index=True)


def test_animals_count_once_and_only_susceptible_ones(table):
    lines = {each.drug: each for each in response_lines(table, "si_post", None, RULE, SheetWords())}
    assert lines["ketamine"].observed == pytest.approx(2 / 3)
    assert lines["imipramine"].observed == pytest.approx(1 / 3)
    # One of three on saline responds by itself, at exactly the cut-off.
    assert lines["ketamine"].expected_no_effect == pytest.approx(1 / 3)
    assert lines["imipramine"].n == {"imipramine": 3, "saline": 3}
    assert lines["imipramine+ketamine"].observed == pytest.approx(-1 / 3)


def test_what_a_table_must_have(table):
    with pytest.raises(ContrastError, match=r"need.* column\(s\) si_pre"):
        response_lines(table, "si_post", "si_pre", RULE, SheetWords())
    with pytest.raises(ContrastError, match="missing or infinite"):
        response_lines(table.assign(si_post="?"), "si_post", None, RULE, SheetWords())
    table.loc[0, "si_post"] = 0.6
    with pytest.raises(ContrastError, match="gives m0 two different"):
        response_lines(table, "si_post", None, RULE, SheetWords())
