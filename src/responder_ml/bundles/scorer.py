"""Scores of samples by a bundle: each sample's probability, its uncertainty, and whether the model applies to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from responder_ml.arrays import Floats
from responder_ml.bundles.bundle import Bundle
from responder_ml.bundles.sample_covariates import BEYOND, SampleCovariates
from responder_ml.cohort.alignment import MatchedGenes, match_genes
from responder_ml.cohort.expression_source import ExpressionSource
from responder_ml.errors import BundleError
from responder_ml.evaluation.applicability import assess_applicability
from responder_ml.evaluation.batch_alignment import ASSUMPTION, BatchAlignment
from responder_ml.evaluation.calibration import ALPHA, shift_prior
from responder_ml.evaluation.external_validation import TRAINING
from responder_ml.evaluation.fingerprints import NearestTraining
from responder_ml.evaluation.model_units import ModelUnits, Transport
from responder_ml.features.missing_genes import fill_gaps, fill_missing
from responder_ml.features.tmm import shared_factors
from responder_ml.search.missing_gene_policy import decide

# Most features whose values a table shows, those of greatest weight first.
_FEATURES_SHOWN = 20
# Of the outer models' probabilities, in the first format.
_INTERVAL = (0.025, 0.975)
# A spread needs two models.
_FEWEST_FOLDS = 2
_CALIBRATED = "mean of the final and the outer models, calibrated on held-out decisions."
_NOT_CALIBRATED = (
    "final model alone, not calibrated; the interval, if any, is of the outer models and need not hold it. Train again for "
    "calibrated scores."
)
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
    transport
        What brings samples to the training data.
    covariates
        Of the samples, for a model that is adjusted for some.

    Raises
    ------
    SampleSheetError
        The model is adjusted for covariates, and there are none.
    """

    def __init__(
        self,
        bundle: Bundle,
        matched: MatchedGenes,
        units: str,
        missing: str,
        prior: float | None,
        alignment: BatchAlignment | None = None,
        transport: Transport = "none",
        covariates: SampleCovariates | None = None,
    ) -> None:
        self._bundle = bundle
        self._covariates = SampleCovariates(bundle, ()) if covariates is None else covariates
        self._matched = matched
        self._units = units
        self._missing = missing
        self._prior = prior
        self._alignment = alignment
        self._scale = ModelUnits(
            matched,
            units,
            bundle.units,
            bundle.reference.typical,
            by_order=bundle.by_order,
            alignment=alignment,
            transport=transport,
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
        nearest = None if bundle.fingerprints is None else bundle.fingerprints.nearest(values, present)
        values = fill_gaps(self._scale.convert(names, values), present, typical, bundle.units)
        filled = fill_missing(values, present, typical, bundle.units)
        covariates = self._covariates.of(names, filled)
        decision = decide(bundle.model, filled, present, self._missing, covariates.columns)
        fit = assess_applicability(bundle.reference, values, present, decision.standardised, bundle.markers)
        outer = [
            decide(model, filled, present, self._missing, covariates.columns).log_odds for model in bundle.outer_models
        ]
        scores = self._scores(decision.log_odds, np.stack(outer) if outer else np.empty((0, len(names))))
        flags, reasons = _with_covariates(fit.flags, fit.reasons, covariates.reasons)
        flags, reasons = _with_copies(flags, reasons, nearest)
        positive, negative = bundle.classes
        columns: dict[str, Any] = {
            "sample": list(names),
            "probability": expit(scores.log_odds),
            "log_odds": scores.log_odds,
            "predicted": np.where(scores.log_odds > self.threshold, positive, negative).tolist(),
            **scores.interval,
            **self._prediction_sets(scores.decisions),
            "abstain": [bool(of_sample) for of_sample in flags],
            "reason": list(reasons),
            "flags": ["|".join(of_sample) for of_sample in flags],
            "coverage": self._matched.coverage.weight,
            "gene_coverage": self._matched.coverage.genes,
            "expected_auroc": self._expected.get("at_this_coverage", np.nan),
            "reference_correlation": fit.correlation,
            "distance": fit.distance,
            "distance_percentile": fit.percentile,
            "library_size": fit.library if self._units == "counts" else np.nan,
            "nearest_training": "" if nearest is None else nearest.names.tolist(),
            "nearest_agreement": np.nan if nearest is None else nearest.agreement,
            **bundle.worth.columns,
        }
        for column in self._shown:
            columns[f"feature:{bundle.model.features_[column]}"] = decision.features[:, column]
        return pd.DataFrame(columns)

    @property
    def threshold(self) -> float:
        """Log-odds above which a sample is called positive, on the scale of the table."""
        cut, line = self._bundle.manifest.threshold, self._bundle.calibration
        return cut if line is None else line.intercept + line.slope * cut

    @property
    def held_out_probabilities(self) -> tuple[Floats, ...]:
        """Probabilities of the positive and of the negative training subjects when held out; empty if not packed."""
        scores, line = self._bundle.calibration_scores, self._bundle.calibration
        if scores is None:
            return ()
        of_classes = (scores.positive, scores.negative)
        return tuple(expit((values if line is None else line.log_odds(values)) + self._shift) for values in of_classes)

    def _scores(self, of_model: Floats, of_outer: Floats) -> "_Scores":
        """Return decisions, log-odds and interval: of the mean of all models, or of the final model in the first format."""
        line = self._bundle.calibration
        if line is None:
            interval = {}
            if len(of_outer):
                low, high = np.quantile(expit(of_outer + self._shift), _INTERVAL, axis=0)
                interval = {"probability_low": low, "probability_high": high}
            return _Scores(of_model, of_model + self._shift, interval)
        decisions = np.mean([of_model, *of_outer], axis=0)
        log_odds = line.log_odds(decisions) + self._shift
        if len(of_outer) < _FEWEST_FOLDS:
            return _Scores(decisions, log_odds, {})
        half = line.half_width(decisions, of_outer)
        return _Scores(
            decisions,
            log_odds,
            {"probability_low": expit(log_odds - half), "probability_high": expit(log_odds + half)},
        )

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
            "covariates": [covariate.name for covariate in self._bundle.covariates],
            "without_covariates": self._covariates.note or None,
            "aligned_batches": self._alignment and {"sizes": self._alignment.sizes, "assumption": ASSUMPTION},
            "expected_auroc": self._expected or _NO_EXPECTATION,
            "prior": self._prior,
            "threshold": self.threshold,
            "calibrated": manifest.calibration is not None,
            "scale": _CALIBRATED if manifest.calibration else _NOT_CALIBRATED,
            "assumed_share": manifest.prevalence if self._prior is None else self._prior,
            "training": table.loc[
                table["flags"].str.split("|").map(lambda flags: TRAINING in flags), "sample"
            ].tolist(),
            "training_unknown": self._why_not_compared(table),
            "prediction_sets": self._no_sets or f"at {1 - ALPHA:.0%}",
        }

    def _why_not_compared(self, table: pd.DataFrame) -> str | None:
        if self._bundle.fingerprints is None:
            return "This bundle has no fingerprints of its training samples, so whether samples were in training is not known."
        if table["nearest_agreement"].isna().all():
            return "Too few genes are measured to compare samples with the training samples."
        return None

    def _prediction_sets(self, decisions: Floats) -> dict[str, list[str]]:
        scores = self._bundle.calibration_scores
        if scores is None or self._no_sets:
            return {}
        classes = self._bundle.classes
        # Samples x classes, positive first.
        possible = scores.sets(decisions)
        return {
            "prediction_set": [
                "|".join(name for name, is_possible in zip(classes, row, strict=True) if is_possible)
                for row in possible
            ]
        }


