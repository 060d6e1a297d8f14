"""Evaluate the founding study's claims in the cohort of a job, region by region, and write the results."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from anndata import AnnData

from responder_ml.build import build_behaviour, build_cohort, build_cutoffs, build_workers
from responder_ml.cohort.nuisance_kind import infer_kind
from responder_ml.config import JobConfig
from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.claim_verdicts import judge_claims
from responder_ml.contrasts.claims_record import ClaimsRecord, RegionFacts
from responder_ml.contrasts.evaluate_claims import evaluate_claims
from responder_ml.contrasts.evaluate_tests import TestSettings, evaluate_tests
from responder_ml.contrasts.groups import NON_RESPONDER
from responder_ml.contrasts.region_maps import map_region
from responder_ml.contrasts.region_ranks import rank_regions
from responder_ml.contrasts.study_regions import StudyRegion, split_regions
from responder_ml.errors import ContrastError
from responder_ml.job_sections import ClaimsConfig, CohortConfig
from responder_ml.progress import Progress
from responder_ml.records.claims_folder import RECORD
from responder_ml.records.csv_tables import csv_text
from responder_ml.records.files import named_folder, write_folder
from responder_ml.records.ownership import FolderKind, by_answer
from responder_ml.report.claims import render_claims
from responder_ml.search.unit_store import UnitStore

TABLE, PAGE = "claims.csv", "claims.html"
CLAIMS_FOLDER = FolderKind(
    "table of claims", by_answer(RECORD, ("schema_version", "claims", "rows", "ranks"), (TABLE, RECORD, PAGE))
)
"""How a folder of claims is recognised before it is written."""
# Rotations of the further statistics where batch is handled without being asked for: each costs a fit of every gene.
_ROTATIONS = 200


def claims(job: JobConfig, progress: Progress | None = None, store: UnitStore | None = None) -> ClaimsRecord:
    """Evaluate every claim that the animals of a job can answer, in each region of its cohort.

    Parameters
    ----------
    job
        Configuration. Rows that ``cohort.where`` leaves out take no part, so a job of one region gives that region's claims.
    progress
        Shows how far the work has come.
    store
        Where finished regions are kept, so that an interrupted call is resumed by the next; none by default.

    Raises
    ------
    ResponderError
        The configuration, the cohort or its groups do not allow the claims to be evaluated.
    """
    progress, config = progress or Progress(), job.claims
    cohort = build_cohort(job.cohort, job.seed)
    regions = split_regions(
        cohort, config.words, covariates=config.covariates, strata=config.strata, batch=_batches(job, cohort)
    )
    results = list(build_behaviour(config, cohort))
    with progress.stage("Claims") as on_progress:
        tables = build_workers(job.compute, store).map(partial(_evaluate_region, config=config, seed=job.seed), regions)
        for count, (region, table) in enumerate(zip(regions, tables, strict=True), start=1):
            results += table
            on_progress(count, len(regions), region.name)
    ranks = rank_regions(results) if len(regions) > 1 else []
    return ClaimsRecord(
        name=job.name,
        seed=job.seed,
        settings={**_plain(config), "cohort": {**_plain(job.cohort), "taken": job.cohort.tissue_taken}},
        simulated=bool(cohort.uns.get("simulated", False)),
        regions=tuple(_facts(region) for region in regions),
        results=tuple(results),
        ranks=tuple(ranks),
        verdicts=judge_claims(results, ranks, config.alpha),
        maps=tuple(region_map for region in regions for region_map in map_region(region)),
        notes=tuple(_notes(job, regions)),
    )


def write_claims(record: ClaimsRecord, folder: Path) -> None:
    """Write the table, the record and the page.

    Raises
    ------
    RunError
        The folder holds something else, or cannot be written.
    """
    contents = {
        TABLE: csv_text(record.table()),
        PAGE: render_claims(record),
        RECORD: json.dumps(record.content(), indent=2, allow_nan=False) + "\n",
    }
    write_folder(folder, contents, CLAIMS_FOLDER)


def default_folder(job: JobConfig) -> Path:
    """Return the folder, named after the job and a digest of what the claims depend on."""
    resolved = job.resolved()
    return named_folder("claims", job.name, [resolved[key] for key in ("cohort", "claims", "seed")])


def _batches(job: JobConfig, cohort: AnnData) -> tuple[str, ...]:
    """Return the nuisance columns that are categories; measurements such as depth are left to `claims.covariates`."""
    if job.claims.batch == "ignore":
        return ()
    subjects = cohort.obs[~cohort.obs["subject"].duplicated()]
    kinds = {name: infer_kind(name, subjects[name]).kind for name in job.endpoint.nuisance if name in subjects}
    return tuple(name for name, kind in (kinds | job.endpoint.kinds).items() if kind == "category" and name in kinds)


def _evaluate_region(region: StudyRegion, config: ClaimsConfig, seed: int) -> list[ClaimResult]:
    settings = TestSettings(seed, config.relabellings, config.bootstrap, region.strata)
    # Relabelling within strata takes the place of covariates in the further statistics, which allow one of the two.
    rotated = region.covariates if region.strata is None else None
    few = min(config.relabellings, _ROTATIONS) if rotated is not None and region.batch else config.relabellings
    try:
        statistics = evaluate_claims(
            region.expression,
            region.groups,
            region.name,
            seed=seed,
            relabellings=few,
            cutoffs=build_cutoffs(config.preset),
            bootstrap=config.bootstrap,
            subjects=region.subjects,
            covariates=rotated,
            strata=region.strata,
        )
        tests = evaluate_tests(
            region.expression, region.groups, region.name, region.subjects, settings, region.covariates
        )
    except ContrastError as problem:
        raise ContrastError(f"{region.name}: {problem} Or leave this region out with `cohort.where`.") from problem
    return sorted([*tests, *statistics], key=lambda line: line.claim)


def _plain(section: ClaimsConfig | CohortConfig) -> dict[str, Any]:
    return dict(section.model_dump(mode="json", exclude_none=True))


def _facts(region: StudyRegion) -> RegionFacts:
    sizes = {name: region.groups.size(name) for name in region.groups.names}
    return RegionFacts(region.name, region.expression.shape[1], sizes)


def _notes(job: JobConfig, regions: list[StudyRegion]) -> list[str]:
    notes = []
    names = ", ".join(region.name for region in regions)
    if len(regions) == 1:
        reason = "`cohort.where` keeps" if "region" in job.cohort.where else "The sheet has"
        notes.append(
            f"{reason} one region ({names}): the claims are evaluated in it alone, and no region is ranked (R8). "
            "Remove the region from `cohort.where` to evaluate all."
        )
    notes += _batch_notes(job, regions)
    if any(name.endswith(f" {NON_RESPONDER}") for region in regions for name in region.groups.names):
        notes.append(
            "`train` asks whether expression tells responders from non-responders at all. R4, R5 and R6 ask in what way they "
            "differ: read them beside its verdict on the same region, and trust a claim less where `train` finds no evidence."
        )
    if job.claims.preset == "bagot2017":
        notes.append(
            "Genes are called at nominal p < 0.05 and a fold change of 1.3, values attributed to the founding study that "
            "could not be verified."
        )
    return notes


def _batch_notes(job: JobConfig, regions: list[StudyRegion]) -> list[str]:
    """Say what was done about batch, and which nuisance columns nothing was done about."""
    by_sentence: dict[str, list[str]] = {}
    for region in regions:
        if region.batch:
            by_sentence.setdefault(region.batch, []).append(region.name)
    notes = [f"{', '.join(names)}: {sentence}" for sentence, names in by_sentence.items()]
    adjusted = (*job.claims.covariates, *job.claims.strata)
    handled = " ".join(by_sentence)
    ignored = [name for name in job.endpoint.nuisance if name not in adjusted and name not in handled]
    if ignored:
        notes.append(
            f"Not adjusted for {', '.join(ignored)}: where animals of different groups differ in it, p can be too small. "
            "Name it in `claims.covariates` (residuals are rotated) or `claims.strata` (fewer relabellings)."
        )
    return notes
