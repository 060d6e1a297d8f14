import pytest

from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.claim_tests import STATEMENTS
from responder_ml.contrasts.claim_words import describe_estimate, describe_full


def _line(statistic, observed, interval=None, **changes):
    values = {
        "claim": "R4", "region": "PFC", "drug": "ketamine", "arm": "responder", "expected_no_effect": 0.0, "null_sd": None,
        "p_value": 0.0123, "null": "t", "exact": True, "labellings": 0, "smallest_p": 0.0, "design_value": None, "hypothesis": "",
        "n": {"control": 5, "susceptible": 3}, "genes": None, "note": "",
    }  # fmt: skip
    return ClaimResult(statistic=statistic, observed=observed, interval=interval, **(values | changes))


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=lambda statement: statement.name)
def test_every_estimate_has_its_sentence(statement):
    words = describe_estimate(_line(statement.name, 0.25, (0.1, 0.5)))
    assert words.startswith("PFC: ")
    assert "25%" in words or "0.25" in words
    assert words.endswith("p = 0.012")


def test_a_negative_zero_is_zero_and_a_negative_share_keeps_its_sign():
    assert "0% of the stress change" in describe_estimate(_line("undone_share", -0.001))
    assert "-20% of the stress change" in describe_estimate(_line("undone_share", -0.2))


def test_a_size_out_of_reach_is_said():
    assert "sixteen times as many" in describe_full("R6c", _line("change_correlation", 0.1, power=0.1))
