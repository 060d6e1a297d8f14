"""Score strangers: load bundle -> align genes -> check applicability -> score -> table."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from responder_ml.align_batches import align_batches
from responder_ml.arrays import Floats
from responder_ml.build import build_genes
from responder_ml.bundles.bundle import Bundle, read_bundle
from responder_ml.cohort.alignment import Matched, match_genes
from responder_ml.cohort.expression_source import ExpressionSource, open_expression
from responder_ml.cohort.sample_table import check_suffix, write_sample_table
from responder_ml.config import load_genes
from responder_ml.evaluation.applicability import assess_applicability
from responder_ml.evaluation.batch_alignment import ASSUMPTION, BatchAlignment
from responder_ml.evaluation.calibration import ALPHA, shift_prior
from responder_ml.evaluation.model_units import ModelUnits
from responder_ml.features.missing_genes import fill_missing
from responder_ml.features.tmm import shared_factors
from responder_ml.records.files import write_text
from responder_ml.score_evaluation import evaluate
from responder_ml.search.missing_gene_policy import check_policy, decide

FEATURES_SHOWN = 20
"""Most features whose values a table shows, those that weigh most first."""
# Samples read and scored at once: 20,000 genes of these are 330 and 40 MB. Columns of a Parquet file cost time by the piece.
_READ, _BLOCK = 2048, 256
_INTERVAL = (0.025, 0.975)
_NO_EXPECTATION = (
    "The bundle carries no held-out rows of outer models, so what it is worth with genes missing cannot be told."
)


def score(
    bundle_folder: Path,
    expression: Path,
    *,
    samples: Path | None = None,
    units: str | None = None,
    out: Path | None = None,
    prior: float | None = None,
    missing: str = "impute",
    gene_map: Path | None = None,
    align_batch: str | None = None,
) -> pd.DataFrame:
    """Score the samples of an expression file with a bundle.

    A sample's numbers depend on the bundle and on that sample alone, never on what else is in the file.

    Parameters
    ----------
    bundle_folder
        What ``train`` wrote.
    expression
        CSV, TSV, Parquet, Excel or h5ad; the model's genes tell its orientation.
    samples
        Sample sheet; where it has the endpoint's column the scores are evaluated on it. Labels are never used to score.
    units
        Of the expression; the bundle's if not given.
    out
        Table to write (``.csv``, ``.tsv``, ``.xlsx``, ``.parquet``, ``.h5ad``); a summary beside it as
        ``.summary.json``.
    prior
        Share of positives in the population aimed at; the training share if not given.
    align_batch
        Column of the sample sheet that names batches to align to the training samples; see `batch_alignment`. Never by
        default: only then do a sample's numbers depend on others, those of its batch.
    missing
        What becomes of missing genes: ``impute``, ``skip`` or ``refuse``; see `search.incomplete.decide`.
    gene_map
        Table that translates the file's gene names into the model's, or a YAML file with the keys of ``cohort.genes``.

    Returns
    -------
    pandas.DataFrame
        One row per sample, columns as in `COLUMNS`; ``attrs["summary"]`` holds what concerns all rows.

    Raises
    ------
    BundleError, CoverageError, CohortError, EndpointError
        The bundle cannot be trusted, too many genes are missing, the table cannot be used, or the prior is no share.
    """
    check_policy(missing)
    if out is not None:
        check_suffix(out)
    bundle = read_bundle(bundle_folder)
    units = units or bundle.units
    translation = None if gene_map is None else build_genes(load_genes(gene_map))
    source = open_expression(expression, bundle.genes, translation=translation, units=units)
    matched = match_source(bundle, source)
    alignment = None
    if align_batch is not None:
        alignment = align_batches(
            bundle, matched, units, source.samples, _blocks(source, matched), samples, align_batch
        )
    scorer = Scorer(bundle, matched, units, missing, prior, alignment)
    table = pd.concat(_score_blocks(scorer, _blocks(source, matched), len(source.samples)), ignore_index=True)
    summary = {**scorer.summary(table), "gene_map": source.gene_map}
    if samples is not None:
        summary["evaluation"] = evaluate(table, samples, bundle)
    table.attrs["summary"] = summary
    if out is not None:
        write_sample_table(table, out, expression)
        write_text(out.with_name(f"{out.stem}.summary.json"), json.dumps(summary, indent=1, allow_nan=False) + "\n")
    return table


def match_source(bundle: Bundle, source: ExpressionSource) -> Matched:
    """Find a bundle's genes in a file, or refuse the file for lack of them."""
    return match_genes(
        source.genes,
        bundle.genes,
        bundle.genes_of_features(),
        feature_weight=bundle.feature_weight,
        least_weight=bundle.manifest["coverage"]["weight"],
        least_genes=bundle.manifest["coverage"]["genes"],
    )


