"""Score new samples with a bundle of several classes: each pair's scores, coupled to one probability for each class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.bundles.class_bundle import ClassBundle, read_class_bundle
from responder_ml.bundles.manifest import MANIFEST
from responder_ml.errors import BundleError
from responder_ml.evaluation.class_predictions import evaluate_classes, prediction_columns
from responder_ml.evaluation.external_validation import TRAINING, read_sheet_of_samples
from responder_ml.report.class_scores import write_class_scores_page
from responder_ml.score import check_outputs, score, write_scores
from responder_ml.statistics.pairwise_coupling import couple

LOG_ODDS = "log_odds:"
"""Begins the name of a pair's column of log-odds of its positive class; the pair follows."""
_SCALE = "coupled from the probabilities of every two classes, which are calibrated on held-out decisions where there are any."
# What the summary of all classes has from that of the first pair, since all pairs say the same.
_SHARED = (
    "limits",
    "units",
    "samples",
    "missing_genes",
    "missing",
    "by_order",
    "covariates",
    "without_covariates",
    "aligned_batches",
    "training_unknown",
    "gene_map",
    "reading",
)


def score_classes(
    bundle_folder: Path,
    expression: Path,
    *,
    samples: Path | None = None,
    out: Path | None = None,
    report: Path | None = None,
    prior: float | None = None,
    anyway: bool = False,
    columns: Mapping[str, str] | None = None,
    gene_map: Path | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Score the samples of an expression file with every pair of classes, and couple what they say.

    Parameters
    ----------
    bundle_folder
        Folder that ``train`` wrote for an endpoint with ``classes``.
    expression, samples, out, anyway, columns, gene_map, **options
        As for `responder_ml.score.score`.
    report
        Page to write, one HTML file that needs nothing else.
    prior
        Is of two classes, and refused.

    Returns
    -------
    pandas.DataFrame
        One row per sample; ``docs/scoring.md`` describes the columns. ``attrs["summary"]`` holds what concerns all rows. A sample
        is flagged where the models of all pairs flag it, since one of a third class need not be like the two of a pair, or where
        it was in training.

    Raises
    ------
    ResponderError
        As for `responder_ml.score.score`, or the training gave no evidence on all classes together.
    """
    if prior is not None:
        raise BundleError(
            f"--prior is of two classes, and {bundle_folder} has several. Leave it out, or score with the bundle of two of them, "
            "which lies in that folder."
        )
    check_outputs(out, report, [expression, samples, gene_map, bundle_folder / MANIFEST])
    bundle = read_class_bundle(bundle_folder)
    bundle.worth.require_evidence(str(bundle_folder), anyway=anyway)
    # The verdict on all classes decides; that of a pair does not.
    options = {**options, "samples": samples, "columns": columns, "gene_map": gene_map, "anyway": True}
    tables = {pair: score(folder, expression, **options) for pair, folder in bundle.folders.items()}
    table = _couple_tables(bundle, tables)
    table.attrs["summary"] = _summarise(bundle, table, list(tables.values()))
    if samples is not None:
        sheet = read_sheet_of_samples(samples, bundle.pairs[0].columns, columns or {})
        evaluation, labels = evaluate_classes(table, sheet, samples.name, bundle.manifest.column, bundle.classes)
        of_pairs = [pair["evaluation"] for pair in table.attrs["summary"]["pairs"]]
        if evaluation is not None and all(of_pairs):
            evaluation["macro_auroc"] = float(np.mean([of_pair["auroc"] for of_pair in of_pairs]))
        table.attrs["summary"] |= {"evaluation": evaluation, "labels": labels}
    if out is not None:
        write_scores(table, out, expression)
    if report is not None:
        write_class_scores_page(table, report, expression.name, bundle.classes)
    return table


def _couple_tables(bundle: ClassBundle, tables: Mapping[tuple[int, int], pd.DataFrame]) -> pd.DataFrame:
    """Return one table of the tables of all pairs, whose rows are the same samples."""
    classes, parts = bundle.classes, list(tables.values())
    log_odds = {pair: table["log_odds"].to_numpy() for pair, table in tables.items()}
    probabilities = couple(log_odds, len(classes))
    flags = [_common_flags(of_pairs) for of_pairs in zip(*(part["flags"] for part in parts), strict=True)]
    reasons = [_distinct(of_pairs) for of_pairs in zip(*(part["reason"] for part in parts), strict=True)]
    closest = np.argmax([part["nearest_agreement"].fillna(-1.0) for part in parts], axis=0)
    nearest = {
        name: np.array([part[name] for part in parts], dtype=object)[closest, np.arange(len(closest))].tolist()
        for name in ("nearest_training", "nearest_agreement")
    }
    worth = {name: value for name, value in bundle.worth.columns.items() if name not in _NO_INTERVAL}
    return pd.DataFrame(
        {
            "sample": parts[0]["sample"],
            **prediction_columns(classes, probabilities),
            "abstain": [bool(of_sample) for of_sample in flags],
            "reason": [reason if of_sample else "" for reason, of_sample in zip(reasons, flags, strict=True)],
            "flags": ["|".join(of_sample) for of_sample in flags],
            "coverage": np.min([part["coverage"] for part in parts], axis=0),
            "gene_coverage": parts[0]["gene_coverage"],
            "library_size": parts[0]["library_size"],
            **nearest,
            **{
                f"{LOG_ODDS}{own.folder}": values
                for own, values in zip(bundle.manifest.pairs, log_odds.values(), strict=True)
            },
            **worth,
        }
    )


# The mean over pairs has no interval.
_NO_INTERVAL = ("verdict_auroc_low", "verdict_auroc_high")


def _common_flags(of_pairs: Sequence[str]) -> tuple[str, ...]:
    """Return the flags of a sample that all pairs give, and that it was in training where any recognised it."""
    sets = [of_pair.split("|") if of_pair else [] for of_pair in of_pairs]
    every = dict.fromkeys(flag for flags in sets for flag in flags)
    return tuple(flag for flag in every if flag == TRAINING or all(flag in flags for flags in sets))


def _distinct(reasons: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(part for reason in reasons for part in str(reason).split("; ") if part))


def _summarise(bundle: ClassBundle, table: pd.DataFrame, parts: Sequence[pd.DataFrame]) -> dict[str, Any]:
    """Return what concerns all rows."""
    manifest, worth, of_pairs = bundle.manifest, bundle.worth, [part.attrs["summary"] for part in parts]
    expected = [summary["expected_auroc"] for summary in of_pairs]
    return {
        "bundle": manifest.name,
        "classes": list(bundle.classes),
        "simulated": manifest.simulated,
        "verdict": worth.verdict or None,
        "verdict_level": worth.level,
        "verdict_auroc": worth.auroc,
        "verdict_null_mean": worth.null_mean,
        "verdict_p": worth.p_value,
        "worth": worth.sentence,
        "limits": manifest.limits,
        **{name: of_pairs[0][name] for name in _SHARED},
        "abstained": int(table["abstain"].sum()),
        "coverage": {name: min(summary["coverage"][name] for summary in of_pairs) for name in ("weight", "genes")},
        "expected_auroc": {
            name: float(np.mean([of_pair[name] for of_pair in expected])) for name in ("all_genes", "at_this_coverage")
        }
        if all(isinstance(of_pair, dict) for of_pair in expected)
        else "",
        "training": table["sample"][
            table["flags"].str.split("|").map(lambda flags: TRAINING in flags).astype(bool)
        ].tolist(),
        "scale": _SCALE,
        "assumed_shares": manifest.training.get("n"),
        "pairs": [
            {
                "positive": own.positive,
                "negative": own.negative,
                "bundle": own.folder,
                "verdict_level": summary["verdict_level"],
                "calibrated": summary["calibrated"],
                "evaluation": summary.get("evaluation"),
            }
            for own, summary in zip(manifest.pairs, of_pairs, strict=True)
        ],
    }
