from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.endpoint import Endpoint
from responder_ml.cohort.graded_outcome import LOWER, UPPER, count_compared, find_cut, grade_cohort
from responder_ml.errors import EndpointError, SampleSheetError

ENDPOINT = Endpoint("ratio", UPPER, LOWER)


def _cohort(values, subjects=None):
    names = [f"s{index}" for index in range(len(values))]
    sheet = pd.DataFrame(
        {"sample": names, "subject": names if subjects is None else subjects, "ratio": values}, index=names
    )
    expression = np.random.default_rng(0).normal(size=(len(values), 30))
    genes = pd.DataFrame(index=[f"g{index}" for index in range(30)])
    return AnnData(X=expression, obs=sheet, var=genes, uns={"units": "log2"})


def test_each_subject_has_its_outcome_and_repeated_samples_are_one():
    subjects = ["a", "a", "b", "c", "d", "e", "f"]
    graded = grade_cohort(_cohort([1.5, 1.5, 0.2, 3.0, 2.0, 0.1, 0.9], subjects), ENDPOINT)
    assert dict(zip(graded.labelled.subjects, graded.outcome, strict=True)) == {
        "a": 1.5, "b": 0.2, "c": 3.0, "d": 2.0, "e": 0.1, "f": 0.9,
    }  # fmt: skip
    assert graded.cut == 1.5
    assert graded.labelled.labels.tolist() == [1, 0, 1, 1, 0, 0]
    assert graded.labelled.n_samples == 7
    assert "RML01" not in {finding.code for finding in graded.findings}


def test_who_has_no_outcome_is_left_out_and_told():
    graded = grade_cohort(_cohort(["0.1", "", "0.3", "NA", "0.5", "0.6", "0.7", "0.8"]), ENDPOINT)
    assert len(graded.outcome) == 6
    (excluded,) = graded.labelled.excluded
    assert excluded.samples == ("s1", "s3")
    assert "ratio is blank or missing" in excluded.reason


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (["low", "0.3", "0.5", "0.6", "0.7", "0.8"], SampleSheetError, "needs numbers in 'ratio', but it holds 'low'"),
        ([2.0] * 8, EndpointError, "one value only, 2"),
        ([np.nan] * 8, EndpointError, "no value"),
        ([1.0, 2.0, 3.0, 4.0, 5.0], EndpointError, "5 subjects have a value in 'ratio'"),
        # Ties everywhere but for two subjects.
        ([1.0] * 8 + [2.0, 3.0], EndpointError, "of whom 2 lie on one side of 2"),
        ([np.inf, *range(8)], EndpointError, "infinite"),
    ],
)
def test_what_no_graded_outcome_can_be(values, error, message):
    with pytest.raises(error, match=message):
        grade_cohort(_cohort(values), ENDPOINT)


def test_one_subject_has_one_outcome():
    with pytest.raises(EndpointError, match="several values"):
        grade_cohort(_cohort([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], ["a", "a", "b", "c", "d", "e", "f"]), ENDPOINT)


def test_six_subjects_are_enough():
    assert grade_cohort(_cohort([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), ENDPOINT).cut == 4.0


def test_the_cut_parts_values_most_evenly():
    assert find_cut("x", np.array([1.0, 1.0, 1.0, 2.0, 3.0])) == 2.0
    assert find_cut("x", np.array([1.0, 3.0, 3.0, 3.0, np.nan])) == 3.0


def _in_cages(cages, values=None):
    cohort = _cohort(np.arange(len(cages), dtype=float) if values is None else values)
    cohort.obs["cage"] = cages
    return cohort


def test_cages_are_strata_that_stay_together():
    graded = grade_cohort(_in_cages(["a"] * 3 + ["b"] * 3 + ["c"] * 3), replace(ENDPOINT, block="cage"))
    assert graded.labelled.block_of.tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert graded.labelled.strata.tolist() == graded.labelled.block_of.tolist()
    assert graded.labelled.endpoint.strata == ("cage",)
    named = grade_cohort(_in_cages(["a"] * 4 + ["b"] * 4), replace(ENDPOINT, strata=("cage",), block="cage"))
    assert named.labelled.endpoint.strata == ("cage",)


def test_the_halves_of_a_cage_do_not_make_it_the_unit():
    """All of a cage may lie in one half: its outcomes still differ, and are exchanged."""
    graded = grade_cohort(_in_cages(["a"] * 5 + ["b"] * 5), replace(ENDPOINT, block="cage"))
    assert len(graded.outcome) == 10
    assert graded.labelled.labels.tolist() == [0] * 5 + [1] * 5
    assert count_compared(graded.outcome, graded.labelled.block_of) == 2


@pytest.mark.parametrize(
    ("cages", "values", "error", "message"),
    [
        (["a"] * 8, None, EndpointError, "differs within fewer than 2 of 'cage'"),
        (["a"] * 4 + ["b"] * 4, [1.0] * 4 + [2.0] * 4, EndpointError, r"cohort\.columns: {subject: cage}"),
        (["a"] * 7 + ["b"], None, EndpointError, "differs within fewer than 2"),
        (["a"] * 7 + [""], None, EndpointError, "is empty for 's7'"),
        (["a"] * 7 + [np.nan], None, EndpointError, "is empty for 's7'"),
    ],
)
def test_what_cages_of_graded_outcomes_cannot_be(cages, values, error, message):
    with pytest.raises(error, match=message):
        grade_cohort(_in_cages(cages, values), replace(ENDPOINT, block="cage"))


def test_a_subject_of_two_cages_and_a_column_that_is_not_there_are_refused():
    subjects = ["a", "a", *"bcdefgh"]
    cohort = _cohort([1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], subjects)
    cohort.obs["cage"] = ["x", "y", "x", "x", "x", "y", "y", "y", "y"]
    with pytest.raises(EndpointError, match="cage"):
        grade_cohort(cohort, replace(ENDPOINT, block="cage"))
    with pytest.raises(SampleSheetError, match="litter"):
        grade_cohort(cohort, replace(ENDPOINT, block="litter"))
