import numpy as np
import pytest

from responder_ml.errors import ProposalError
from responder_ml.proposal.cohort_files import open_files
from responder_ml.proposal.proposal import Answers
from responder_ml.proposal.propose import propose
from responder_ml.proposal.question import refuse


def _propose(cohort, ask=refuse, **answers):
    return propose(open_files(*cohort.write()), Answers(**answers), ask)


class Asker:
    """Answers by flag, and remembers what it was asked."""

    def __init__(self, **answers):
        self.answers, self.flags = answers, []

    def __call__(self, question):
        self.flags.append(question.flag)
        return self.answers.get(question.flag.removeprefix("--"), question.default)


def test_a_plain_cohort_needs_no_question_but_when_tissue_was_taken(cohort):
    asker = Asker(taken="after")
    proposal = _propose(cohort, asker)
    assert asker.flags == ["--taken"]
    assert proposal.columns == {"sample": "sample_id", "subject": "animal"}
    assert (proposal.column, proposal.positive, proposal.negative) == ("response", ("responder",), ("non_responder",))
    assert (proposal.strata, proposal.nuisance) == (("drug",), ("cage", "rin"))
    assert (proposal.units, proposal.taken, proposal.name) == ("counts", "after", "response")
    assert all(
        proposal.reasons[key]
        for key in ("sample", "subject", "column", "positive", "strata", "nuisance", "units", "taken")
    )


def test_answers_given_beforehand_are_not_asked_for(cohort):
    cohort.sheet["region"] = ["PFC", "NAc"] * 6
    cohort.sheet["response"] = ["responder", "responder", "non_responder", "non_responder"] * 3
    asker = Asker()
    proposal = _propose(cohort, asker, region="NAc", taken="before", subject="none", strata=(), nuisance=("rin",))
    assert asker.flags == []
    assert proposal.where == {"region": "NAc"}
    assert (proposal.strata, proposal.nuisance, proposal.taken) == ((), ("rin",), "before")
    assert "subject" not in proposal.columns


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"column": "respons"}, "no column 'respons'.*response"),
        ({"subject": "mouse"}, "no column 'mouse'"),
        ({"nuisance": ("batch",)}, "no column 'batch'"),
        ({"positive": ("Responder",)}, "no value 'Responder'"),
        ({"units": "rpkm"}, "no answer to --units"),
        ({"taken": "later"}, "no answer to --taken"),
        ({"region": "PFC"}, "no column of several regions"),
        ({"column": "sample_id", "positive": ("S01",), "negative": ("S77",)}, "no value 'S77'"),
    ],
)
def test_an_answer_that_is_none_is_refused(cohort, answers, message):
    with pytest.raises(ProposalError, match=message):
        _propose(cohort, **answers)


def test_three_classes_are_asked_for_one_by_one(cohort):
    cohort.sheet["response"] = ["CR", "PD", "SD"] * 4
    asker = Asker(positive="CR", negative="PD")
    proposal = _propose(cohort, asker)
    assert asker.flags == ["--positive", "--negative", "--taken"]
    assert (proposal.positive, proposal.negative) == (("CR",), ("PD",))
    assert "'SD' are left out" in proposal.reasons["column"]


def test_several_values_may_be_one_class(cohort):
    cohort.sheet["response"] = ["CR", "PR", "PD"] * 4
    proposal = _propose(cohort, positive=("CR", "PR"))
    assert (proposal.positive, proposal.negative) == (("CR", "PR"), ("PD",))


def test_of_several_candidates_none_is_taken_unasked(cohort):
    cohort.sheet["diagnosis"] = ["ill", "ill", "well"] * 4
    with pytest.raises(ProposalError, match=r"--column and one of:\n  response .*\n  diagnosis   ill 8, well 4"):
        _propose(cohort)


def test_regions_are_asked_for_and_other_names_for_them_mapped(cohort):
    cohort.sheet["brain area"] = ["PFC", "NAc"] * 6
    cohort.sheet["response"] = ["responder", "responder", "non_responder", "non_responder"] * 3
    proposal = _propose(cohort, Asker(region="PFC"))
    assert proposal.columns["region"] == "brain area"
    assert proposal.where == {"region": "PFC"}
    assert "brain area" not in proposal.nuisance


def test_a_matrix_of_one_region_needs_no_question_for_it(cohort):
    other = cohort.sheet.assign(sample_id=[f"T{index}" for index in range(12)], region="NAc")
    cohort.sheet = cohort.sheet.assign(region="NA")
    cohort.sheet = cohort.sheet._append(other, ignore_index=True)
    proposal = _propose(cohort)
    assert proposal.where == {"region": "NA"}
    assert "12 of 24" in proposal.reasons["sample"]


def test_repeated_names_that_may_be_subjects_are_asked_about(cohort):
    cohort.sheet = cohort.sheet.rename(columns={"animal": "key"}).assign(key=[f"k{index // 2}" for index in range(12)])
    cohort.sheet["response"] = ["responder", "responder", "non_responder", "non_responder"] * 3
    asker = Asker(subject="key")
    assert _propose(cohort, asker).columns["subject"] == "key"
    assert asker.flags == ["--subject", "--taken"]


def test_sex_is_found_under_other_names(cohort):
    cohort.sheet["Gender"] = ["male", "female", "female", "male"] * 3
    proposal = _propose(cohort)
    assert proposal.columns["sex"] == "Gender"
    assert "sex" in proposal.nuisance


def test_a_drug_in_which_one_class_is_missing_is_no_stratum(cohort):
    cohort.sheet["drug"] = ["ketamine", "saline"] * 6
    proposal = _propose(cohort)
    assert proposal.strata == ()
    assert "only one class occurs" in proposal.reasons["strata"]


def test_baseline_samples_are_noticed(cohort):
    cohort.sheet["visit"] = "T0"
    assert "at baseline" in _propose(cohort).reasons["taken"]


def test_units_that_values_do_not_tell_are_asked_for(cohort):
    cohort.counts = cohort.counts * 1.37 + 0.01
    asker = Asker(units="intensities")
    proposal = _propose(cohort, asker)
    assert asker.flags == ["--units", "--taken"]
    assert (proposal.units, proposal.intensities) == ("log2", True)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda cohort: cohort.sheet[["sample_id", "rin"]], "looks like two classes"),
        (lambda cohort: cohort.sheet.assign(response="responder", drug="k"), "looks like two classes"),
        (lambda cohort: cohort.sheet.assign(sample_id=[f"mouse{index}" for index in range(12)]), "holds the sample names"),
        (lambda cohort: cohort.sheet.assign(response=[f"2024-01-{index + 1:02d}" for index in range(12)], drug="k"), "two classes"),
    ],
)  # fmt: skip
def test_a_sheet_without_classes_or_names_is_refused_with_its_columns(cohort, spoil, message):
    cohort.sheet = spoil(cohort)
    with pytest.raises(ProposalError, match=message) as refusal:
        _propose(cohort)
    assert "sample_id:" in str(refusal.value)


def test_the_order_of_the_files_does_not_matter(cohort):
    expression, samples = cohort.write()
    proposal = propose(open_files(samples, expression), Answers(), refuse)
    assert proposal.files.expression == expression
    assert "other order" in proposal.files.notes[0]


def test_samples_in_rows_are_seen(cohort):
    cohort.counts = cohort.counts.T
    proposal = _propose(cohort)
    assert not proposal.genes_in_rows
    assert np.array_equal(sorted(proposal.files.grid.rows), cohort.samples)
