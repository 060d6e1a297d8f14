"""From a cell of the grid to a contender: its rows, its search, and how it will be judged."""

from functools import partial
from typing import Any

from anndata import AnnData

from responder_ml.cohort.read import keep_rows
from responder_ml.evaluation.evidence import weigh_against
from responder_ml.evaluation.joint_relabelling import JobLabels
from responder_ml.evaluation.permutation import NullResult
from responder_ml.evaluation.procedure import Observed, Procedure
from responder_ml.evaluation.small_n import LEAST_TUNED
from responder_ml.exceptions import EndpointError
from responder_ml.experiment import Prepared, prepare
from responder_ml.features.normalise import log2_expression
from responder_ml.search.material import Material
from responder_ml.search.workers import Workers
from responder_ml.studies.contender import Contender, Judged, Refused
from responder_ml.study_config import Cell

CORRECTED = "corrected p"
"""What verdicts of a study call their p."""


def enter_job(cell: Cell, cohort: AnnData, workers: Workers) -> Contender | Refused:
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
    procedure = Procedure(Material.of(labelled), prepared.allowed.candidates, prepared.allowed.plan, workers)
    observed = procedure.observe(labelled.labels, cell.job.search.repeats)
    return Contender(
        cell=cell,
        subjects=JobLabels(labelled.subjects, labelled.labels, labelled.strata),
        auto=observed.auto,
        statistic=partial(procedure.statistics, repeats=prepared.null.repeats),
        judge=partial(_judge, cell, prepared, procedure, observed),
        simulated=bool(labelled.cohort.uns.get("simulated", False)),
        prepared=prepared,
    )


def _judge(cell: Cell, prepared: Prepared, procedure: Procedure, observed: Observed, null: NullResult) -> Judged:
    labelled = prepared.labelled
    log2 = log2_expression(labelled.expression, cell.job.cohort.units)
    evidence = weigh_against(null, procedure, observed, labelled, prepared.null, log2, lambda *_: None, p_is=CORRECTED)
    best = max(evidence.baselines, key=lambda each: each.auroc, default=None)
    facts: dict[str, Any] = {"within_batch_p": None if evidence.conditional is None else evidence.conditional.p_value}
    if best is not None:
        facts |= {
            "best_baseline": best.name,
            "gain": best.gain,
            "gain_low": best.gain_interval[0],
            "gain_high": best.gain_interval[1],
        }
    return Judged(evidence.verdict, facts)


def _refused(cell: Cell, rows: AnnData, problem: EndpointError) -> Refused:
    """Return a row for classes that are too small; a question that larger classes would not mend is the user's to mend."""
    endpoint, sheet = cell.job.endpoint, rows.obs
    words = sheet[endpoint.column].astype(str)
    positive, negative = (
        int(sheet["subject"][words == value].nunique()) for value in (endpoint.positive, endpoint.negative)
    )
    if min(positive, negative) >= LEAST_TUNED:
        raise problem
    return Refused(cell, positive, negative, str(problem))
