"""The outcome of one job: everything its procedure showed, and the result that is composed from it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.findings import Finding
from responder_ml.cohort.tissue_taken import TissueTaken, limit_by_timing
from responder_ml.evaluation import metrics
from responder_ml.evaluation.auroc_interval import auroc_interval
from responder_ml.evaluation.behaviour import compare_behaviour
from responder_ml.evaluation.calibration import calibrate
from responder_ml.evaluation.early_gene_ablation import GeneAblation
from responder_ml.evaluation.evidence import Evidence
from responder_ml.evaluation.extrapolation import LearningCurve
from responder_ml.evaluation.global_test import NAME, GlobalP
from responder_ml.evaluation.metrics import OutOfFold
from responder_ml.evaluation.permutation import NullResult
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.evaluation.refit import Refit
from responder_ml.evaluation.relabel import LARGEST_COUNT_SHOWN
from responder_ml.evaluation.rivals import RivalResult
from responder_ml.evaluation.separation import STATISTIC
from responder_ml.evaluation.sequential import RISK
from responder_ml.evaluation.split_sensitivity import split_sensitivity
from responder_ml.evaluation.verdict import Verdict
from responder_ml.explanation.attribution import N_LEADING
from responder_ml.explanation.explain import RunExplanation
from responder_ml.explanation.stability import Stability, selection_stability, top_features
from responder_ml.records.digests import data_digest
from responder_ml.records.endpoint_record import EndpointRecord
from responder_ml.records.job_lock import JobLock
from responder_ml.records.job_register import JobCount
from responder_ml.records.label_ceiling_record import LabelCeilingRecord
from responder_ml.records.learning_curve_record import LearningCurveRecord
from responder_ml.records.left_out_record import LeftOutRecord
from responder_ml.records.numbers import RowFilter
from responder_ml.records.result import (
    AgreementRecord,
    BaselineRecord,
    BehaviourRecord,
    CalibrationRecord,
    CandidateRecord,
    Counts,
    GeneAblationRecord,
    GlobalPRecord,
    GlobalTestRecord,
    Headline,
    JobsOnDataRecord,
    Null,
    NullRecord,
    RefitMemberRecord,
    RefitRecord,
    Result,
    SearchRecord,
    SplitSensitivityRecord,
)
from responder_ml.records.stability_record import LeadingStability, StabilityRecord
from responder_ml.search.candidate import AUTO
from responder_ml.search.draw import auto_members
from responder_ml.versions import versions_of

_REPORTED_VERSIONS = ("responder-ml", "numpy", "scipy", "pandas", "scikit-learn", "xgboost", "optuna", "shap", "mlflow")
_NOT_AUDITED = "RML00"
"""Code of notes about the job that no audit check made."""


@dataclass(frozen=True)
class Outcome:
    """What a job's procedure showed, in the order in which it was run.

    Attributes
    ----------
    labelled, findings, notes
        The data, their audit, and what the number of subjects changed in the plan.
    log2
        Log2 expression, samples x genes.
    procedure, observed
        The procedure, and its decisions on the observed labels.
    evidence
        Nulls, baselines and verdict.
    ablation
        The headline without immediate-early genes.
    explanation
        Contributions of genes, modules and signatures on held-out rows.
    refit
        The model fitted to all subjects.
    """

    labelled: LabelledCohort
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    log2: Floats = field(repr=False)
    procedure: Procedure
    observed: ObservedResult
    evidence: Evidence
    ablation: GeneAblation
    explanation: RunExplanation
    refit: Refit
    rivals: tuple[RivalResult, ...] = ()
    curve: LearningCurve | None = None


def compose_result(
    outcome: Outcome,
    *,
    name: str,
    where: RowFilter,
    timings: dict[str, float],
    seed: int,
    jobs_on_data: JobCount | None = None,
    lock: JobLock | None = None,
    taken: TissueTaken = "unknown",
    ceiling: LabelCeilingRecord | None = None,
) -> Result:
    """Compose the content of ``result.json``.

    Parameters
    ----------
    outcome
        What the procedure showed.
    name, where, seed
        Of the job: its name, the rows it used and its seed.
    timings
        Seconds per stage.
    jobs_on_data
        Which of how many jobs on these data it is; None where that is not known.
    lock
        The lock of the job; None where it was not locked.
    taken
        Whether tissue was taken before or after the outcome was known.
    ceiling
        The highest AUROC that the labels allow; None where the job states no reliability.
    """
    labelled, procedure, observed, refit = outcome.labelled, outcome.procedure, outcome.observed, outcome.refit
    positive = int(labelled.labels.sum())
    plan = procedure.plan
    return Result(
        name=name,
        simulated=bool(labelled.cohort.uns.get("simulated", False)),
        endpoint=EndpointRecord.of(labelled, where, taken),
        n=Counts(
            samples=labelled.n_samples,
            subjects=len(labelled.subjects),
            positive=positive,
            negative=len(labelled.subjects) - positive,
            genes=labelled.cohort.n_vars,
            left_out=sum(len(exclusion.samples) for exclusion in labelled.excluded),
        ),
        headline=_headline(observed),
        null=_null(outcome.evidence, [AUTO, *observed.candidates]),
        global_test=_global_test(outcome.evidence),
        baselines=[
            BaselineRecord(name=baseline.name, auroc=baseline.auroc, gain=baseline.gain, gain_ci=baseline.gain_interval)
            for baseline in outcome.evidence.baselines
        ],
        candidates=[
            CandidateRecord(
                name=candidate.name,
                builder=candidate.builder_name,
                classifier=candidate.classifier.name,
                chosen_share=round(observed.chosen_share(index), 6),
                **performance(observed.candidates[candidate.name]),
            )
            for index, candidate in enumerate(procedure.candidates)
        ],
        audit=[*outcome.findings, *(Finding(_NOT_AUDITED, "info", note) for note in outcome.notes)],
        left_out=[LeftOutRecord.of(exclusion) for exclusion in labelled.excluded],
        accepted=_accepted(outcome),
        without=[_ablation(outcome.ablation)],
        behaviour=_behaviour(labelled, observed, seed),
        verdict=_verdict(outcome, jobs_on_data, lock),
        jobs_on_data=None if jobs_on_data is None else JobsOnDataRecord(run=jobs_on_data.run, jobs=jobs_on_data.jobs),
        lock=lock,
        label_ceiling=ceiling,
        learning_curve=LearningCurveRecord.of(outcome.curve),
        split_sensitivity=_split_sensitivity(observed, labelled, seed),
        stability=_stability(outcome),
        search=SearchRecord(
            repeats=len(observed.results),
            folds=plan.folds,
            complete=plan.complete,
            inner_folds=plan.inner_folds,
            inner_repeats=plan.inner_repeats,
            trials=plan.trials,
        ),
        refit=RefitRecord(
            candidate=refit.name,
            params=refit.params,
            n_features=len(refit.model.features_),
            members=[RefitMemberRecord(**asdict(member)) for member in refit.members],
        ),
        timings=timings,
        versions=versions_of(_REPORTED_VERSIONS),
        gene_map=labelled.cohort.uns.get("gene_map"),
        data_sha256=data_digest(labelled),
        seed=seed,
    )


def performance(out_of_fold: OutOfFold) -> dict[str, Any]:
    """Return every registered metric by name, and the interval of the AUROC."""
    values: dict[str, Any] = {metric.name: metric.measure(out_of_fold) for metric in metrics.METRICS}
    return {**values, "auroc_ci": auroc_interval(out_of_fold)}


def limits_of(where: RowFilter, taken: TissueTaken) -> list[str]:
    """Return what the model is not for, from the rows it was trained on and the time their tissue was taken."""
    rows = [f"{column} {value if isinstance(value, str) else ' or '.join(value)}" for column, value in where.items()]
    limits = [limit_by_timing(taken)]
    return limits + ([f"Trained on {', '.join(rows)} only."] if rows else [])


def _accepted(outcome: Outcome) -> list[str]:
    return list(dict.fromkeys(finding.code for finding in outcome.findings if finding.severity == "error"))


def _verdict(outcome: Outcome, jobs_on_data: JobCount | None, lock: JobLock | None) -> Verdict:
    verdict = outcome.evidence.verdict.despite(_accepted(outcome))
    if jobs_on_data is not None:
        verdict = verdict.among_jobs(jobs_on_data.run, jobs_on_data.jobs)
    return verdict if lock is None else verdict.adding(lock.sentence)


def _split_sensitivity(observed: ObservedResult, labelled: LabelledCohort, seed: int) -> SplitSensitivityRecord | None:
    sensitivity = split_sensitivity(observed.auto, labelled.strata, seed)
    return None if sensitivity is None else SplitSensitivityRecord(**asdict(sensitivity))


def _headline(observed: ObservedResult) -> Headline:
    calibration = calibrate(observed.auto.decisions.mean(axis=0), observed.auto.labels)
    return Headline(
        calibration=CalibrationRecord(
            in_the_large=calibration.in_the_large, intercept=calibration.intercept, slope=calibration.slope
        ),
        **performance(observed.auto),
    )


def _ablation(ablation: GeneAblation) -> GeneAblationRecord:
    return GeneAblationRecord(
        name=ablation.name,
        genes=list(ablation.genes),
        auroc=ablation.auroc,
        difference=ablation.difference,
        difference_ci=ablation.interval,
    )


def _behaviour(labelled: LabelledCohort, observed: ObservedResult, seed: int) -> BehaviourRecord | None:
    """Compare the subjects' mean held-out log-odds with the number behind their class; None where the sheet gave the class."""
    behaviour, rule = labelled.behaviour, labelled.endpoint.rule
    if behaviour is None or rule is None:
        return None
    agreement = compare_behaviour(
        observed.auto.decisions.mean(axis=0),
        behaviour,
        labelled.labels,
        labelled.strata,
        higher_is_positive=rule.above == "positive",
        seed=seed,
    )
    return BehaviourRecord(
        column=str(labelled.measured),
        **asdict(rule),
        left_out=len(labelled.left_out[0]),
        agreement=None if agreement is None else AgreementRecord(**asdict(agreement)),
    )


