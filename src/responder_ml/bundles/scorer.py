"""Scores of samples by a bundle: each sample's probability, its uncertainty, and whether the model applies to it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from responder_ml.arrays import Floats
from responder_ml.bundles.bundle import Bundle
from responder_ml.cohort.alignment import MatchedGenes, match_genes
from responder_ml.cohort.expression_source import ExpressionSource
from responder_ml.errors import BundleError
from responder_ml.evaluation.applicability import assess_applicability
from responder_ml.evaluation.batch_alignment import ASSUMPTION, BatchAlignment
from responder_ml.evaluation.calibration import ALPHA, shift_prior
from responder_ml.evaluation.model_units import ModelUnits
from responder_ml.features.missing_genes import fill_missing
from responder_ml.features.tmm import shared_factors
from responder_ml.search.missing_gene_policy import decide

# Most features whose values a table shows, those of greatest weight first.
_FEATURES_SHOWN = 20
_INTERVAL = (0.025, 0.975)
_NO_EXPECTATION = (
    "The bundle has no held-out rows of outer models, so the performance with genes missing cannot be estimated."
)


def match_source(bundle: Bundle, source: ExpressionSource) -> MatchedGenes:
    """Find a bundle's genes in a table.

    Raises
    ------
    CoverageError
        The table lacks too many of them.
    BundleError
        The model compares the members of matched pairs, and the samples of a table are scored one by one.
    """
    pairs = (bundle.manifest.endpoint.model_extra or {}).get("pairs")
    if pairs is not None:
        endpoint = bundle.manifest.endpoint
        raise BundleError(
            f"This model compares the two members of a matched pair ('{pairs}'): it tells which of them is {endpoint.positive}, "
            "and cannot score single samples. Train on the same data without `endpoint.pairs` for a model that can."
        )
    return match_genes(
        source.genes,
        bundle.genes,
        bundle.genes_of_features(),
        feature_weight=bundle.feature_weight,
        least_weight=bundle.manifest.coverage.weight,
        least_genes=bundle.manifest.coverage.genes,
    )


class Scorer:
    """Turns blocks of samples into rows of the table of scores.

    A sample's row depends on the bundle and on that sample alone, unless its batch is aligned.

    Parameters
    ----------
    bundle
        The model, and what is known about its training samples.
    matched
        The table's genes matched to the model's.
    units
        Of the table.
    missing
        Policy for missing genes: ``impute``, ``skip`` or ``refuse``; see `search.missing_gene_policy`.
    prior
        Share of positives in the target population; None for the training share.
    alignment
        Of the table's batches, if requested.
    """

    def __init__(
        self,
        bundle: Bundle,
        matched: MatchedGenes,
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
        # A change of prior moves all log-odds by the same amount: by as much as it moves even odds.
        prevalence = bundle.manifest.prevalence
        self._shift = 0.0 if prior is None else float(logit(shift_prior([0.5], prevalence, prior))[0])
        weight = np.array(list(bundle.feature_weight.values()))
        self._shown = np.argsort(-weight, kind="stable")[:_FEATURES_SHOWN]
        self._no_sets = _why_no_sets(bundle)
        self._expected = _expected_auroc(bundle, matched, missing)

    def rows(self, names: Sequence[str], values: Floats) -> pd.DataFrame:
        """Score samples.

        Parameters
        ----------
        names
            Of the samples.
        values
            Samples x genes of the model that the table has, in the table's units.

        Returns
        -------
        One row per sample; ``docs/scoring.md`` describes the columns.
        """
        with shared_factors():
            return self._rows(names, values)

    def _rows(self, names: Sequence[str], values: Floats) -> pd.DataFrame:
        bundle, present, typical = self._bundle, self._matched.is_present, self._bundle.reference.typical
        values = self._scale.convert(names, values)
        filled = fill_missing(values, present, typical, bundle.units)
        decision = decide(bundle.model, filled, present, self._missing)
        fit = assess_applicability(bundle.reference, values, present, decision.standardised, bundle.markers)
        log_odds = decision.log_odds + self._shift
        positive, negative = bundle.classes
        columns: dict[str, Any] = {
            "sample": list(names),
            "probability": expit(log_odds),
            "log_odds": log_odds,
            "predicted": np.where(log_odds > bundle.manifest.threshold, positive, negative).tolist(),
            **self._interval(filled),
            **self._prediction_sets(decision.log_odds),
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
            **bundle.worth.columns,
        }
        for column in self._shown:
            columns[f"feature:{bundle.model.features_[column]}"] = decision.features[:, column]
        return pd.DataFrame(columns)

    def summary(self, table: pd.DataFrame) -> dict[str, Any]:
        """Return what concerns all rows of a table."""
        manifest, coverage, worth = self._bundle.manifest, self._matched.coverage, self._bundle.worth
        return {
            "bundle": manifest.name,
            "simulated": manifest.simulated,
            "verdict": worth.verdict or None,
            "verdict_level": worth.level,
            "verdict_auroc": worth.auroc,
            "verdict_auroc_ci": list(worth.auroc_ci),
            "verdict_p": worth.p_value,
            "worth": worth.sentence,
            "limits": manifest.limits,
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
            "threshold": manifest.threshold,
            "prediction_sets": self._no_sets or f"at {1 - ALPHA:.0%}",
        }

    def _interval(self, filled: Floats) -> dict[str, Floats]:
        models, present = self._bundle.outer_models, self._matched.is_present
        if not models:
            return {}
        log_odds = [decide(model, filled, present, self._missing).log_odds for model in models]
        low, high = np.quantile(expit(np.stack(log_odds) + self._shift), _INTERVAL, axis=0)
        return {"probability_low": low, "probability_high": high}

    def _prediction_sets(self, log_odds: Floats) -> dict[str, list[str]]:
        scores = self._bundle.calibration_scores
        if scores is None or self._no_sets:
            return {}
        classes = self._bundle.classes
        # Samples x classes, positive first.
        possible = scores.sets(log_odds)
        return {
            "prediction_set": [
                "|".join(name for name, is_possible in zip(classes, row, strict=True) if is_possible)
                for row in possible
            ]
        }


def _expected_auroc(bundle: Bundle, matched: MatchedGenes, missing: str) -> dict[str, float]:
    """Return the AUROC of the outer models' held-out rows with all genes and with those present; nothing where impossible."""
    if bundle.held_out_features is None or not bundle.outer_models:
        return {}
    everything = np.ones_like(matched.is_present)
    return {
        "all_genes": bundle.held_out_features.auroc(bundle.outer_models, everything, missing),
        "at_this_coverage": bundle.held_out_features.auroc(bundle.outer_models, matched.is_present, missing),
    }


def _why_no_sets(bundle: Bundle) -> str:
    if bundle.calibration_scores is None:
        return "The bundle has no held-out decisions, so prediction sets are impossible."
    return bundle.calibration_scores.why_impossible()
