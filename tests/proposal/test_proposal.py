import pytest

from responder_ml.proposal.proposal import Proposal


@pytest.mark.parametrize(
    ("where", "column", "name"),
    [
        ({}, "response", "response"),
        ({"region": "PFC"}, "response", "PFC-response"),
        ({"region": "Cg25 (ant.)"}, "R/NR", "Cg25_ant._-R_NR"),
        ({}, "反応", "job"),
    ],
)
def test_a_name_is_made_of_region_and_column_in_plain_letters(where, column, name):
    assert Proposal(None, where=where, column=column).name == name


def test_a_mapped_column_is_called_by_its_canonical_name():
    proposal = Proposal(None, columns={"sample": "id", "sex": "Gender"})
    assert proposal.canonical("Gender") == "sex"
    assert proposal.canonical("id") == "id"