def _null(evidence: Evidence, names: Sequence[str]) -> Null | None:
    if evidence.null is None:
        return None
    conditional = evidence.conditional
    return Null(
        **_one_null(evidence.null, names),
        conditional=None if conditional is None else NullRecord(**_one_null(conditional, names)),
    )


def _one_null(null: NullResult, names: Sequence[str]) -> dict[str, Any]:
    return {
        "p_value": null.p_value,
        "p_interval": null.p_interval,
        "permutations": len(null.values),
        "labellings": null.labellings if null.labellings <= LARGEST_COUNT_SHOWN else None,
        "observed": round(null.observed, 5),
        "null_mean": null.mean,
        "null_sd": null.sd,
        "exact": null.exact,
        "stopped_early": null.stopped_early,
        "min_attainable_p": null.min_attainable_p,
        "settled": null.settled,
        "risk": 0.0 if null.exact else RISK,
        "statistic": STATISTIC,
        "leading": names[null.leading],
    }


def _global_test(evidence: Evidence) -> GlobalTestRecord | None:
    test = evidence.global_test
    if test is None:
        return None
    return GlobalTestRecord(
        name=NAME,
        genes=test.within_strata.genes,
        conditional=None if test.within_batches is None else GlobalPRecord(**_one_global(test.within_batches)),
        **_one_global(test.within_strata),
    )