COLUMNS = {
    "sample": "sample name",
    "probability": "of the positive class, after any prior shift",
    "log_odds": "the same as log-odds",
    "predicted": "class on whose side of the bundle's threshold the log-odds lie",
    "probability_low": "2.5 % quantile of the probability over the outer models, where the bundle carries them",
    "probability_high": "97.5 % quantile",
    "prediction_set": "classes the sample may belong to at 90 %, joined by |; empty if neither; absent where impossible",
    "abstain": "true where the model is not entitled to an opinion",
    "reason": "why",
    "flags": "limits crossed: profile, distance, depth, region, contamination",
    "coverage": "share of the gene weight behind the model's features that the table has",
    "gene_coverage": "share of the training genes that the table has",
    "expected_auroc": "AUROC of held-out training rows scored again without the genes this table lacks; empty where impossible",
    "reference_correlation": "Spearman correlation with the training profile",
    "distance": "Mahalanobis distance from training in feature space",
    "distance_percentile": "percentage of left-out training samples that were nearer",
    "library_size": "counts over the training genes found; empty unless the table holds counts",
}
"""Columns of the table; ``feature:NAME`` columns with the leading features' values follow."""


class Scorer:
    """Turns blocks of samples into rows of the table.

    Parameters
    ----------
    bundle
        The model and its knowledge.
    matched
        The file's genes held against the model's.
    units
        Of the file.
    missing, prior
        As for `score`.
    alignment
        Of the file's batches, if that was asked for.
    """

    def __init__(
        self,
        bundle: Bundle,
        matched: Matched,
        units: str,
        missing: str,
        prior: float | None,
        alignment: BatchAlignment | None = None,
    ) -> None:
        self._bundle = bundle
        self._matched = matched
        self._units = units
        self._missing = missing
        self._prior = prior
        self._alignment = alignment
        self._scale = ModelUnits(
            matched, units, bundle.units, bundle.reference.typical, by_order=bundle.by_order, alignment=alignment
        )
        # A change of prior moves all log-odds together, by what it does to even odds.
        prevalence = float(bundle.manifest["prevalence"])
        self._shift = 0.0 if prior is None else float(logit(shift_prior([0.5], prevalence, prior))[0])
        weight = np.array(list(bundle.feature_weight.values()))
        self._shown = np.argsort(-weight, kind="stable")[:FEATURES_SHOWN]
        self._no_sets = _why_no_sets(bundle)
        self._expected = _expect(bundle, matched, missing)

    def rows(self, names: Sequence[str], present: Floats) -> pd.DataFrame:
        """Score samples x found genes in the file's units."""
        with shared_factors():
            return self._rows(names, present)

    def _rows(self, names: Sequence[str], present: Floats) -> pd.DataFrame:
        bundle, found, typical = self._bundle, self._matched.found, self._bundle.reference.typical
        values = self._scale.convert(names, present)
        filled = fill_missing(values, found, typical, bundle.units)
        decision = decide(bundle.model, filled, found, self._missing)
        fit = assess_applicability(bundle.reference, values, found, decision.standardised, bundle.markers)
        log_odds = decision.log_odds + self._shift
        positive, negative = bundle.classes
        columns: dict[str, Any] = {
            "sample": list(names),
            "probability": expit(log_odds),
            "log_odds": log_odds,
            "predicted": np.where(log_odds > bundle.manifest["threshold"], positive, negative).tolist(),
            **self._interval(filled),
            **self._sets(decision.log_odds),
            "abstain": [bool(flags) for flags in fit.flags],
            "reason": list(fit.reasons),
            "flags": ["|".join(flags) for flags in fit.flags],
            "coverage": self._matched.coverage.weight,
            "gene_coverage": self._matched.coverage.genes,
            "expected_auroc": self._expected.get("at_this_coverage", np.nan),
            "reference_correlation": fit.correlation,
            "distance": fit.distance,
            "distance_percentile": fit.percentile,
            "library_size": fit.library if self._units == "counts" else np.nan,
        }
        for column in self._shown:
            columns[f"feature:{bundle.model.features_[column]}"] = decision.features[:, column]
        return pd.DataFrame(columns)

    def summary(self, table: pd.DataFrame) -> dict[str, Any]:
        """Return what concerns all rows of a table."""
        manifest, coverage = self._bundle.manifest, self._matched.coverage
        return {
            "bundle": manifest["name"],
            "simulated": manifest["simulated"],
            "verdict": (manifest["training"].get("verdict") or {}).get("sentence"),
            "limits": manifest["limits"],
            "units": self._units,
            "samples": len(table),
            "abstained": int(table["abstain"].sum()),
            "coverage": {"weight": coverage.weight, "genes": coverage.genes, "features": coverage.features},
            "missing_genes": list(coverage.missing),
            "missing": self._missing,
            "by_order": self._scale.note or None,
            "aligned_batches": self._alignment and {"sizes": self._alignment.sizes, "assumption": ASSUMPTION},
            "expected_auroc": self._expected or _NO_EXPECTATION,
            "prior": self._prior,
            "threshold": manifest["threshold"],
            "prediction_sets": self._no_sets or f"at {1 - ALPHA:.0%}",
        }

    def _interval(self, filled: Floats) -> dict[str, Floats]:
        models, found = self._bundle.models, self._matched.found
        if not models:
            return {}
        log_odds = [decide(model, filled, found, self._missing).log_odds for model in models]
        low, high = np.quantile(expit(np.stack(log_odds) + self._shift), _INTERVAL, axis=0)
        return {"probability_low": low, "probability_high": high}

    def _sets(self, log_odds: Floats) -> dict[str, list[str]]:
        held_out = self._bundle.held_out
        if held_out is None or self._no_sets:
            return {}
        classes = self._bundle.classes
        kept = held_out.sets(log_odds)
        return {
            "prediction_set": [
                "|".join(name for name, there in zip(classes, row, strict=True) if there) for row in kept
            ]
        }


