"""The tables of a run, from what a job found; the columns are described in `run.TABLES`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.evidence import Evidence
from responder_ml.evaluation.intervals import auroc_interval
from responder_ml.evaluation.metrics import OutOfFold, auroc, balanced_accuracy, brier, fold_aurocs, matthews
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.explanation.attribution import Contributions, FoldExplanation
from responder_ml.search.candidate import AUTO

# The long tables by sample hold the leading genes only; a figure shows no more.
_LEADING_GENES = 40


def out_of_fold_table(labelled: LabelledCohort, observed: ObservedResult, procedure: Procedure) -> pd.DataFrame:
    """Return one row per sample, repeat and candidate; "auto" comes first."""
    sheet = pd.DataFrame(
        {
            "sample": labelled.cohort.obs_names.astype(str),
            "subject": np.asarray(labelled.subjects)[labelled.subject_of],
            "label": labelled.sample_labels,
        }
    )
    parts = []
    for name, index in [(AUTO, None), *((each.name, place) for place, each in enumerate(procedure.candidates))]:
        for repeat, result in enumerate(observed.results):
            decisions = result.auto if index is None else result.decisions[index]
            parts.append(sheet.assign(repeat=repeat, fold=result.fold, candidate=name, log_odds=decisions))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(probability=1.0 / (1.0 + np.exp(-table["log_odds"])))


def candidate_table(observed: ObservedResult, procedure: Procedure, seed: int) -> pd.DataFrame:
    """Return every candidate's performance, "auto" first."""
    rows = [_candidate_row(AUTO, "", "", observed.auto, 1.0, seed)]
    for index, candidate in enumerate(procedure.candidates):
        found = observed.candidates[candidate.name]
        share = observed.chosen_share(index)
        rows.append(
            _candidate_row(candidate.name, candidate.builder_name, candidate.classifier.name, found, share, seed)
        )
    return pd.DataFrame(rows)


def fold_table(observed: ObservedResult, procedure: Procedure, explained: Sequence[FoldExplanation]) -> pd.DataFrame:
    """Return every outer fold of every candidate, with the base value of the models that were explained, auto's."""
    rows: list[dict[str, Any]] = []
    base = {(each.repeat, each.fold): each.base for each in explained}
    auto = fold_aurocs(observed.auto)
    scores = [fold_aurocs(observed.candidates[candidate.name]) for candidate in procedure.candidates]
    for model in observed.models:
        result = observed.results[model.repeat]
        chosen = bool(result.chosen[model.fold] == model.candidate)
        row = {
            "candidate": procedure.candidates[model.candidate].name,
            "repeat": model.repeat,
            "fold": model.fold,
            "auroc": scores[model.candidate][model.repeat, model.fold],
            "inner_score": model.tuned.value,
            "chosen": int(chosen),
            "n_features": len(model.columns),
            "params": json.dumps(model.tuned.params),
            "base": float("nan"),
        }
        rows.append(row)
        if chosen:
            place = (model.repeat, model.fold)
            rows.append({**row, "candidate": AUTO, "auroc": auto[place], "base": base[place]})
    table = pd.DataFrame(rows)
    order = {AUTO: -1, **{candidate.name: place for place, candidate in enumerate(procedure.candidates)}}
    return table.sort_values(
        ["candidate", "repeat", "fold"], key=lambda column: column.map(order) if column.name == "candidate" else column
    ).reset_index(drop=True)


def trial_table(observed: ObservedResult, procedure: Procedure) -> pd.DataFrame:
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
    found: Contributions, marked: pd.DataFrame, labelled: LabelledCohort, log2: Floats
) -> pd.DataFrame:
    """Return contributions and centred expression of the leading genes, one row per sample and gene.

    Parameters
    ----------
    found
        Contributions of all genes.
    marked
        The table of genes; those called out lead, others follow by contribution.
    labelled
        Names the samples.
    log2
        Log2 expression, samples x genes of the cohort.
    """
    ordered = marked.sort_values(["called_out", "contribution", "gene"], ascending=[False, False, True])
    leading = ordered["gene"].head(_LEADING_GENES)
    column_of = {gene: index for index, gene in enumerate(found.genes)}
    gene_of = {gene: index for index, gene in enumerate(labelled.genes)}
    samples = labelled.cohort.obs_names.astype(str)
    parts = [
        pd.DataFrame(
            {
                "sample": samples,
                "gene": gene,
                "contribution": found.per_sample[:, column_of[gene]],
                "expression": _centred(log2[:, gene_of[gene]]),
            }
        )
        for gene in leading
        if gene in gene_of
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def null_table(evidence: Evidence) -> pd.DataFrame:
    """Return every relabelling's value of the test statistic."""
    parts = [
        pd.DataFrame({"kind": kind, "draw": np.arange(len(null.values)), "auroc": null.values})
        for kind, null in (("unconditional", evidence.null), ("conditional", evidence.conditional))
        if null is not None
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def baseline_table(evidence: Evidence) -> pd.DataFrame:
    """Return every baseline and the headline's gain over it."""
    return pd.DataFrame(
        [
            {
                "name": each.name,
                "auroc": each.auroc,
                "auroc_low": each.interval[0],
                "auroc_high": each.interval[1],
                "gain": each.gain,
                "gain_low": each.gain_interval[0],
                "gain_high": each.gain_interval[1],
            }
            for each in evidence.baselines
        ]
    )


def sample_table(labelled: LabelledCohort) -> pd.DataFrame:
    """Return the endpoint's rows of the sample sheet."""
    sheet = labelled.cohort.obs.reset_index(drop=True)
    first = [column for column in ("sample", "subject") if column in sheet.columns]
    return pd.DataFrame(sheet[first + [column for column in sheet.columns if column not in first]])


def all_tables(parts: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables that have rows."""
    return {name: table for name, table in parts.items() if len(table)}


def _candidate_row(
    name: str, builder: str, classifier: str, found: OutOfFold, share: float, seed: int
) -> dict[str, Any]:
    low, high = auroc_interval(found, seed)
    return {
        "name": name,
        "builder": builder,
        "classifier": classifier,
        "auroc": auroc(found),
        "auroc_low": low,
        "auroc_high": high,
        "balanced_accuracy": balanced_accuracy(found),
        "mcc": matthews(found),
        "brier": brier(found),
        "chosen_share": share,
    }


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean(), dtype=np.float64)
