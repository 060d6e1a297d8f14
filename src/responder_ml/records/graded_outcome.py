"""From what a procedure showed on a graded outcome to its record and tables."""

from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.cohort.graded_outcome import GradedCohort
from responder_ml.cohort.tissue_taken import TissueTaken
from responder_ml.evaluation.agreement import (
    PredictedOutcomes,
    explained_share,
    fold_concordance,
    mean_absolute_error,
    spearman,
)
from responder_ml.evaluation.concordance_interval import concordance_interval
from responder_ml.evaluation.conditional import nuisance_of
from responder_ml.evaluation.graded_evidence import GradedEvidence
from responder_ml.evaluation.graded_procedure import GradedProcedure, GradedRefit, GradedResult
from responder_ml.evaluation.permutation import NullResult
from responder_ml.evaluation.separation import STATISTIC
from responder_ml.explanation.attribution import Contributions
from responder_ml.records.digests import data_digest
from responder_ml.records.graded import (
    TABLES,
    GradedCandidate,
    GradedCounts,
    GradedFinding,
    GradedMember,
    GradedNull,
    GradedPerformance,
    GradedRecord,
    GradedSearch,
    GradedVerdict,
    JobsOnData,
    LinksRecord,
    OutcomeRecord,
)
from responder_ml.records.job_register import JobCount
from responder_ml.search.candidate import AUTO
from responder_ml.versions import versions_of

_REPORTED_VERSIONS = ("responder-ml", "numpy", "scipy", "pandas", "scikit-learn", "xgboost", "optuna")
_NOTE = "RML00"
# Larger numbers of orders are not written out.
_MOST_WRITTEN = 10**300


@dataclass(frozen=True)
class GradedFacts:
    """What a job's procedure showed on a graded outcome, in the order in which it was run.

    Attributes
    ----------
    graded, notes
        The data, and what the number of subjects changed in the plan.
    procedure, observed, evidence, contributions, refit
        The procedure, its predictions, nulls and verdict, genes, and the model fitted to all subjects.
    """

    graded: GradedCohort
    notes: tuple[str, ...]
    procedure: GradedProcedure
    observed: GradedResult
    evidence: GradedEvidence
    contributions: Contributions = field(repr=False)
    refit: GradedRefit


def compose_graded(
    facts: GradedFacts,
    *,
    name: str,
    where: dict[str, str | list[str]],
    alpha: float,
    timings: dict[str, float],
    seed: int,
    taken: TissueTaken,
    jobs_on_data: JobCount | None = None,
    block: str | None = None,
) -> GradedRecord:
    """Compose the content of ``graded.json``.

    Parameters
    ----------
    facts
        What the procedure showed.
    name, where, alpha, seed
        Of the job.
    timings
        Seconds per stage.
    taken
        Whether tissue was taken before or after the outcome was known.
    jobs_on_data
        Which of how many jobs on these data it is; None where that is not known.
    block
        Column of blocks that folds keep together; None without any.
    """
    graded, evidence, observed = facts.graded, facts.evidence, facts.observed
    labelled, outcome, plan = graded.labelled, graded.outcome, facts.procedure.plan
    simulated = bool(labelled.cohort.uns.get("simulated", False))
    nuisance, verdict = nuisance_of(labelled), evidence.verdict
    if jobs_on_data is not None:
        verdict = verdict.among_jobs(jobs_on_data.run, jobs_on_data.jobs)
    return GradedRecord(
        name=name,
        simulated=simulated,
        taken=taken,
        units=str(labelled.cohort.uns["units"]),
        where=where,
        strata=labelled.endpoint.strata,
        block=block,
        nuisance=labelled.endpoint.nuisance,
        adjust=labelled.endpoint.adjust,
        n=GradedCounts(
            subjects=len(outcome),
            samples=labelled.n_samples,
            genes=labelled.cohort.n_vars,
            left_out=sum(len(exclusion.samples) for exclusion in labelled.excluded),
        ),
        outcome=OutcomeRecord(
            column=labelled.measured,
            mean=float(outcome.mean()),
            sd=float(outcome.std(ddof=1)),
            low=float(outcome.min()),
            high=float(outcome.max()),
            distinct=len(np.unique(outcome)),
            upper_from=graded.cut,
        ),
        headline=GradedPerformance(**performance(observed.auto)),
        candidates=tuple(
            GradedCandidate(
                name=candidate.name,
                builder=candidate.builder_name,
                regressor=candidate.classifier.name,
                chosen_share=round(observed.chosen_share(index), 6),
                **performance(observed.candidates[candidate.name]),
            )
            for index, candidate in enumerate(facts.procedure.candidates)
        ),
        null=_null(evidence.null),
        conditional=_null(evidence.conditional),
        links=LinksRecord(names=nuisance.names, **asdict(evidence.links))
        if evidence.links is not None and nuisance is not None
        else None,
        alpha=alpha,
        verdict=GradedVerdict(level=verdict.level, sentence=f"{'Simulated data: ' * simulated}{verdict.sentence}"),
        jobs_on_data=None if jobs_on_data is None else JobsOnData(run=jobs_on_data.run, jobs=jobs_on_data.jobs),
        audit=tuple(
            GradedFinding(code=code, severity=severity, message=message)
            for code, severity, message in (
                *((finding.code, finding.severity, finding.message) for finding in graded.findings),
                *((_NOTE, "info", note) for note in facts.notes),
            )
        ),
        search=GradedSearch(
            folds=plan.folds,
            repeats=plan.repeats,
            inner_folds=plan.inner_folds,
            inner_repeats=plan.inner_repeats,
            trials=plan.trials,
        ),
        members=tuple(GradedMember(**asdict(member)) for member in facts.refit.members),
        timings=timings,
        versions=versions_of(_REPORTED_VERSIONS),
        data_sha256=data_digest(labelled),
        seed=seed,
    )