def _blocks(source: ExpressionSource, matched: Matched) -> Iterator[tuple[list[str], Floats]]:
    """Yield names and samples x found genes, a few samples at a time."""
    for start in range(0, len(source.samples), _READ):
        names = list(source.samples[start : start + _READ])
        values = source.block(np.arange(start, start + len(names)), matched.place)
        for first in range(0, len(names), _BLOCK):
            yield names[first : first + _BLOCK], values[first : first + _BLOCK]


def _score_blocks(scorer: Scorer, blocks: Iterator[tuple[list[str], Floats]], n_samples: int) -> list[pd.DataFrame]:
    """Score blocks, several at once on threads: numpy lets others run while it counts, and nothing is copied."""
    from joblib import Parallel, delayed

    if n_samples <= _BLOCK:
        return [scorer.rows(names, values) for names, values in blocks]
    threads = Parallel(n_jobs=-1, backend="threading", pre_dispatch="n_jobs")
    return list(threads(delayed(scorer.rows)(names, values) for names, values in blocks))


def _expect(bundle: Bundle, matched: Matched, missing: str) -> dict[str, float]:
    """Return the AUROC of the outer models' held-out rows with all genes and with those found; nothing where impossible."""
    if bundle.outer is None or not bundle.models:
        return {}
    everything = np.ones_like(matched.found)
    return {
        "all_genes": bundle.outer.auroc(bundle.models, everything, missing),
        "at_this_coverage": bundle.outer.auroc(bundle.models, matched.found, missing),
    }


def _why_no_sets(bundle: Bundle) -> str:
    if bundle.held_out is None:
        return "The bundle carries no held-out decisions, so prediction sets are impossible."
    return bundle.held_out.why_impossible()
