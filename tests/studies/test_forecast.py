"""What the tests of a study are expected to cost, from its jobs alone."""

from types import SimpleNamespace

import numpy as np
import pytest

from responder_ml.evaluation.joint_null import JobLabels
from responder_ml.forecast import KEPT
from responder_ml.search.draw import SearchPlan
from responder_ml.studies.forecast import JOINT_NULL_STAGE, TRANSFER_STAGE, plan_study_tests
from responder_ml.studies.jobs import RegionJob, StudyJob
from responder_ml.study_config import PlannedJob

PLAN = SearchPlan(folds=4, repeats=3, inner_folds=3, trials=0, seed=7)


def _job(region, sizes, kind=RegionJob):
    labels = np.repeat([1, 0], sizes).astype(np.int8)
    config = SimpleNamespace(endpoint=SimpleNamespace(pairs=None, block=None, adjust=()))
    planned = PlannedJob(region, "response", "all", config=config)
    labelled = SimpleNamespace(labels=labels, strata=np.zeros(len(labels), dtype=int))
    prepared = SimpleNamespace(labelled=labelled, feasible=SimpleNamespace(plan=PLAN))
    subjects = JobLabels(tuple(map(str, range(len(labels)))), labels=labels, strata=labelled.strata)
    extra = {"prepared": prepared} if kind is RegionJob else {}
    return kind(planned, subjects, auto=None, statistic=None, assess=None, simulated=True, **extra)


def _study(transfers):
    null = SimpleNamespace(permutations="auto")
    return SimpleNamespace(base=SimpleNamespace(null=null), transfer=SimpleNamespace(permutations=transfers))


def test_jobs_with_few_labellings_cost_all_of_them_and_others_the_joint_draws():
    jobs = {"few": _job("PFC", (4, 4)), "many": _job("NAc", (20, 20))}
    plan = plan_study_tests(_study(0), jobs, 2)
    assert plan.costs == {JOINT_NULL_STAGE: pytest.approx(3 * (70 + 999)), TRANSFER_STAGE: 0}
    assert plan.more == 0


def test_every_transfer_costs_one_training_and_its_relabellings_only_where_there_is_evidence():
    plan = plan_study_tests(_study(199), {"a": _job("PFC", (4, 4)), "b": _job("NAc", (4, 4))}, 2)
    assert plan.costs[TRANSFER_STAGE] == pytest.approx(2 * (3 + KEPT))
    assert plan.more == pytest.approx(2 * 199 * 3)


def test_a_fusion_costs_what_a_region_does():
    jobs = {"a": _job("PFC", (4, 4)), "fused": _job("late fusion", (4, 4), kind=StudyJob)}
    assert plan_study_tests(_study(0), jobs, 1).costs[JOINT_NULL_STAGE] == pytest.approx(2 * 3 * 70)


def test_no_job_of_one_region_is_no_forecast():
    assert plan_study_tests(_study(0), {"fused": _job("late fusion", (4, 4), kind=StudyJob)}, 1).costs == {}