def _one_global(test: GlobalP) -> dict[str, Any]:
    values = {key: getattr(test, key) for key in ("p_value", "p_interval", "z", "permutations", "exact")}
    return {**values, "labellings": test.labellings if test.labellings <= LARGEST_COUNT_SHOWN else None}


def _stability(outcome: Outcome) -> StabilityRecord:
    """Compare the genes that any model of auto uses in each outer fold, and those of largest contribution in each repeat."""
    procedure, n_genes = outcome.procedure, len(outcome.procedure.search_data.genes)
    genes_used = [
        np.unique(np.concatenate([procedure.genes_used(model) for model in members]))
        for members in auto_members(outcome.observed.results)
    ]
    leading = top_features(outcome.explanation.contributions.magnitude, N_LEADING)
    return StabilityRecord(
        **_agreement(selection_stability(genes_used, n_genes)),
        of="genes behind the features of auto's outer models",
        models=len(genes_used),
        leading=LeadingStability(
            **_agreement(selection_stability(leading, n_genes)),
            of=f"the {N_LEADING} genes of largest mean absolute held-out SHAP value in each repeat",
            repeats=len(leading),
        ),
    )


def _agreement(stability: Stability | None) -> dict[str, Any]:
    if stability is None:
        return {}
    return {"nogueira": stability.value, "interval": (stability.low, stability.high)}
