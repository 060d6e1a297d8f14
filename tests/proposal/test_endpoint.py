from dataclasses import replace

import pytest

from responder_ml.errors import ProposalError
from responder_ml.proposal.cohort_files import open_files
from responder_ml.proposal.endpoint import choose_classes, name_others
from responder_ml.proposal.proposal import Answers, Proposal
from responder_ml.proposal.question import refuse


def _start(cohort):
    files = open_files(*cohort.write())
    return Proposal(files, columns={"sample": "sample_id", "subject": "animal"}), files.sheet


def test_samples_of_other_values_are_left_out(cohort):
    cohort.sheet["response"] = ["responder", "non_responder", "untested"] * 4
    proposal, sheet = _start(cohort)
    proposal, in_classes = choose_classes(
        proposal, sheet, ["response"], Answers(positive=("responder",), negative=("non_responder",)), refuse
    )
    assert in_classes.sum() == 8
    assert "'untested' are left out" in proposal.reasons["column"]


def test_a_column_of_one_value_in_these_rows_is_refused(cohort):
    proposal, sheet = _start(cohort)
    with pytest.raises(ProposalError, match="one value in these 6 samples"):
        choose_classes(proposal, sheet[::2].reset_index(drop=True), ["response"], Answers(column="response"), refuse)


def test_strata_hold_both_classes_and_are_no_nuisance(cohort):
    proposal, sheet = _start(cohort)
    proposal = replace(proposal, column="response", positive=("responder",), negative=("non_responder",))
    proposal = name_others(proposal, sheet, ["drug", "cage", "rin"], Answers(strata=("cage",)))
    assert (proposal.strata, proposal.nuisance) == (("cage",), ("rin",))
