"""What the tests of a study have ahead of them, as costs in the unit of `responder_ml.forecast`."""

from collections.abc import Mapping
from operator import mul

from responder_ml.evaluation.joint_null import fixed_draws
from responder_ml.evaluation.permutation import EXACT_UP_TO
from responder_ml.evaluation.relabel import count_labellings
from responder_ml.forecast import KEPT, draw_cost
from responder_ml.progress import WorkPlan
from responder_ml.studies.jobs import RegionJob, StudyJob
from responder_ml.studies.transfers import transfer_pairs
from responder_ml.study_config import StudyConfig

JOINT_NULL_STAGE, TRANSFER_STAGE = "Null of all jobs", "Transfer"
"""Titles of the stages that follow the searches."""


def plan_study_tests(config: StudyConfig, jobs: Mapping[str, StudyJob], workers: int) -> WorkPlan:
    """Return the stages of a study that follow its searches: the null of all jobs, and the transfers between them.

    Transfers are tested from jobs that turn out to be evidence; what that may cost is told apart.

    Parameters
    ----------
    config
        The study.
    jobs
        Its jobs that are tested, by name.
    workers
        Processes that share the work.
    """
    null = config.base.null
    of_one_region = [job.prepared for job in jobs.values() if isinstance(job, RegionJob)]
    if not of_one_region:
        return WorkPlan({}, workers)
    exact_up_to = EXACT_UP_TO if null.permutations == "auto" else null.permutations
    counts = [count_labellings(job.labelled.labels, job.labelled.strata) for job in of_one_region]
    draws = [count if count <= exact_up_to else fixed_draws(null.permutations) for count in counts]
    of_draw = [job.feasible.plan.repeats * draw_cost(job.feasible.plan) for job in of_one_region]
    # A job of several regions fits those of each.
    null_cost = sum(map(mul, draws, of_draw)) * len(jobs) / len(of_one_region)
    transfers = sum(train != test for _, train, test in transfer_pairs(jobs)) if config.transfer.permutations else 0
    of_transfer = sum(of_draw) / len(of_draw)
    costs = {JOINT_NULL_STAGE: null_cost, TRANSFER_STAGE: transfers * (of_transfer + KEPT)}
    more = transfers * config.transfer.permutations * of_transfer
    return WorkPlan(costs, workers, more, "if many jobs are evidence, from which transfers are tested")