@dataclass(frozen=True)
class _Scores:
    """Decisions on some samples, the log-odds made of them, and the ends of their probabilities' intervals by column."""

    decisions: Floats
    log_odds: Floats
    interval: dict[str, Floats]


def _with_copies(
    flags: Sequence[tuple[str, ...]], reasons: Sequence[str], nearest: NearestTraining | None
) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return flags and reasons with those of samples that were in training, which come first."""
    if nearest is None:
        return list(flags), list(reasons)
    words = [
        f"same expression as training sample {name} ({agreement:.1%} of gene pairs in the same order)"
        if is_copy
        else ""
        for name, agreement, is_copy in zip(nearest.names, nearest.agreement, nearest.is_copy, strict=True)
    ]
    return (
        [(TRAINING, *of_sample) if copy else of_sample for copy, of_sample in zip(words, flags, strict=True)],
        ["; ".join(filter(None, (copy, reason))) for copy, reason in zip(words, reasons, strict=True)],
    )


def _with_covariates(
    flags: Sequence[tuple[str, ...]], reasons: Sequence[str], beyond: Sequence[str]
) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return flags and reasons with those of samples whose covariates are outside the range of training, which come last."""
    return (
        [(*of_sample, BEYOND) if reason else of_sample for of_sample, reason in zip(flags, beyond, strict=True)],
        ["; ".join(filter(None, parts)) for parts in zip(reasons, beyond, strict=True)],
    )


def _expected_auroc(bundle: Bundle, matched: MatchedGenes, missing: str) -> dict[str, float]:
    """Return the AUROC of the outer models' held-out rows with all genes and with those present; nothing where impossible."""
    if bundle.held_out_features is None or not bundle.held_out_classifiers:
        return {}
    everything = np.ones_like(matched.is_present)
    return {
        "all_genes": bundle.held_out_features.auroc(bundle.held_out_classifiers, everything, missing),
        "at_this_coverage": bundle.held_out_features.auroc(bundle.held_out_classifiers, matched.is_present, missing),
    }


def _why_no_sets(bundle: Bundle) -> str:
    if bundle.calibration_scores is None:
        return "The bundle has no held-out decisions, so prediction sets are impossible."
    return bundle.calibration_scores.why_impossible()
