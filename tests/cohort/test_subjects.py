"""The subject as the unit."""

import pandas as pd
import pytest

from responder_ml.cohort.subjects import in_two_cohorts, require_one_value, spelt_alike
from responder_ml.errors import EndpointError


def test_subjects_with_two_values_are_named_and_blank_cells_do_not_count():
    sheet = pd.DataFrame({"subject": ["a", "a", "b", "b"], "sex": ["F", "M", "F", ""]})
    with pytest.raises(EndpointError, match=r"^a \(F, M\) have several values of the column 'sex'"):
        require_one_value(sheet, sheet["subject"], "sex", "column", "or rename it")
    require_one_value(sheet[2:], sheet["subject"][2:], "sex", "column", "or rename it")


@pytest.mark.parametrize("other", ["M01", "m-01", "m 01", "m1", "\u043c01"])
def test_names_that_differ_in_how_they_are_written_are_one_group(other):
    assert spelt_alike(["m01", "m02", other]) == [tuple(sorted(("m01", other)))]


def test_numbers_written_by_a_program_are_those_of_the_sheet_and_others_are_not():
    assert spelt_alike(["14", "14.0", "140", "1-4"]) == [("14", "14.0")]


def test_numbers_used_again_in_another_cohort_are_named():
    sheet = pd.DataFrame({"subject": ["1", "1", "2"], "cohort": ["A", "B", "B"]})
    assert in_two_cohorts(sheet) == {"cohort": ["1"]}
