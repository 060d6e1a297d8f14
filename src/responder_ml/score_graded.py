"""Score new samples with a model of a graded outcome: load bundle -> align genes -> check applicability -> predict -> table."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.build import build_genes
from responder_ml.bundles.bundle import BUNDLE_FOLDER
from responder_ml.bundles.graded_bundle import GradedBundle, read_graded_bundle
from responder_ml.bundles.sample_covariates import BEYOND, SampleCovariates
from responder_ml.cohort.alignment import MatchedGenes, match_genes
from responder_ml.cohort.behaviour_rule import read_behaviour
from responder_ml.cohort.expression_source import open_expression
from responder_ml.cohort.sample_table import check_suffix, write_sample_table
from responder_ml.config import load_genes
from responder_ml.errors import BundleError, CohortError
from responder_ml.evaluation.applicability import assess_applicability
from responder_ml.evaluation.external_validation import read_sheet_of_samples
from responder_ml.evaluation.model_units import ModelUnits
from responder_ml.features.missing_genes import fill_gaps, fill_missing
from responder_ml.features.tmm import shared_factors
from responder_ml.records.files import write_text
from responder_ml.records.ownership import refuse_inside
from responder_ml.records.run import RUN_FOLDER
from responder_ml.search.missing_gene_policy import check_policy, decide
from responder_ml.statistics.concordance import concordance

# Samples read and scored at once.
_BLOCK = 256
# Most features whose values a table shows, those of greatest weight first.
_FEATURES_SHOWN = 20


def score_graded(
    bundle_folder: Path,
    expression: Path,
    *,
    samples: Path | None = None,
    units: str | None = None,
    out: Path | None = None,
    missing: str = "impute",
    gene_map: Path | None = None,
    columns: Mapping[str, str] | None = None,
    anyway: bool = False,
    sheet_name: str | None = None,
    layer: str | None = None,
    without_covariates: bool = False,
) -> pd.DataFrame:
    """Predict the outcome of the samples of an expression file; parameters as for `responder_ml.score.score`.

    A sample's numbers depend on the bundle and on that sample alone.

    Returns
    -------
    pandas.DataFrame
        One row per sample; ``docs/scoring.md`` describes the columns. ``attrs["summary"]`` holds what concerns all rows.

    Raises
    ------
    BundleError, CoverageError, CohortError, RunError
        The bundle cannot be trusted or its training gave no evidence, too many genes are missing, a table cannot be used or would
        be written over.
    """
    check_policy(missing)
    outputs = [] if out is None else [out, _summary_path(out)]
    if out is not None:
        check_suffix(out)
        for output in outputs:
            refuse_inside(output, (BUNDLE_FOLDER, RUN_FOLDER.kind))
            if output.exists() and any(
                path.exists() and output.samefile(path) for path in (expression, samples or out.parent)
            ):
                raise CohortError(
                    f"{output} is a file that is read, so writing it would destroy it. Choose another --out."
                )
    bundle = read_graded_bundle(bundle_folder)
    bundle.require_evidence(str(bundle_folder), anyway=anyway)
    sheet = None if samples is None else read_sheet_of_samples(samples, bundle.manifest.columns, columns or {})
    units = units or bundle.units
    translation = None if gene_map is None else build_genes(load_genes(gene_map))
    source = open_expression(
        expression, bundle.genes, translation=translation, units=units, sheet=sheet_name, layer=layer
    )
    matched = match_genes(
        source.genes,
        bundle.genes,
        bundle.genes_of_features(),
        feature_weight=bundle.feature_weight,
        least_weight=bundle.manifest.coverage.weight,
        least_genes=bundle.manifest.coverage.genes,
    )
    covariates = SampleCovariates(bundle, source.samples, sheet, at_mean=without_covariates)
    parts = []
    for start in range(0, len(source.samples), _BLOCK):
        names = list(source.samples[start : start + _BLOCK])
        values = source.block(np.arange(start, start + len(names)), matched.columns)
        parts.append(predict_rows(bundle, matched, covariates, names, values, units, missing))
    table = pd.concat(parts, ignore_index=True)
    summary: dict[str, Any] = {
        "bundle": bundle.manifest.name,
        "kind": bundle.manifest.kind,
        "simulated": bundle.manifest.simulated,
        "outcome": bundle.manifest.outcome,
        "verdict": bundle.verdict.sentence,
        "verdict_level": bundle.verdict.level,
        "worth": worth_of(bundle),
        "limits": bundle.manifest.limits,
        "units": units,
        "samples": len(table),
        "abstained": int(table["abstain"].sum()),
        "coverage": {"weight": matched.coverage.weight, "genes": matched.coverage.genes},
        "missing_genes": list(matched.coverage.missing),
        "without_covariates": covariates.note or None,
        "evaluation": None if sheet is None else evaluate_predictions(table, sheet, bundle.outcome.column),
        "reading": [note.message for note in source.notes],
    }
    table.attrs["summary"] = summary
    if out is not None:
        write_sample_table(table, out, expression)
        write_text(_summary_path(out), json.dumps(summary, indent=1, allow_nan=False) + "\n")
    return table


def predict_rows(
    bundle: GradedBundle,
    matched: MatchedGenes,
    covariates: SampleCovariates,
    names: list[str],
    values: Floats,
    units: str,
    missing: str,
) -> pd.DataFrame:
    """Return one row per sample.

    Parameters
    ----------
    bundle, matched, covariates
        The model, the table's genes matched to its own, and the samples' covariates.
    names, values
        Of the samples; samples x genes of the model that the table has, in the table's units.
    units, missing
        Of the table; policy for missing genes.
    """
    present, typical = matched.is_present, bundle.reference.typical
    scale = ModelUnits(matched, units, bundle.units, typical, by_order=bundle.model.by_order)
    with shared_factors():
        converted = fill_gaps(scale.convert(names, values), present, typical, bundle.units)
        filled = fill_missing(converted, present, typical, bundle.units)
        own = covariates.of(names, filled)
        decision = decide(bundle.model, filled, present, missing, own.columns)
        fit = assess_applicability(bundle.reference, converted, present, decision.standardised)
    flags = [(*one, BEYOND) if beyond else one for one, beyond in zip(fit.flags, own.reasons, strict=True)]
    reasons = ["; ".join(filter(None, both)) for both in zip(fit.reasons, own.reasons, strict=True)]
    performance, null, outcome = bundle.performance, bundle.null, bundle.outcome
    low, high = performance.concordance_ci
    table: dict[str, Any] = {
        "sample": names,
        "predicted": decision.log_odds,
        "outside_training": (decision.log_odds < outcome.low) | (decision.log_odds > outcome.high),
        "abstain": [bool(one) for one in flags],
        "reason": reasons,
        "flags": ["|".join(one) for one in flags],
        "coverage": matched.coverage.weight,
        "gene_coverage": matched.coverage.genes,
        "reference_correlation": fit.correlation,
        "distance": fit.distance,
        "distance_percentile": fit.percentile,
        "library_size": fit.library if units == "counts" else np.nan,
        "verdict": bundle.verdict.level,
        "verdict_concordance": _number(performance.concordance),
        "verdict_concordance_low": _number(low),
        "verdict_concordance_high": _number(high),
        "verdict_p": _number(None if null is None else null.p_value),
        "worth": worth_of(bundle),
    }
    weight = np.array(list(bundle.feature_weight.values()))
    for column in np.argsort(-weight, kind="stable")[:_FEATURES_SHOWN]:
        table[f"feature:{bundle.model.features_[column]}"] = decision.features[:, column]
    return pd.DataFrame(table)


def worth_of(bundle: GradedBundle) -> str:
    """Return what a prediction is worth by the verdict of the training, in one sentence."""
    performance, null, column = bundle.performance, bundle.null, bundle.outcome.column
    numbers = []
    if performance.concordance is not None:
        numbers.append(f"concordance {performance.concordance:.2f}")
        low, high = performance.concordance_ci
        numbers += [] if low is None or high is None else [f"95 % interval {low:.2f} to {high:.2f}"]
    numbers += [] if null is None else [f"p = {null.p_value:.2g}"]
    told = f" ({', '.join(numbers)})" if numbers else ""
    if bundle.verdict.level == "evidence":
        return (
            f"Held-out training subjects were predicted in the order of {column}{told}; a prediction is worth that in samples like "
            "those, and less elsewhere. Predictions are drawn towards the mean: read their order."
        )
    return (
        f"The verdict of the training is '{bundle.verdict.level}'{told}: a prediction of {column} may be no more than chance; used "
        "all the same, as requested."
    )


def evaluate_predictions(table: pd.DataFrame, sheet: pd.DataFrame, column: str) -> dict[str, Any] | None:
    """Return how predictions agree with the outcomes of a sample sheet, one value per subject; None where it has none.

    Parameters
    ----------
    table
        Predictions.
    sheet
        Under canonical names, with a column ``sample``.
    column
        The outcome.
    """
    if column not in sheet.columns:
        return None
    rows = sheet.assign(sample=sheet["sample"].astype(str)).drop_duplicates("sample").set_index("sample")
    listed = table[table["sample"].astype(str).isin(rows.index)]
    own = rows.loc[listed["sample"].astype(str).tolist()]
    frame = pd.DataFrame({
        "subject": (own["subject"] if "subject" in own else own.index.to_series()).astype(str).to_numpy(),
        "outcome": read_behaviour(own, column),
        "predicted": listed["predicted"].to_numpy(),
    }).dropna()  # fmt: skip
    subjects = frame.groupby("subject").mean()
    outcome, predicted = subjects["outcome"].to_numpy(), subjects["predicted"].to_numpy()
    share = concordance(outcome, predicted) if len(subjects) else float("nan")
    if np.isnan(share):
        return None
    return {
        "subjects": len(subjects),
        "concordance": share,
        "mean_absolute_error": float(np.mean(np.abs(outcome - predicted))),
    }


def refuse_options(**options: object) -> None:
    """Refuse options of `score` that are made for two classes.

    Raises
    ------
    BundleError
        Naming those that were used.
    """
    used = [f"--{name.replace('_', '-')}" for name, value in options.items() if value]
    if used:
        raise BundleError(
            f"{', '.join(used)} is for models of two classes, and this one predicts a graded outcome. Leave it out."
        )


def _summary_path(out: Path) -> Path:
    return out.with_name(f"{out.stem}.summary.json")


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
