import pandas as pd
import pytest

from responder_ml.records.run import Run
from responder_ml.report.cohort import groups, measurements

ENDPOINT = {"column": "response", "positive": "yes", "negative": "no", "strata": ["drug"], "nuisance": ["batch", "rin"]}


@pytest.fixture
def run_of(make_result):
    return lambda sheet: Run(make_result(endpoint=ENDPOINT), {"samples": pd.DataFrame(sheet)}, {})


def test_subjects_are_counted_once_however_many_samples_they_have(run_of):
    run = run_of(
        {
            "sample": ["a1", "a2", "b1", "c1"],
            "subject": ["a", "a", "b", "c"],
            "response": ["yes", "yes", "no", "no"],
            "drug": ["k", "k", "k", "i"],
            "batch": [1, 1, 2, 2],
        }
    )
    assert groups(run) == [
        {"name": "drug", "rows": [("i", 0, 1), ("k", 1, 1)]},
        {"name": "batch", "rows": [("1", 1, 0), ("2", 0, 2)]},
    ]


def test_measurements_are_summarised_by_class(run_of):
    n = 12
    run = run_of(
        {
            "sample": range(n),
            "subject": range(n),
            "response": ["yes"] * 6 + ["no"] * 6,
            "drug": ["k"] * n,
            "batch": ["x"] * n,
            "rin": [*range(1, 7), *range(11, 17)],
        }
    )
    assert measurements(run) == [{"name": "rin", "classes": [(3.5, 1, 6), (13.5, 11, 16)]}]
    assert [group["name"] for group in groups(run)] == ["drug", "batch"]


def test_a_missing_value_is_a_group_of_its_own(run_of):
    run = run_of({"sample": ["a", "b"], "subject": ["a", "b"], "response": ["yes", "no"], "batch": [None, 2.0]})
    assert groups(run) == [{"name": "batch", "rows": [("2", 0, 1), ("not given", 1, 0)]}]


def test_without_a_sheet_there_are_no_groups(make_result):
    assert groups(Run(make_result(endpoint=ENDPOINT), {}, {})) == []


def test_findings_are_listed_worst_first(built):
    section = built("typical_run").section("cohort")
    assert section.index("RML01") < section.index("RML04")