def performance(predicted: PredictedOutcomes) -> dict[str, Any]:
    """Return how predictions agree with the outcome, by the record's keys; None for what is not a number."""
    low, high = concordance_interval(predicted)
    values = {
        "concordance": fold_concordance(predicted),
        "spearman": spearman(predicted),
        "r2": explained_share(predicted),
        "mae": mean_absolute_error(predicted),
    }
    return {
        "concordance_ci": (_finite(low), _finite(high)),
        **{key: _finite(value) for key, value in values.items()},
    }


def graded_tables(facts: GradedFacts) -> dict[str, pd.DataFrame]:
    """Return the tables of the folder, by name."""
    observed, evidence, subjects = facts.observed, facts.evidence, facts.graded.labelled.subjects
    auto = observed.auto
    predictions = pd.DataFrame(
        {
            "subject": np.tile(np.asarray(subjects, dtype=object), len(auto.predictions)),
            "repeat": np.repeat(np.arange(len(auto.predictions)), len(subjects)),
            "fold": auto.folds.ravel(),
            "stratum": np.tile(auto.strata, len(auto.predictions)),
            "outcome": np.tile(auto.outcome, len(auto.predictions)),
            "prediction": auto.predictions.ravel(),
        }
    )
    rows = []
    shares = {name: observed.chosen_share(index) for index, name in enumerate(observed.candidates)}
    for name, predicted in {AUTO: auto, **observed.candidates}.items():
        values = performance(predicted)
        low, high = values.pop("concordance_ci")
        rows.append(
            {
                "name": name,
                **values,
                "concordance_low": low,
                "concordance_high": high,
                "chosen_share": shares.get(name, np.nan),
            }
        )
    nulls = [
        pd.DataFrame(
            {"kind": kind, "draw": np.arange(len(null.values)), "statistic": null.values, "concordance": null.aurocs}
        )
        for kind, null in (("unconditional", evidence.null), ("conditional", evidence.conditional))
        if null is not None
    ]
    tables = {
        "predictions": predictions,
        "candidates": pd.DataFrame(rows),
        "null": pd.concat(nulls, ignore_index=True) if nulls else pd.DataFrame(columns=list(TABLES["null"])),
        "nuisances": pd.DataFrame([asdict(row) for row in evidence.nuisances], columns=list(TABLES["nuisances"])),
        "genes": facts.contributions.table(),
    }
    return {name: table[list(TABLES[name])] for name, table in tables.items()}


def _null(null: NullResult | None) -> GradedNull | None:
    if null is None:
        return None
    return GradedNull(
        statistic=STATISTIC,
        p_value=null.p_value,
        p_interval=null.p_interval,
        labellings=str(null.labellings) if null.labellings < _MOST_WRITTEN else f"more than {_MOST_WRITTEN:.0e}",
        relabellings=len(null.values),
        exact=null.exact,
        settled=null.settled,
        null_mean=_finite(null.mean),
        null_sd=_finite(null.sd),
        min_attainable_p=null.min_attainable_p,
    )


def _finite(value: float) -> float | None:
    return float(value) if isfinite(value) else None
