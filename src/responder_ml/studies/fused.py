"""Fusion of a column's regions as contenders of their own, and how they compare with the best single region."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from anndata import AnnData

from responder_ml.build import build_candidates, build_endpoint
from responder_ml.cohort.endpoint import label_cohort
from responder_ml.cohort.sample_sheet import Where, rows_where
from responder_ml.errors import ConfigError, EndpointError
from responder_ml.evaluation.intervals import compare_pairs
from responder_ml.evaluation.joint_null import JobLabels
from responder_ml.evaluation.metrics import OutOfFold, auroc, fold_aurocs
from responder_ml.evaluation.permutation import NullResult
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.small_n import LEAST_TUNED, fit_plan_to_n
from responder_ml.evaluation.verdict import NullSummary, conclude
from responder_ml.features.builders.context import Context
from responder_ml.fusion.late import LateFusion
from responder_ml.fusion.region_blocks import RegionBlocks
from responder_ml.fusion.regions import Regions
from responder_ml.progress import OnProgress
from responder_ml.search.candidate import Candidate
from responder_ml.search.nested import SearchPlan
from responder_ml.search.search_data import context_of
from responder_ml.search.workers import Workers
from responder_ml.studies.jobs import CORRECTED, JobVerdict, RefusedJob, StudyJob
from responder_ml.study_config import Cell, StudyConfig

SINGLE = "best single region"


@dataclass(frozen=True)
class FusedColumn:
    """Fusion of one question's regions.

    Attributes
    ----------
    entered
        One contender per kind of fusion, or the reason why there is none.
    comparisons
        Rows of the table ``fusion``.
    notes
        Who lacks which region, and the weights of late fusion; None where refused.
    """

    entered: list[StudyJob | RefusedJob]
    comparisons: list[dict[str, Any]]
    notes: dict[str, Any] | None


def fuse_columns(
    config: StudyConfig, cells: Sequence[Cell], cohort: AnnData, workers: Workers, on_progress: OnProgress
) -> list[FusedColumn]:
    """Fuse the regions of every question of a study that asks for it.

    Parameters
    ----------
    config, cells, cohort
        The study, its jobs and its rows.
    workers
        Where units of work run.
    on_progress
        Told about progress.
    """
    if not config.fusion:
        return []
    columns: dict[str, list[Cell]] = {}
    for cell in cells:
        columns.setdefault(cell.column, []).append(cell)
    found = []
    for name, of_column in columns.items():
        found.append(fuse_column(of_column, config.grid.regions, config.fusion, cohort, workers))
        on_progress(len(found), len(columns), name)
    return found


def fuse_column(
    cells: Sequence[Cell], places: Mapping[str, Where], kinds: Sequence[str], cohort: AnnData, workers: Workers
) -> FusedColumn:
    """Fuse the regions of one question.

    Parameters
    ----------
    cells
        The question's jobs, one per region.
    places
        Which rows each region has.
    kinds
        ``late``, ``early`` or both.
    cohort
        The study's cohort, all rows.
    workers
        Where units of work run.

    Raises
    ------
    ResponderError
        Anything the user can mend, except classes that are too small.
    """
    job = cells[0].job
    if job.search.trials < 1:
        raise ConfigError("Fusion weighs regions on inner folds, which need `search.trials` of 1 or more.")
    rows = np.any([rows_where(cohort.obs, cell.job.cohort.where) for cell in cells], axis=0)
    labelled = label_cohort(cohort[rows].copy(), build_endpoint(job.endpoint))
    positive = int(labelled.labels.sum())
    negative = len(labelled.labels) - positive
    places_of = {f"{kind} fusion": replace(cells[0], region=f"{kind} fusion") for kind in kinds}
    try:
        if min(positive, negative) < LEAST_TUNED:
            raise EndpointError(
                f"There are {positive} positive and {negative} negative subjects, but fusion weighs regions on inner folds and "
                f"needs at least {LEAST_TUNED} of each. Add animals, or do without fusion."
            )
        regions = Regions.of(labelled, places)
    except EndpointError as problem:
        return FusedColumn(
            [RefusedJob(cell, positive, negative, str(problem)) for cell in places_of.values()], [], None
        )
    plan = SearchPlan(job.search.folds, job.search.inner_folds, job.search.trials, job.seed)
    allowed = fit_plan_to_n(plan, build_candidates(job), positive, negative)
    repeats = job.search.repeats
    late = LateFusion(regions, allowed.candidates, allowed.plan, workers)
    fused, single, weights = late.observe(labelled.labels, repeats)
    found: dict[str, tuple[OutOfFold, Callable[..., Any]]] = {"late fusion": (fused, late.statistics)}
    if "early" in kinds:
        found["early fusion"] = _early(
            regions, allowed.candidates, allowed.plan, workers, repeats, context_of(labelled)
        )
    scores = {name: fold_aurocs(found[name][0]) for name in places_of} | {SINGLE: fold_aurocs(single)}
    table = compare_pairs(scores, 1.0 / (allowed.plan.folds - 1))
    null_repeats = min(job.null.repeats, repeats)
    simulated = bool(labelled.cohort.uns.get("simulated", False))
    entered: list[StudyJob | RefusedJob] = [
        StudyJob(
            cell=cell,
            subjects=JobLabels(regions.subjects, regions.labels, regions.strata),
            auto=found[name][0],
            statistic=partial(found[name][1], repeats=null_repeats),
            judge=partial(_judge, cell, found[name][0]),
            simulated=simulated,
        )
        for name, cell in places_of.items()
    ]
    question = {"endpoint": cells[0].endpoint, "subset": cells[0].subset}
    notes = {
        **question,
        "subjects": len(regions.subjects),
        "missing": regions.missing,
        "weights": dict(zip(places, weights.mean(axis=(0, 1)).round(4).tolist(), strict=True)),
        "single_auroc": round(auroc(single), 10),
    }
    return FusedColumn(
        entered,
        [{**question, **dict(zip(table.columns, row, strict=True))} for row in table.itertuples(index=False)],
        notes,
    )


def _early(
    regions: Regions,
    candidates: Sequence[Candidate],
    plan: SearchPlan,
    workers: Workers,
    repeats: int,
    context: Context,
) -> tuple[OutOfFold, Callable[..., Any]]:
    names = tuple(regions.materials)
    blocks = [replace(each, builder=RegionBlocks(each.builder, names)) for each in candidates]
    for each in blocks:
        each.builder.check(context)
    procedure = Procedure(regions.side_by_side(), blocks, plan, workers)
    return procedure.observe(regions.labels, repeats).auto, procedure.statistics


def _judge(cell: Cell, found: OutOfFold, null: NullResult) -> JobVerdict:
    endpoint = cell.job.endpoint
    verdict = conclude(
        question=f"{endpoint.positive} from {endpoint.negative}",
        auroc=auroc(found),
        null=NullSummary(null.p_value, null.min_attainable_p, null.mean, CORRECTED),
        conditional=None,
        nuisance=None,
        best=None,
        alpha=cell.job.null.alpha,
    )
    return JobVerdict(verdict, {})
