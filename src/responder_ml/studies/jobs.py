"""From a planned job of the grid to a searched one: its data, its decisions, and how its verdict is reached."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from anndata import AnnData

from responder_ml.build import PreparedJob, build_endpoint, prepare_job
from responder_ml.cohort.audit import require_accepted
from responder_ml.cohort.class_values import class_names
from responder_ml.cohort.read import keep_rows
from responder_ml.errors import EndpointError
from responder_ml.evaluation.evidence import assess_given_null
from responder_ml.evaluation.joint_null import JobLabels
from responder_ml.evaluation.metrics import OutOfFold
from responder_ml.evaluation.permutation import NullResult, Statistic
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.evaluation.small_n import LEAST_OF_ANY_FORM
from responder_ml.evaluation.verdict import Verdict
from responder_ml.features.normalise import log2_expression
from responder_ml.progress import OnProgress, Progress
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.study_config import PlannedJob

CORRECTED = "corrected p"
"""What verdicts of a study call their p."""


@dataclass(frozen=True)
class JobVerdict:
    """A verdict, and what it rests on beside the null, as columns of the table of jobs."""

    verdict: Verdict
    facts: dict[str, Any]


@dataclass(frozen=True)
class StudyJob:
    """A job, or a fusion of several regions, after its search and before its null.

    Attributes
    ----------
    planned
        The job as planned.
    subjects
        Names, labels and strata.
    auto
        Its out-of-fold decisions.
    statistic
        Its procedure as a function of labellings.
    assess
        From its null, with corrected p, to its verdict.
    simulated
        Whether its data are simulated.
    """

    planned: PlannedJob
    subjects: JobLabels
    auto: OutOfFold
    statistic: Statistic
    assess: Callable[[NullResult], JobVerdict]
    simulated: bool


@dataclass(frozen=True)
class RegionJob(StudyJob):
    """A job of one region, whose models can be transferred.

    Attributes
    ----------
    prepared
        Its data and the plan their size allows.
    """

    prepared: PreparedJob


@dataclass(frozen=True)
class RefusedJob:
    """A job with too few subjects to be tested.

    Attributes
    ----------
    planned
        The job as planned.
    n_positive, n_negative
        Subjects of each class.
    reason
        One sentence.
    """

    planned: PlannedJob
    n_positive: int
    n_negative: int
    reason: str


def search_jobs(
    planned_jobs: Sequence[PlannedJob], cohort: AnnData, workers: Workers, on_progress: OnProgress
) -> list[StudyJob | RefusedJob]:
    """Search every job of the grid, in its order.

    Parameters
    ----------
    planned_jobs
        The jobs.
    cohort
        The study's cohort, all rows.
    workers
        Where units of work run.
    on_progress
        Called after each job.

    Raises
    ------
    ResponderError
        Anything the user can correct, except classes that are too small: such a job is refused, which is part of the result.
    """
    jobs: list[StudyJob | RefusedJob] = []
    for planned in planned_jobs:
        jobs.append(search_job(planned, cohort, workers))
        on_progress(len(jobs), len(planned_jobs), planned.name)
    return jobs


def search_job(planned: PlannedJob, cohort: AnnData, workers: Workers) -> RegionJob | RefusedJob:
    """Search one job of the grid; parameters and errors as for `search_jobs`."""
    config = planned.config
    rows = keep_rows(cohort, config.cohort.where)
    try:
        prepared = prepare_job(config, rows)
    except EndpointError as problem:
        return _refuse(planned, rows, problem)
    require_accepted(prepared.findings, config.accept)
    labelled = prepared.labelled
    procedure = Procedure(SearchData.of(labelled), prepared.feasible.candidates, prepared.feasible.plan, workers)
    observed = procedure.observe(labelled.labels)
    return RegionJob(
        planned=planned,
        subjects=JobLabels(labelled.subjects, labelled.labels, labelled.strata),
        auto=observed.auto,
        statistic=procedure.statistics,
        assess=partial(_assess, planned, prepared, procedure, observed),
        simulated=bool(labelled.cohort.uns.get("simulated", False)),
        prepared=prepared,
    )


def jobs_to_test(jobs: Sequence[StudyJob | RefusedJob]) -> dict[str, StudyJob]:
    """Return the jobs that can be tested, by name.

    Raises
    ------
    EndpointError
        None can.
    """
    testable = {job.planned.name: job for job in jobs if isinstance(job, StudyJob)}
    reasons = [job.reason for job in jobs if isinstance(job, RefusedJob)]
    if not testable:
        raise EndpointError(f"No job of the grid can be tested. The first of {len(reasons)}: {reasons[0]}")
    return testable


def _assess(
    planned: PlannedJob, prepared: PreparedJob, procedure: Procedure, observed: ObservedResult, null: NullResult
) -> JobVerdict:
    labelled = prepared.labelled
    log2 = log2_expression(labelled.expression, str(labelled.cohort.uns["units"]))
    evidence = assess_given_null(
        null, procedure, observed, labelled, prepared.null_plan, log2, Progress(), p_name=CORRECTED
    )
    best = max(evidence.baselines, key=lambda baseline: baseline.auroc, default=None)
    facts: dict[str, Any] = {"within_batch_p": None if evidence.conditional is None else evidence.conditional.p_value}
    if best is not None:
        facts |= {
            "best_baseline": best.name,
            "gain": best.gain,
            "gain_low": best.gain_interval[0],
            "gain_high": best.gain_interval[1],
        }
    return JobVerdict(evidence.verdict, facts)


def _refuse(planned: PlannedJob, rows: AnnData, problem: EndpointError) -> RefusedJob:
    """Refuse a job whose classes are too small; raise a problem that larger classes would not solve."""
    endpoint, sheet = build_endpoint(planned.config.endpoint), rows.obs
    classes = class_names(sheet[endpoint.column], *endpoint.class_words)
    positive, negative = (
        int(sheet["subject"][classes == " or ".join(words)].nunique()) for words in endpoint.class_words
    )
    if min(positive, negative) >= LEAST_OF_ANY_FORM:
        raise problem
    return RefusedJob(planned, positive, negative, str(problem))
