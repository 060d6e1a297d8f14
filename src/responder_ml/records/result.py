"""Compose ``result.json``: the published, machine-readable answer of one run."""

import hashlib
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np

from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.findings import Finding
from responder_ml.evaluation.behaviour import compare_behaviour
from responder_ml.evaluation.calibration import calibrate
from responder_ml.evaluation.early_gene_ablation import GeneAblation
from responder_ml.evaluation.evidence import Evidence
from responder_ml.evaluation.intervals import auroc_interval, pairs_interval
from responder_ml.evaluation.metrics import Concordance, OutOfFold, auroc, balanced_accuracy, brier, matthews
from responder_ml.evaluation.permutation import NullResult
from responder_ml.evaluation.procedure import ObservedResult, Procedure, Refit
from responder_ml.evaluation.relabel import LARGEST_COUNT_SHOWN
from responder_ml.explanation.attribution import N_LEADING, Contributions, auto_models
from responder_ml.explanation.stability import Stability, selection_stability, top_features
from responder_ml.records.run import SCHEMA_VERSION
from responder_ml.search.candidate import AUTO

_REPORTED_VERSIONS = ("responder-ml", "numpy", "scipy", "pandas", "scikit-learn", "xgboost", "optuna", "shap", "mlflow")


class Clock:
    """Wall-clock seconds of named stages."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._laps: dict[str, float] = {}

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Time a stage."""
        begin = time.perf_counter()
        yield
        self._laps[name] = time.perf_counter() - begin

    def read(self) -> dict[str, float]:
        """Return seconds per stage and in total, to the millisecond."""
        total = time.perf_counter() - self._start
        return {name: round(seconds, 3) for name, seconds in {**self._laps, "total_s": total}.items()}


def compose_result(
    *,
    name: str,
    where: dict[str, Any],
    repeats: int,
    labelled: LabelledCohort,
    findings: tuple[Finding, ...],
    notes: tuple[str, ...],
    procedure: Procedure,
    observed: ObservedResult,
    pairs: Concordance | None,
    evidence: Evidence,
    explained: Contributions,
    without: GeneAblation,
    refit: Refit,
    timings: dict[str, float],
    seed: int,
) -> dict[str, Any]:
    """Return the content of ``result.json``; every number is finite or null.

    Parameters
    ----------
    name, where, repeats, seed
        From the job.
    labelled, findings, notes
        What was read, the audit, and what the number of subjects changed.
    procedure, observed, evidence, without, refit
        What was found.
    explained
        Held-out contributions of genes.
    pairs
        Leave-pair-out, where it was worked out.
    timings
        Seconds per stage.
    """
    positive = int(labelled.labels.sum())
    endpoint = labelled.endpoint
    return {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "simulated": bool(labelled.cohort.uns.get("simulated", False)),
        "endpoint": {
            "column": endpoint.column,
            "positive": endpoint.positive,
            "negative": endpoint.negative,
            "strata": list(endpoint.strata),
            "nuisance": list(endpoint.nuisance),
            "where": where,
            "among": {column: kept if isinstance(kept, str) else list(kept) for column, kept in endpoint.among.items()},
            "units": str(labelled.cohort.uns["units"]),
        },
        "n": {
            "samples": labelled.cohort.n_obs,
            "subjects": len(labelled.subjects),
            "positive": positive,
            "negative": len(labelled.subjects) - positive,
            "genes": labelled.cohort.n_vars,
        },
        "headline": {
            "candidate": AUTO,
            **_performance(observed.auto, seed),
            "leave_pair_out_auroc": None if pairs is None else _finite(float(pairs.auroc())),
            "leave_pair_out_ci": None if pairs is None else [_finite(end) for end in pairs_interval(pairs, seed)],
            "calibration": _calibration(observed),
        },
        "null": _null(evidence),
        "baselines": [
            {
                "name": each.name,
                "auroc": _finite(each.auroc),
                "gain": _finite(each.gain),
                "gain_ci": [_finite(end) for end in each.gain_interval],
            }
            for each in evidence.baselines
        ],
        "candidates": [
            {
                "name": each.name,
                "builder": each.builder_name,
                "classifier": each.classifier.name,
                **_performance(observed.candidates[each.name], seed),
                "chosen_share": round(observed.chosen_share(index), 6),
            }
            for index, each in enumerate(procedure.candidates)
        ],
        "audit": [{"code": each.code, "severity": each.severity, "message": each.message} for each in findings]
        + [{"code": "RML00", "severity": "info", "message": note} for note in notes],
        "without": [_without(without)],
        "behaviour": _behaviour(labelled, observed, seed),
        "verdict": {"level": evidence.verdict.level, "sentence": evidence.verdict.sentence},
        "stability": _stability(observed, procedure, explained),
        "search": {
            "repeats": repeats,
            "folds": procedure.plan.folds,
            "inner_folds": procedure.plan.inner_folds,
            "trials": procedure.plan.trials,
        },
        "refit": {"candidate": refit.name, "params": refit.params, "n_features": len(refit.model.features_)},
        "timings": timings,
        "versions": {"python": platform.python_version(), **{each: version(each) for each in _REPORTED_VERSIONS}},
        "gene_map": labelled.cohort.uns.get("gene_map"),
        "data_sha256": data_digest(labelled),
        "seed": seed,
    }


