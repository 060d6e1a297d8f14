"""The tables of a run, from the outcome of its job; `run.TABLES` describes the columns."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.evidence import Evidence
from responder_ml.evaluation.extrapolation import LearningCurve
from responder_ml.evaluation.metrics import OutOfFold, fold_aurocs
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.explanation.attribution import Contributions, FoldExplanation
from responder_ml.records.outcome import Outcome, performance
from responder_ml.search.averaging import weighted_sum
from responder_ml.search.candidate import AUTO
from responder_ml.search.draw import auto_members

# The long tables by sample hold the leading genes only; a figure shows no more.
_LEADING_GENES = 40


def run_tables(outcome: Outcome) -> dict[str, pd.DataFrame]:
    """Return every table that has rows, by name."""
    labelled, procedure, observed = outcome.labelled, outcome.procedure, outcome.observed
    explanation = outcome.explanation
    tables = {
        "out_of_fold": _out_of_fold(labelled, observed, procedure),
        "candidates": _candidates(observed, procedure),
        "folds": _folds(observed, procedure, explanation.folds),
        "trials": _trials(observed, procedure),
        "genes": explanation.genes,
        "modules": explanation.modules,
        "signatures": explanation.signatures,
        "contributions": contribution_table(explanation.contributions, explanation.genes, labelled, outcome.log2),
        "null": _null(outcome.evidence),
        "baselines": _baselines(outcome.evidence),
        "rivals": pd.DataFrame([asdict(rival) for rival in outcome.rivals]),
        "learning_curve": _learning_curve(outcome.curve),
        "samples": _samples(labelled),
    }
    return {name: table for name, table in tables.items() if len(table)}


def _out_of_fold(labelled: LabelledCohort, observed: ObservedResult, procedure: Procedure) -> pd.DataFrame:
    """Return one row per sample, repeat and candidate; "auto" comes first."""
    sheet = pd.DataFrame(
        {
            "sample": labelled.cohort.obs_names.astype(str),
            "subject": np.asarray(labelled.subjects)[labelled.subject_of],
            "label": labelled.sample_labels,
        }
    )
    parts = []
    candidates = [(candidate.name, index) for index, candidate in enumerate(procedure.candidates)]
    for name, index in [(AUTO, None), *candidates]:
        for repeat, result in enumerate(observed.results):
            decisions = result.auto if index is None else result.decisions[index]
            parts.append(sheet.assign(repeat=repeat, fold=result.fold, candidate=name, log_odds=decisions))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(probability=1.0 / (1.0 + np.exp(-table["log_odds"])))


def _candidates(observed: ObservedResult, procedure: Procedure) -> pd.DataFrame:
    """Return every candidate's performance, "auto" first."""
    rows = [_candidate_row(AUTO, "", "", observed.auto, 1.0)]
    for index, candidate in enumerate(procedure.candidates):
        names = candidate.name, candidate.builder_name, candidate.classifier.name
        out_of_fold, share = observed.candidates[candidate.name], observed.chosen_share(index)
        rows.append(_candidate_row(*names, out_of_fold, share))
    return pd.DataFrame(rows)


def _folds(observed: ObservedResult, procedure: Procedure, explanations: Sequence[FoldExplanation]) -> pd.DataFrame:
    """Return every outer fold of every candidate, with the base value of what was explained, auto."""
    rows: list[dict[str, Any]] = []
    base = {(explanation.repeat, explanation.fold): explanation.base for explanation in explanations}
    auto = fold_aurocs(observed.auto)
    scores = [fold_aurocs(observed.candidates[candidate.name]) for candidate in procedure.candidates]
    for model in observed.models:
        rows.append(
            {
                "candidate": procedure.candidates[model.candidate].name,
                "repeat": model.repeat,
                "fold": model.fold,
                "auroc": scores[model.candidate][model.repeat, model.fold],
                "inner_score": model.tuned.value,
                "weight": model.weight,
                "n_features": len(model.columns),
                "params": json.dumps(model.tuned.params),
                "base": float("nan"),
            }
        )
    for members in auto_members(observed.results):
        fold = (members[0].repeat, members[0].fold)
        weights = np.array([model.weight for model in members])
        columns = {(procedure.candidates[m.candidate].builder_name, c) for m in members for c in m.columns.tolist()}
        rows.append(
            {
                "candidate": AUTO,
                "repeat": fold[0],
                "fold": fold[1],
                "auroc": auto[fold],
                "inner_score": float(weighted_sum(np.array([model.tuned.value for model in members]), weights)),
                "weight": 1.0,
                "n_features": len(columns),
                "params": "{}",
                "base": base[fold],
            }
        )
    table = pd.DataFrame(rows)
    order = {AUTO: -1, **{candidate.name: index for index, candidate in enumerate(procedure.candidates)}}
    return table.sort_values(
        ["candidate", "repeat", "fold"], key=lambda column: column.map(order) if column.name == "candidate" else column
    ).reset_index(drop=True)


