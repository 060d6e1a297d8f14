"""Runs of one job under several seeds: which belong together, and what is said of them."""

import math

import pytest

from responder_ml.records.run import Run
from responder_ml.records.seed_groups import describe_groups, group_by_seed

CONFIG = {
    "name": "a",
    "cohort": {"source": "table"},
    "builders": [{"kind": "genes"}],
    "null": {"alpha": 0.05},
    "seed": 7,
}


@pytest.fixture
def make(make_result):
    def make_run(seed=7, auroc=0.7, p=0.02, level="evidence", data="0", config=None):
        result = make_result(
            headline={"auroc": auroc}, null=None if p is None else {"p_value": p}, seed=seed, data_sha256=data,
            verdict={"level": level, "sentence": "."},
        )  # fmt: skip
        return Run(result, {}, {**CONFIG, "seed": seed, **(config or {})})

    return make_run


def test_seeds_of_one_job_are_one_group_with_the_range_of_their_results(make):
    runs = {"a": make(1, 0.6, 0.2, "no_evidence"), "b": make(2, 0.8, 0.01), "c": make(3, 0.7, 0.03)}
    (row,) = group_by_seed(runs).to_dict("records")
    assert row["runs"] == ("a", "b", "c")
    assert row["seeds"] == "1; 2; 3"
    assert (row["auroc_low"], row["auroc_high"], row["p_low"], row["p_high"]) == (0.6, 0.8, 0.01, 0.2)
    assert row["auroc_sd"] == pytest.approx(0.1)
    assert row["verdicts"] == "evidence (2), no evidence (1)"
    (sentence,) = describe_groups(group_by_seed(runs))
    assert "AUROC 0.60 to 0.80, p 0.01 to 0.2. Their verdicts differ: evidence (2), no evidence (1)." in sentence


def test_verdicts_that_agree_are_said_to(make):
    (sentence,) = describe_groups(group_by_seed({"a": make(1, level="no_evidence"), "b": make(2, level="no_evidence")}))
    assert sentence.endswith("All have the same verdict: no evidence.")


@pytest.mark.parametrize(
    "other",
    [
        {"data": "1"},
        {"config": {"builders": [{"kind": "pairs"}]}},
        {"config": {"null": {"alpha": 0.1}}},
        {"seed": 7},
    ],
)
def test_other_data_settings_or_levels_and_one_seed_alone_are_no_group(make, other):
    assert group_by_seed({"a": make(7), "b": make(**{"seed": 8, **other})}).empty


def test_names_paths_and_workers_do_not_part_a_group(make):
    other = {"name": "b", "cohort": {"source": "h5ad"}, "compute": {"workers": 2}}
    assert len(group_by_seed({"a": make(7), "b": make(8, config=other)})) == 1


def test_runs_without_a_null_or_an_auroc_do_not_fail(make):
    runs = {"a": make(1, None, None, "not_tested"), "b": make(2, 0.7, None, "not_tested")}
    (row,) = group_by_seed(runs).to_dict("records")
    assert math.isnan(row["p_low"])
    assert describe_groups(group_by_seed(runs))
    assert group_by_seed({}).empty
