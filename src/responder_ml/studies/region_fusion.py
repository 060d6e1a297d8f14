"""Fusion of an endpoint's regions, tested as jobs of their own and compared with the best single region."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.build import build_candidates, build_endpoint, build_search_plan
from responder_ml.cohort.endpoint import LabelledCohort, label_cohort
from responder_ml.cohort.sample_sheet import Where, rows_where
from responder_ml.errors import ConfigError, EndpointError
from responder_ml.evaluation.intervals import compare_pairs
from responder_ml.evaluation.joint_null import JobLabels
from responder_ml.evaluation.metrics import OutOfFold, auroc, fold_aurocs
from responder_ml.evaluation.permutation import NullResult, Statistic
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.small_n import LEAST_FUSED, FeasiblePlan, fit_plan_to_n
from responder_ml.evaluation.verdict import conclude, summarise_null
from responder_ml.features.builders.context import Context
from responder_ml.fusion.late import LateFusion
from responder_ml.fusion.region_blocks import RegionBlocks
from responder_ml.fusion.regions import Regions
from responder_ml.progress import OnProgress
from responder_ml.records.study import STUDY_FOLDER, FusedRegions
from responder_ml.search.search_data import context_of
from responder_ml.search.workers import Workers
from responder_ml.studies.jobs import CORRECTED, JobVerdict, RefusedJob, StudyJob
from responder_ml.study_config import PlannedJob, StudyConfig

LATE, EARLY, SINGLE = "late fusion", "early fusion", "best single region"


@dataclass(frozen=True)
class RegionFusion:
    """Fusion of the regions of one endpoint and subset.

    Attributes
    ----------
    jobs
        One per kind of fusion; refused ones where there are too few subjects.
    comparisons
        Rows of the table ``fusion``.
    fused
        Who lacks which region, and the weights of late fusion; None where refused.
    """

    jobs: list[StudyJob | RefusedJob]
    comparisons: list[dict[Any, Any]]
    fused: FusedRegions | None


def fuse_regions(
    config: StudyConfig,
    planned_jobs: Sequence[PlannedJob],
    cohort: AnnData,
    workers: Workers,
    on_progress: OnProgress,
) -> list[RegionFusion]:
    """Fuse the regions of every endpoint and subset, where the study asks for it.

    Parameters
    ----------
    config, planned_jobs, cohort
        The study, its jobs and its cohort, all rows.
    workers
        Where units of work run.
    on_progress
        Called after each endpoint and subset.

    Raises
    ------
    ResponderError
        Anything the user can correct, except classes that are too small.
    """
    if not config.fusion:
        return []
    by_question: dict[str, list[PlannedJob]] = {}
    for planned in planned_jobs:
        by_question.setdefault(planned.question, []).append(planned)
    fusions: list[RegionFusion] = []
    for question, of_question in by_question.items():
        fusions.append(_fuse(of_question, config.grid.regions, config.fusion, cohort, workers))
        on_progress(len(fusions), len(by_question), question)
    return fusions


def fusion_table(fusions: Sequence[RegionFusion]) -> pd.DataFrame:
    """Return the table ``fusion``."""
    return STUDY_FOLDER.table("fusion", [row for fusion in fusions for row in fusion.comparisons])


def _fuse(
    planned_jobs: Sequence[PlannedJob],
    rows_of_region: Mapping[str, Where],
    kinds: Sequence[str],
    cohort: AnnData,
    workers: Workers,
) -> RegionFusion:
    """Fuse the regions of one endpoint and subset; ``planned_jobs`` has one job per region."""
    config = planned_jobs[0].config
    if config.endpoint.pairs is not None:
        raise ConfigError("Fusion of regions is not offered for matched pairs. Remove `fusion` or `endpoint.pairs`.")
    if config.endpoint.adjust or config.endpoint.block is not None:
        raise ConfigError(
            "Fusion of regions neither adjusts for covariates nor keeps blocks together. Remove `fusion`, or `adjust` and `block` "
            "of `endpoint`."
        )
    if config.search.trials < 1:
        raise ConfigError("Fusion weights regions by their inner folds, which need `search.trials` of 1 or more.")
    in_any_region = np.any([rows_where(cohort.obs, planned.config.cohort.where) for planned in planned_jobs], axis=0)
    labelled = label_cohort(cohort[in_any_region].copy(), build_endpoint(config.endpoint), several_regions=True)
    positive = int(labelled.labels.sum())
    negative = len(labelled.labels) - positive
    planned_fusions = {f"{kind} fusion": replace(planned_jobs[0], region=f"{kind} fusion") for kind in kinds}
    try:
        if min(positive, negative) < LEAST_FUSED:
            raise EndpointError(
                f"There are {positive} positive and {negative} negative subjects, but fusion weights regions by their inner "
                f"folds and needs at least {LEAST_FUSED} of each. Add animals, or leave fusion out."
            )
        regions = Regions.of(labelled, rows_of_region)
    except EndpointError as problem:
        refused = [RefusedJob(planned, positive, negative, str(problem)) for planned in planned_fusions.values()]
        return RegionFusion([*refused], [], None)
    feasible = fit_plan_to_n(
        build_search_plan(config), build_candidates(config), positive, negative, least_tuned=LEAST_FUSED
    )
    return _search_fusions(planned_fusions, labelled, regions, feasible, workers)


def _search_fusions(
    planned_fusions: Mapping[str, PlannedJob],
    labelled: LabelledCohort,
    regions: Regions,
    feasible: FeasiblePlan,
    workers: Workers,
) -> RegionFusion:
    first = next(iter(planned_fusions.values()))
    late = LateFusion(regions, feasible.candidates, feasible.plan, workers)
    late_decisions, single_decisions, weights = late.observe(labelled.labels)
    decisions: dict[str, OutOfFold] = {LATE: late_decisions}
    statistics: dict[str, Any] = {LATE: late.statistics}
    if EARLY in planned_fusions:
        early = _early_fusion(regions, feasible, workers, context_of(labelled))
        decisions[EARLY], statistics[EARLY] = early.observe(regions.labels).auto, early.statistics
    jobs = [
        _fusion_job(planned, regions, labelled, decisions[name], statistics[name])
        for name, planned in planned_fusions.items()
    ]
    scores = {name: fold_aurocs(decisions[name]) for name in planned_fusions} | {SINGLE: fold_aurocs(single_decisions)}
    comparisons = compare_pairs(scores, feasible.plan.folds)
    question = {"endpoint": first.endpoint, "subset": first.subset}
    fused = FusedRegions(
        **question,
        subjects=len(regions.subjects),
        missing=regions.missing,
        weights=dict(zip(regions.by_region, weights.mean(axis=(0, 1)).round(4).tolist(), strict=True)),
        single_auroc=round(auroc(single_decisions), 10),
    )
    return RegionFusion([*jobs], comparisons.assign(**question).to_dict("records"), fused)


def _early_fusion(regions: Regions, feasible: FeasiblePlan, workers: Workers, context: Context) -> Procedure:
    names = tuple(regions.by_region)
    candidates = [
        replace(candidate, builder=RegionBlocks(candidate.builder, names)) for candidate in feasible.candidates
    ]
    for candidate in candidates:
        candidate.builder.check(context)
    return Procedure(regions.side_by_side(), candidates, feasible.plan, workers)


def _fusion_job(
    planned: PlannedJob, regions: Regions, labelled: LabelledCohort, decisions: OutOfFold, statistic: Statistic
) -> StudyJob:
    return StudyJob(
        planned=planned,
        subjects=JobLabels(regions.subjects, regions.labels, regions.strata),
        auto=decisions,
        statistic=statistic,
        assess=partial(_assess, planned, decisions),
        simulated=bool(labelled.cohort.uns.get("simulated", False)),
    )


def _assess(planned: PlannedJob, decisions: OutOfFold, null: NullResult) -> JobVerdict:
    endpoint = planned.config.endpoint
    verdict = conclude(
        question=f"{endpoint.positive} from {endpoint.negative}",
        auroc=auroc(decisions),
        null=summarise_null(null, planned.config.null.alpha, CORRECTED),
        nuisance=None,
        best=None,
        alpha=planned.config.null.alpha,
    )
    return JobVerdict(verdict, {})
