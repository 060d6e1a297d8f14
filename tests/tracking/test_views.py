import json
import re

from responder_ml.tracking.items import Metric, Param, Tag
from responder_ml.tracking.run_records import candidate_records, job_record
from responder_ml.tracking.views import FIRST_VIEW, saved_views


def _columns(key):
    state = json.loads(json.loads(saved_views()[f"mlflow.sharedViewState.{key}"])["state"])
    return state, {tuple(re.fullmatch(r"(\w+)\.`(.+)`", column).groups()) for column in state["selectedColumns"]}


def _items_of(*records):
    kinds = {Metric: "metrics", Param: "params", Tag: "tags"}
    return {(kinds[type(item)], item.key) for record in records for item in record.items if type(item) in kinds}


def test_every_column_of_the_jobs_is_something_a_job_has(run, folder):
    state, columns = _columns(FIRST_VIEW)
    assert columns <= _items_of(job_record(run, folder))
    assert state["searchFilter"] == "params.candidate = 'auto'"
    assert state["orderByKey"] == "metrics.`auroc`"


def test_every_column_of_the_candidates_is_something_a_job_or_a_candidate_has(run, folder):
    _, columns = _columns("responder-ml-candidates")
    assert columns <= _items_of(job_record(run, folder), *candidate_records(run))
    assert {("metrics", "auroc"), ("params", "builder"), ("params", "classifier"), ("tags", "verdict")} <= columns


def test_every_column_is_wide_enough_for_its_name():
    for key in (FIRST_VIEW, "responder-ml-candidates"):
        state, _ = _columns(key)
        assert all(state["columnWidths"][column] > 7 * len(column.split("`")[1]) for column in state["selectedColumns"])


def test_a_view_fits_a_tag():
    assert all(len(view) < 5000 for view in saved_views().values())