def limits_of(where: dict[str, Any]) -> list[str]:
    """Return what the model is not for, from the rows it was trained on."""
    kept = [f"{column} {value if isinstance(value, str) else ' or '.join(value)}" for column, value in where.items()]
    limits = ["Research only: it tells apart states of tissue taken after the outcome, and foretells nothing."]
    return limits + ([f"Trained on {', '.join(kept)} only."] if kept else [])


def data_digest(labelled: LabelledCohort) -> str:
    """Return the SHA-256 of all that was used.

    That is expression, genes, subjects, labels, strata and the sheet of the endpoint's rows, and expression and sheet of the
    samples outside it, from which some builders learn.
    """
    digest = hashlib.sha256()
    for cohort in (labelled.cohort, labelled.outside):
        digest.update(np.ascontiguousarray(cohort.X, dtype=np.float64).tobytes())
        digest.update(cohort.obs.to_csv(lineterminator="\n").encode())
    for names in (labelled.genes, labelled.subjects):
        digest.update("\x1f".join(map(str, names)).encode())
    digest.update(labelled.labels.tobytes())
    digest.update(labelled.strata.astype(np.int64).tobytes())
    return digest.hexdigest()


def _performance(found: OutOfFold, seed: int) -> dict[str, Any]:
    return {
        "auroc": _finite(auroc(found)),
        "auroc_ci": [_finite(end) for end in auroc_interval(found, seed)],
        "balanced_accuracy": _finite(balanced_accuracy(found)),
        "mcc": _finite(matthews(found)),
        "brier": _finite(brier(found)),
    }


def _calibration(observed: ObservedResult) -> dict[str, Any]:
    """Calibrate the subjects' mean log-odds over repeats; null where too few subjects allow no estimate."""
    found = calibrate(observed.auto.decisions.mean(axis=0), observed.auto.labels)
    return {
        "in_the_large": _finite(found.in_the_large),
        "intercept": _finite(found.intercept),
        "slope": _finite(found.slope),
    }


def _without(found: GeneAblation) -> dict[str, Any]:
    """Return the headline without some genes; numbers are null where the data have none of them or a builder needs them."""
    return {
        "name": found.name,
        "genes": list(found.genes),
        "auroc": _finite(found.auroc),
        "difference": _finite(found.difference),
        "difference_ci": None if found.interval is None else [_finite(end) for end in found.interval],
    }


def _behaviour(labelled: LabelledCohort, observed: ObservedResult, seed: int) -> dict[str, Any] | None:
    """Compare the subjects' mean held-out log-odds with the number behind their class; null where the sheet gave the class."""
    behaviour, rule = labelled.behaviour, labelled.endpoint.rule
    if behaviour is None or rule is None:
        return None
    found = compare_behaviour(
        observed.auto.decisions.mean(axis=0),
        behaviour,
        labelled.labels,
        labelled.strata,
        higher_is_positive=rule.above == "positive",
        seed=seed,
    )
    agreement = None if found is None else {name: _finite(value) for name, value in asdict(found).items()}
    return {"column": labelled.measured, **asdict(rule), "left_out": len(labelled.left_out[0]), "agreement": agreement}


def _null(evidence: Evidence) -> dict[str, Any] | None:
    if evidence.null is None:
        return None
    conditional = evidence.conditional
    return {**_one_null(evidence.null), "conditional": None if conditional is None else _one_null(conditional)}


def _one_null(null: NullResult) -> dict[str, Any]:
    return {
        "p_value": _finite(null.p_value),
        "p_interval": [_finite(end) for end in null.p_interval],
        "permutations": len(null.values),
        "labellings": null.labellings if null.labellings <= LARGEST_COUNT_SHOWN else None,
        "observed": round(null.observed, 5),
        "null_mean": _finite(null.mean),
        "null_sd": _finite(null.sd),
        "exact": null.exact,
        "stopped_early": null.stopped_early,
        "min_attainable_p": _finite(null.min_attainable_p),
    }


def _stability(observed: ObservedResult, procedure: Procedure, explained: Contributions) -> dict[str, Any]:
    """Compare the genes that auto's outer models use, and those of largest contribution in each repeat."""
    n_genes = len(procedure.search_data.genes)
    used = [procedure.genes_used(model) for model in auto_models(observed.results)]
    leading = top_features(explained.magnitude, N_LEADING)
    return {
        **_agreement(selection_stability(used, n_genes)),
        "of": "genes behind the features of auto's outer models",
        "models": len(used),
        "leading": {
            **_agreement(selection_stability(leading, n_genes)),
            "of": f"the {N_LEADING} genes of largest mean absolute held-out SHAP value in each repeat",
            "repeats": len(leading),
        },
    }


def _agreement(found: Stability | None) -> dict[str, Any]:
    return {
        "nogueira": None if found is None else _finite(found.value),
        "interval": None if found is None else [_finite(found.low), _finite(found.high)],
    }


def _finite(value: float | None) -> float | None:
    """Return a number JSON can hold; digits beyond the tenth differ between machines and say nothing."""
    return None if value is None or not np.isfinite(value) else round(float(value), 10)