def _trials(observed: ObservedResult, procedure: Procedure) -> pd.DataFrame:
    """Return every Optuna trial."""
    rows = [
        {
            "candidate": procedure.candidates[model.candidate].name,
            "repeat": model.repeat,
            "fold": model.fold,
            "trial": number,
            "value": value,
            "params": json.dumps(params),
        }
        for model in observed.models
        for number, (value, params) in enumerate(zip(model.tuned.values, model.tuned.trials, strict=True))
    ]
    return pd.DataFrame(rows)


def contribution_table(
    contributions: Contributions, genes: pd.DataFrame, labelled: LabelledCohort, log2: Floats
) -> pd.DataFrame:
    """Return contributions and centred expression of the leading genes, one row per sample and gene.

    Parameters
    ----------
    contributions
        Of all genes.
    genes
        The table of genes; those called out come first, others follow by contribution.
    labelled
        Names the samples.
    log2
        Log2 expression, samples x genes of the cohort.
    """
    ordered = genes.sort_values(["called_out", "contribution", "gene"], ascending=[False, False, True])
    leading = ordered["gene"].head(_LEADING_GENES)
    column_of = {gene: index for index, gene in enumerate(contributions.genes)}
    gene_of = {gene: index for index, gene in enumerate(labelled.genes)}
    samples = labelled.cohort.obs_names.astype(str)
    parts = [
        pd.DataFrame(
            {
                "sample": samples,
                "gene": gene,
                "contribution": contributions.per_sample[:, column_of[gene]],
                "expression": _centred(log2[:, gene_of[gene]]),
            }
        )
        for gene in leading
        if gene in gene_of
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _null(evidence: Evidence) -> pd.DataFrame:
    """Return the AUROC of auto and the test statistic of every relabelling."""
    parts = [
        pd.DataFrame(
            {"kind": kind, "draw": np.arange(len(null.values)), "auroc": null.aurocs, "statistic": null.values}
        )
        for kind, null in (("unconditional", evidence.null), ("conditional", evidence.conditional))
        if null is not None
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _baselines(evidence: Evidence) -> pd.DataFrame:
    """Return every baseline and the headline's gain over it."""
    return pd.DataFrame(
        [
            {
                "name": baseline.name,
                "auroc": baseline.auroc,
                "auroc_low": baseline.interval[0],
                "auroc_high": baseline.interval[1],
                "gain": baseline.gain,
                "gain_low": baseline.gain_interval[0],
                "gain_high": baseline.gain_interval[1],
            }
            for baseline in evidence.baselines
        ]
    )


def _learning_curve(curve: LearningCurve | None) -> pd.DataFrame:
    """Return one row per size."""
    return pd.DataFrame(
        [
            {
                "trained": point.trained,
                "auroc": point.auroc,
                "auroc_low": point.interval[0],
                "auroc_high": point.interval[1],
                "fitted": point.fitted,
                "fitted_low": point.band[0],
                "fitted_high": point.band[1],
            }
            for point in (() if curve is None else curve.points)
        ]
    )


def _samples(labelled: LabelledCohort) -> pd.DataFrame:
    """Return the endpoint's rows of the sample sheet."""
    sheet = labelled.cohort.obs.reset_index(drop=True)
    first = [column for column in ("sample", "subject") if column in sheet.columns]
    return pd.DataFrame(sheet[first + [column for column in sheet.columns if column not in first]])


def _candidate_row(name: str, builder: str, classifier: str, out_of_fold: OutOfFold, share: float) -> dict[str, Any]:
    values = performance(out_of_fold)
    low, high = values.pop("auroc_ci")
    values = {"auroc": values["auroc"], "auroc_low": low, "auroc_high": high, **values}
    return {"name": name, "builder": builder, "classifier": classifier, **values, "chosen_share": share}


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean(), dtype=np.float64)
