"""Whether a column of numbers holds categories or measurements."""

import numpy as np
import pandas as pd
import pytest

from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.nuisance_kind import MISSING, as_kind, infer_kind
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.errors import SampleSheetError
from responder_ml.evaluation.conditional import nuisance_of

PAIRS = [index // 2 for index in range(16)]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("cage", PAIRS, "category"),
        ("plate_number", [3, 9, 14, 27] * 4, "category"),
        ("run_date", [20230103, 20230106] * 8, "category"),
        ("run_date", [44927, 44930, 44999, 45001, 45003, 45010, 45020, 45031] * 2, "category"),
        ("seen", [20230103 + index // 2 for index in range(16)], "category"),
        ("x", [index + 1 for index in PAIRS], "category"),
        ("batch", ["b1", "b2"] * 8, "category"),
        ("batch", [True, False] * 8, "category"),
        ("age", [8, 9, 10, 11] * 4, "measurement"),
        ("Age_at_death", ["47", "", "41", "NA", "38", "66", "71", "52"] * 2, "measurement"),
        ("RIN", [6.5, 7, 8, 8.1] * 4, "measurement"),
        ("rin", ["6,5", "7,0", "8,1", "8,2"] * 4, "measurement"),
        ("litter_size", [4, 6, 7, 9, 11, 12, 5, 8] * 2, "measurement"),
        ("days_in_cage", list(range(16)), "measurement"),
        ("reads_per_lane", [10**6 + index for index in range(16)], "measurement"),
        ("x", np.linspace(0, 1, 16), "measurement"),
        ("x", [3, 5, 8, 9, 11, 15, 17, 20, 22, 25, 28, 30, 31, 33, 35, 40], "measurement"),
    ],
)
def test_kinds_by_name_and_values(name, values, kind):
    assert infer_kind(name, pd.Series(values)).kind == kind


def test_categories_are_text_and_blank_cells_one_of_them():
    assert as_kind(pd.Series([1.0, np.nan, 2.0]), "category").tolist() == ["1", MISSING, "2"]
    assert as_kind(pd.Series(["a", "NA", ""]), "category").tolist() == ["a", MISSING, MISSING]
    np.testing.assert_array_equal(as_kind(pd.Series(["6,5", "", "7"]), "measurement"), [6.5, np.nan, 7.0])
    with pytest.raises(SampleSheetError, match="'young'"):
        as_kind(pd.Series(["young", "8"], name="age"), "measurement")


def _labelled(values, **kinds):
    cohort = simulate_cohort(seed=7, n_genes=300, regions=["PFC"])
    names = cohort.obs.index[cohort.obs["response"].isin(["responder", "non_responder"])]
    cohort.obs["cage"] = pd.Series(dict(zip(names, values, strict=True)))
    return label_cohort(cohort, Endpoint("response", "responder", "non_responder", nuisance=("cage",), kinds=kinds))


def test_numbered_cages_are_the_cells_that_named_ones_are():
    numbers = [index // 2 + 1 for index in range(13)]
    by_number, by_name = nuisance_of(_labelled(numbers)), nuisance_of(_labelled([f"c{number}" for number in numbers]))
    np.testing.assert_array_equal(by_number.cells, by_name.cells)
    np.testing.assert_array_equal(by_number.columns, by_name.columns)


def test_a_declared_kind_is_taken_however_few_values_there_are():
    nuisance = nuisance_of(_labelled([1, 2] * 6 + [1], cage="measurement"))
    assert len(np.unique(nuisance.cells)) == 1
    assert nuisance.measured.shape[1] == 2


def test_a_column_that_is_blank_throughout_is_refused():
    with pytest.raises(SampleSheetError, match="'cage' is blank for all 13 samples"):
        _labelled([np.nan] * 13)
