"""A bundle's manifest: what the model is, readable by a person and checked before anything is believed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from responder_ml.errors import BundleError
from responder_ml.evaluation.applicability import TrainingProfile
from responder_ml.evaluation.batch_alignment import BatchReference
from responder_ml.evaluation.calibration import CalibrationScores
from responder_ml.evaluation.held_out_features import HeldOutFeatures
from responder_ml.evaluation.marker_check import MarkerCheck
from responder_ml.search.prefix_model import PrefixModel

FORMAT_VERSION = 1
MANIFEST, MODEL, REFERENCE = "manifest.json", "model.skops", "reference.npz"
_LARGEST = 2**26

KEYS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "format_version": ((int,), "version of this layout"),
    "name": ((str,), "the job's name"),
    "simulated": ((bool,), "true where the model was trained on a simulated cohort"),
    "versions": ((dict,), "library versions it was written with"),
    "endpoint": ((dict,), "column, positive and negative class, strata, nuisance, rows kept (where), units"),
    "units": ((str,), "units of the training values: counts, log2 or tpm"),
    "genes": ((list,), "training genes, in the model's order"),
    "gene_ids": ((str,), "kind of identifiers they look like"),
    "features": ((list,), "each feature's name, genes, each gene's share of it, and the feature's weight in the model"),
    "coverage": ((dict,), "shares of feature-gene weight and of training genes below which a table is refused"),
    "training": ((dict,), "n, headline, null, verdict, seed and data digest of the run"),
    "limits": ((list,), "what the model is not for"),
    "threshold": ((int, float), "log-odds above which a sample is called positive"),
    "prevalence": ((int, float), "share of positives among the training subjects"),
    "reference": ((dict,), "training samples, and the limits of similarity, distance and library size they set"),
    "check": ((dict,), "what a typical training sample gets, recomputed and compared whenever the bundle is read"),
    "files": ((dict,), "SHA-256 and size of every other file"),
    "sha256": ((str,), "SHA-256 of everything else in the manifest, as JSON with sorted keys and no blanks"),
}
"""Keys of a manifest: allowed types, and what a stranger needs to know to read them."""


def describe_features(model: PrefixModel) -> list[dict[str, Any]]:
    """Return each feature with its genes, each one's share of it, and what it weighs in the model.

    A feature of a linear model weighs its share of the absolute coefficients; otherwise all weigh alike.
    """
    size = np.abs(np.asarray(getattr(model.classifier_, "coef_", np.ones(len(model.features_))), dtype=np.float64))
    if not size.sum() > 0:
        size = np.ones(len(size))
    return [
        {
            "name": name,
            "genes": [str(gene) for gene in members],
            "shares": [float(share) for share in shares],
            "weight": float(weight),
        }
        for (name, (members, shares)), weight in zip(model.genes_of_features().items(), size / size.sum(), strict=True)
    ]


def describe_training(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a run's result belongs to every use of its model."""
    kept = {name: result.get(name) for name in ("n", "headline", "null", "verdict", "seed", "data_sha256", "gene_map")}
    if kept["null"]:
        kept["null"] = {name: kept["null"].get(name) for name in ("p_value", "permutations", "null_mean", "exact")}
    return kept


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check a bundle's manifest; no other file is opened.

    Raises
    ------
    BundleError
        It is missing, damaged, altered or from a newer version.
    """
    path = folder / MANIFEST
    try:
        if path.stat().st_size > _LARGEST:
            raise BundleError(f"{path} is larger than any manifest. Use an intact copy.")
        manifest = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError, OSError) as problem:
        raise BundleError(f"{path} is damaged: {problem}. Use an intact copy.") from problem
    if not isinstance(manifest, dict):
        raise BundleError(f"{path} is not a manifest: it holds no keys. Use an intact copy.")
    _check_keys(manifest, path)
    if manifest["sha256"] != manifest_digest(manifest):
        raise BundleError(f"{path} was altered after it was written: its checksum does not match. Use an intact copy.")
    _check_content(manifest, path)
    return manifest


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest but for its own ``sha256``."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _check_keys(manifest: Mapping[str, Any], path: Path) -> None:
    version = manifest.get("format_version")
    if type(version) is int and version > FORMAT_VERSION:
        raise BundleError(
            f"{path.parent} has format version {version}, this program reads up to {FORMAT_VERSION}. "
            "Update responder_ml."
        )
    # type() and not isinstance(): JSON's true is an int to Python.
    wrong = [key for key, (types, _) in KEYS.items() if type(manifest.get(key)) not in types]
    if wrong or version != FORMAT_VERSION:
        raise BundleError(f"{path} lacks or garbles: {', '.join(wrong) or 'format_version'}. Use an intact copy.")


def _check_content(manifest: Mapping[str, Any], path: Path) -> None:
    """Check what lies inside the keys that scoring relies on."""
    endpoint, coverage, features = manifest["endpoint"], manifest["coverage"], manifest["features"]
    sound = {
        "endpoint": all(isinstance(endpoint.get(key), str) for key in ("column", "positive", "negative")),
        "units": manifest["units"] in ("counts", "log2", "tpm"),
        "genes": all(isinstance(gene, str) for gene in manifest["genes"]),
        "features": all(isinstance(each, dict) and _is_share(each.get("weight")) for each in features),
        "coverage": all(_is_share(coverage.get(key)) for key in ("weight", "genes")),
        "prevalence": 0 < manifest["prevalence"] < 1,
        "threshold": isfinite(manifest["threshold"]),
        "files": set(manifest["files"]) == {MODEL, REFERENCE}
        and all(isinstance(each, dict) for each in manifest["files"].values()),
    }
    wrong = [key for key, fine in sound.items() if not fine]
    if wrong:
        raise BundleError(f"{path} garbles: {', '.join(wrong)}. Use an intact copy.")


def _is_share(value: object) -> bool:
    return type(value) in (int, float) and 0.0 <= float(str(value)) <= 1.0


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number a manifest may hold")


# Library versions may differ in the last digits of a sum, not more.
_SAME = 1e-6


def check_values(
    models: Sequence[PrefixModel],
    reference: TrainingProfile,
    held_out: CalibrationScores | None,
    outer: HeldOutFeatures | None,
    markers: MarkerCheck | None,
    batch: BatchReference | None,
) -> dict[str, float]:
    """Return what the typical training sample gets, and the limits: every array has its say in one of these numbers."""
    typical = reference.typical[None]
    everything = np.ones(len(reference.typical), dtype=np.bool_)
    # A doctored reference may hold values no logarithm takes; the comparison with the manifest then fails.
    with np.errstate(all="ignore"):
        log_odds = np.concatenate([model.decision_function(typical) for model in models])
        values = {
            "log_odds": log_odds[0],
            "outer_log_odds": log_odds[1:].sum(),
            "correlation": np.nan_to_num(reference.correlate(typical, everything)[0]),
            "distance": reference.measure(models[0].standardised(typical))[0],
            "distance_percentile": reference.percentile(np.array([reference.greatest_distance]))[0],
            "least_correlation": reference.least_correlation,
            "greatest_distance": reference.greatest_distance,
            "least_library": reference.least_library,
            "p_values": 0.0 if held_out is None else float(np.sum(held_out.p_values(log_odds[:1]))),
        }
        if outer is not None:
            decisions = outer.decisions(models[1:], everything, "impute")
            values["outer_rows"] = np.sum(decisions * (1 + outer.label) * (1 + outer.subject))
            values["outer_auroc"] = outer.auroc(models[1:], everything, "impute")
        if markers is not None:
            values["markers"] = markers.checksum(typical)
        if batch is not None:
            values["batch"] = batch.checksum()
    return {name: float(value) for name, value in values.items()}


def same_values(found: Mapping[str, float], expected: Mapping[str, Any]) -> bool:
    """Tell whether names and order agree, and numbers but for their last digits."""
    return list(found) == list(expected) and all(
        isinstance(expected[name], int | float) and abs(value - expected[name]) <= _SAME * (1.0 + abs(value))
        for name, value in found.items()
    )
