"""Train several classes: one answer for all of them, then a run and a bundle for every two."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats, Labels
from responder_ml.build import build_candidates, build_null_plan, build_search_plan, build_workers
from responder_ml.bundles.class_bundle import check_class_bundle, claim_folder, write_class_bundle
from responder_ml.class_jobs import PairJob, plan_pairs, prepare_classes
from responder_ml.cohort.audit import require_accepted
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.config import JobConfig
from responder_ml.errors import TrackingError
from responder_ml.evaluation.class_pairs import ClassPairs
from responder_ml.evaluation.class_predictions import count_predictions, prediction_columns, probability_names
from responder_ml.evaluation.permutation import NullResult, run_null
from responder_ml.evaluation.separation import AUTO_AUROC, STATISTIC
from responder_ml.evaluation.several_classes import correct_pairs, judge_classes
from responder_ml.progress import Clock, Progress
from responder_ml.records.classes import (
    CLASSES_FOLDER,
    ClassesNull,
    ClassesResult,
    ClassesRun,
    ClassPrediction,
    PairRow,
    write_classes,
)
from responder_ml.records.digests import data_digest
from responder_ml.records.endpoint_record import EndpointRecord
from responder_ml.records.ownership import check_apart
from responder_ml.records.run import CARD, CARD_FILE, Run
from responder_ml.report.card import render_card
from responder_ml.report.card_facts import final_classifiers
from responder_ml.report.card_json import render_card_json
from responder_ml.report.class_card import describe_classes
from responder_ml.report.classes import render_classes
from responder_ml.search.checkpoints import run_checkpoint
from responder_ml.search.search_data import SearchData
from responder_ml.tracking.classes_record import send_classes
from responder_ml.train import SERVING, check_before_work, run_job
from responder_ml.versions import versions_of


def train_classes(job: JobConfig, out: Path, bundle: Path, progress: Progress | None = None) -> ClassesRun:
    """Test all classes together, then train every two of them, and write; an interrupted call is resumed by the next.

    Parameters
    ----------
    job
        Configuration whose endpoint has ``kind: classes``.
    out, bundle
        Folders of the answer and of the bundle. The run folder of a pair has its classes appended to the name of ``out``; its
        bundle is a folder in ``bundle``.
    progress
        Is told about long work.

    Raises
    ------
    ResponderError
        Anything the user can mend; nothing is left half-written.
    """
    progress, clock = progress or Progress(), Clock()
    pair_jobs = plan_pairs(job, out, bundle)
    check_before_classes(job, out, bundle, pair_jobs)
    prepared = prepare_classes(job, pair_jobs)
    labelled, classes = prepared.labelled, prepared.classes
    for of_pair in prepared.pairs:
        require_accepted(of_pair.findings, job.accept)
    # A pair that is written is not trained again while the others, or the answer, are missing: all checkpoints end together.
    with run_checkpoint(out) as checkpoint, ExitStack() as of_pairs:
        workers = build_workers(job.compute, checkpoint.unit_store())
        procedure = ClassPairs(SearchData.of(labelled), classes, build_candidates(job), build_search_plan(job), workers)
        with clock.lap("null_s"), progress.stage("Null of all classes") as on_progress:
            (observed,) = next(iter(procedure.statistics([classes])))
            null = None
            if job.null.permutations != 0:
                plan = build_null_plan(job)
                null = run_null(procedure.statistics, classes, labelled.strata, observed, plan, "classes", on_progress)
        with clock.lap("prediction_s"):
            probabilities = procedure.probabilities(classes)
        runs = []
        with clock.lap("pairs_s"):
            claim_folder(bundle)
            for pair, of_pair in zip(pair_jobs, prepared.pairs, strict=True):
                progress.say(f"Training {pair.job.endpoint.positive} against {pair.job.endpoint.negative}")
                own = of_pairs.enter_context(run_checkpoint(pair.out))
                runs.append(run_job(pair.job, pair.out, pair.bundle, own, progress, prepared=of_pair))
        run = compose(job, labelled, classes, float(observed[AUTO_AUROC]), null, probabilities, pair_jobs, runs, clock)
        result, facts = run.result, describe_classes(run)
        card = render_card(facts)
        write_class_bundle(
            bundle,
            [pair.bundle.name for pair in pair_jobs],
            name=result.name,
            simulated=result.simulated,
            versions=result.versions,
            training=result.training(),
            pages={CARD: card},
        )
        write_classes(run, render_classes(run), out, {CARD: card, CARD_FILE: render_card_json(facts)})
    return run


def check_before_classes(job: JobConfig, out: Path, bundle: Path, pair_jobs: Sequence[PairJob]) -> None:
    """Refuse what `train.check_before_work` refuses, for the folders of all classes and of every pair.

    Raises
    ------
    RunError, BundleError, TrackingError
        As there.
    """
    check_apart({"--out": out, "--bundle": bundle})
    CLASSES_FOLDER.check(out)
    check_class_bundle(bundle, [pair.bundle.name for pair in pair_jobs])
    for pair in pair_jobs:
        check_before_work(pair.job, pair.out, pair.bundle)


def compose(
    job: JobConfig,
    labelled: LabelledCohort,
    classes: Labels,
    macro_auroc: float,
    null: NullResult | None,
    probabilities: Floats,
    pair_jobs: list[PairJob],
    runs: list[Run],
    clock: Clock,
) -> ClassesRun:
    """Return the record of the training."""
    names, alpha = job.endpoint.classes, job.null.alpha
    rows = _pair_rows(pair_jobs, runs, None if null is None else null.p_value, alpha)
    levels = {f"{row.positive} and {row.negative}": row.verdict for row in rows}
    verdict = judge_classes(names, classes, labelled.strata, null, macro_auroc, levels, alpha)
    observed = np.asarray(names, dtype=object)[classes]
    columns = {"subject": labelled.subjects, "observed": observed, **prediction_columns(names, probabilities)}
    predictions = pd.DataFrame(columns)[["subject", "observed", "predicted", *probability_names(names)]]
    simulated = any(run.result.simulated for run in runs)
    endpoint = EndpointRecord.of(labelled, dict(job.cohort.where), job.cohort.tissue_taken)
    result = ClassesResult(
        name=job.name,
        simulated=simulated,
        taken=endpoint.taken,
        column=job.endpoint.column,
        classes={name: int(np.sum(classes == code)) for code, name in enumerate(names)},
        macro_auroc=round(macro_auroc, 10),
        null=None if null is None else _null_record(null),
        alpha=alpha,
        level=verdict.level,
        sentence=f"{'Simulated data: ' * simulated}{verdict.sentence}",
        pairs=tuple(rows),
        prediction=ClassPrediction(**count_predictions(predictions["observed"], predictions["predicted"], names)),
        samples=labelled.n_samples,
        genes=labelled.cohort.n_vars,
        units=endpoint.units,
        where=endpoint.where,
        strata=tuple(endpoint.strata),
        nuisances=tuple(endpoint.nuisances),
        adjust=tuple(endpoint.adjust),
        findings=tuple(_findings(runs)),
        classifiers=tuple(dict.fromkeys(kind for run in runs for kind in final_classifiers(run.result))),
        data_sha256=data_digest(labelled),
        timings=clock.read(),
        versions=versions_of(),
        seed=job.seed,
    )
    values = pd.DataFrame(columns=["draw", "statistic", "auroc"])
    if null is not None:
        values = pd.DataFrame(
            {"draw": np.arange(len(null.values)), "statistic": null.values, "auroc": np.round(null.aurocs, 10)}
        )
    pairs = pd.DataFrame([row.model_dump() for row in rows])
    tables = {"pairs": pairs, "predictions": predictions, "null": values}
    return ClassesRun(result, tables, job.resolved())


def record_classes(job: JobConfig, run: ClassesRun, out: Path, bundle: Path, progress: Progress) -> str | None:
    """Send the answer and the run of every pair to the job's MLflow store; if it fails, nothing is lost, and a message says so.

    Returns
    -------
    MLflow's id of the answer, or None if it was not sent.
    """
    if not job.tracking.enabled:
        return None
    store = {"uri": job.tracking.uri, "experiment": job.tracking.experiment}
    try:
        run_id = send_classes(run, out, bundle, loader=SERVING, **store)
    except TrackingError as problem:
        progress.say(f"Not tracked: {problem}\nTo send it later: python -m responder_ml track {out} --bundle {bundle}")
        return None
    progress.say(f"Tracked in MLflow as {run_id}; see it with `python -m responder_ml ui`.")
    return run_id


def _pair_rows(pair_jobs: list[PairJob], runs: list[Run], p_all: float | None, alpha: float) -> list[PairRow]:
    own = [None if run.result.null is None else run.result.null.p_value for run in runs]
    known = [p for p in own if p is not None]
    corrected: list[float | None] = [None] * len(own)
    if p_all is not None and len(known) == len(own):
        corrected = list(correct_pairs(p_all, known))
    rows = []
    for pair, run, p_value, corrected_p in zip(pair_jobs, runs, own, corrected, strict=True):
        result, level = run.result, run.result.verdict.level
        if level == "evidence" and (corrected_p is None or corrected_p > alpha):
            level = "no_evidence"
        low, high = result.headline.auroc_ci
        rows.append(
            PairRow(
                positive=pair.job.endpoint.positive,
                negative=pair.job.endpoint.negative,
                n_positive=result.n.positive,
                n_negative=result.n.negative,
                auroc=result.headline.auroc,
                auroc_low=low,
                auroc_high=high,
                p_value=p_value,
                corrected_p=corrected_p,
                verdict=level,
                sentence=result.verdict.sentence,
                run=pair.out.name,
            )
        )
    return rows


def _findings(runs: Sequence[Run]) -> list[str]:
    """Return the warnings and errors of the audits: once where all pairs have one, otherwise with the classes it concerns."""
    pairs_of_finding: dict[str, list[str]] = {}
    for run in runs:
        endpoint = run.result.endpoint
        for finding in run.result.audit:
            if finding.severity != "info":
                pairs = pairs_of_finding.setdefault(f"{finding.code}: {finding.message}", [])
                pairs.append(f"{endpoint.positive} against {endpoint.negative}")
    return [
        finding if len(pairs) == len(runs) else f"{finding} ({'; '.join(pairs)})"
        for finding, pairs in pairs_of_finding.items()
    ]


def _null_record(null: NullResult) -> ClassesNull:
    return ClassesNull(
        statistic=STATISTIC,
        p_value=null.p_value,
        p_interval=null.p_interval,
        labellings=str(null.labellings),
        relabellings=len(null.values),
        exact=null.exact,
        settled=null.settled,
        null_mean=round(null.mean, 10),
        min_attainable_p=null.min_attainable_p,
    )
