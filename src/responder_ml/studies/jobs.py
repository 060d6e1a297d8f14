"""From a cell of the grid to a contender: its rows, its search, and how it will be judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from anndata import AnnData

from responder_ml.cohort.read import keep_rows
from responder_ml.errors import EndpointError
from responder_ml.evaluation.evidence import assess_given_null
from responder_ml.evaluation.joint_null import JobLabels
from responder_ml.evaluation.metrics import OutOfFold
from responder_ml.evaluation.permutation import NullResult, Statistic
from responder_ml.evaluation.procedure import Observed, Procedure
from responder_ml.evaluation.small_n import LEAST_TUNED
from responder_ml.evaluation.verdict import Verdict
from responder_ml.features.normalise import log2_expression
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.study_config import Cell
from responder_ml.train import Prepared, prepare


@dataclass(frozen=True)
class JobVerdict:
    """A verdict, and what beside the null it rests on, as columns of the table of jobs."""

    verdict: Verdict
    facts: dict[str, Any]


@dataclass(frozen=True)
class StudyJob:
    """A job, or a fusion of several regions, after its search and before its null.

    Attributes
    ----------
    cell
        Its place in the grid.
    subjects
        Names, labels and strata.
    auto
        Its out-of-fold decisions.
    statistic
        Its procedure as a function of labellings.
    judge
        From its null, with corrected p, to its verdict.
    simulated
        Whether its data are.
    prepared
        Its data and what their size allows; None for a fusion.
    """

    cell: Cell
    subjects: JobLabels
    auto: OutOfFold
    statistic: Statistic
    judge: Callable[[NullResult], JobVerdict]
    simulated: bool
    prepared: Prepared | None = None


@dataclass(frozen=True)
class RefusedJob:
    """A job with too few subjects to be asked at all.

    Attributes
    ----------
    cell
        Its place in the grid.
    n_positive, n_negative
        Subjects of each class.
    reason
        One sentence.
    """

    cell: Cell
    n_positive: int
    n_negative: int
    reason: str


def tested(entered: Sequence[StudyJob | RefusedJob]) -> dict[str, StudyJob]:
    """Return the jobs that can be tested, by name.

    Raises
    ------
    EndpointError
        None can.
    """
    found = {each.cell.key: each for each in entered if isinstance(each, StudyJob)}
    reasons = [each.reason for each in entered if isinstance(each, RefusedJob)]
    if not found:
        raise EndpointError(f"There is no job of the grid that can be asked. The first of {len(reasons)}: {reasons[0]}")
    return found


CORRECTED = "corrected p"
"""What verdicts of a study call their p."""


def enter_job(cell: Cell, cohort: AnnData, workers: Workers) -> StudyJob | RefusedJob:
    """Search one job of the grid.

    Parameters
    ----------
    cell
        The job and its place.
    cohort
        The study's cohort, all rows.
    workers
        Where units of work run.

    Raises
    ------
    ResponderError
        Anything the user can mend, except classes that are too small: these are part of the answer.
    """
    rows = keep_rows(cohort, cell.job.cohort.where)
    try:
        prepared = prepare(cell.job, rows)
    except EndpointError as problem:
        return _refused(cell, rows, problem)
    labelled = prepared.labelled
    procedure = Procedure(SearchData.of(labelled), prepared.allowed.candidates, prepared.allowed.plan, workers)
    observed = procedure.observe(labelled.labels, cell.job.search.repeats)
    return StudyJob(
        cell=cell,
        subjects=JobLabels(labelled.subjects, labelled.labels, labelled.strata),
        auto=observed.auto,
        statistic=partial(procedure.statistics, repeats=prepared.null.repeats),
        judge=partial(_judge, cell, prepared, procedure, observed),
        simulated=bool(labelled.cohort.uns.get("simulated", False)),
        prepared=prepared,
    )


def _judge(cell: Cell, prepared: Prepared, procedure: Procedure, observed: Observed, null: NullResult) -> JobVerdict:
    labelled = prepared.labelled
    log2 = log2_expression(labelled.expression, cell.job.cohort.units)
    evidence = assess_given_null(
        null, procedure, observed, labelled, prepared.null, log2, lambda *_: None, p_is=CORRECTED
    )
    best = max(evidence.baselines, key=lambda each: each.auroc, default=None)
    facts: dict[str, Any] = {"within_batch_p": None if evidence.conditional is None else evidence.conditional.p_value}
    if best is not None:
        facts |= {
            "best_baseline": best.name,
            "gain": best.gain,
            "gain_low": best.gain_interval[0],
            "gain_high": best.gain_interval[1],
        }
    return JobVerdict(evidence.verdict, facts)


def _refused(cell: Cell, rows: AnnData, problem: EndpointError) -> RefusedJob:
    """Return a row for classes that are too small; a question that larger classes would not mend is the user's to mend."""
    endpoint, sheet = cell.job.endpoint, rows.obs
    words = sheet[endpoint.column].astype(str)
    positive, negative = (
        int(sheet["subject"][words == value].nunique()) for value in (endpoint.positive, endpoint.negative)
    )
    if min(positive, negative) >= LEAST_TUNED:
        raise problem
    return RefusedJob(cell, positive, negative, str(problem))
