"""A bundle: the frozen model with everything needed to score new samples, and to know when it must not.

A folder of three files: ``manifest.json`` for people and programs, ``model.skops`` with the fitted model and, optionally, the outer
models whose spread gives an interval, and ``reference.npz`` with what the training samples were like. ``card.md`` may be beside
them. The folder is written and read as a whole: checksums, format version and the classes in the model file are checked before
anything is built, and the model must then give the log-odds it gave when it was packed. No code is taken from the folder.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from responder_ml.array_archive import pack_arrays, unpack_arrays
from responder_ml.bundles.intact_files import check_folder, read_checked
from responder_ml.bundles.manifest import (
    MANIFEST,
    MODEL,
    REFERENCE,
    BundleFile,
    Manifest,
    describe_features,
    manifest_digest,
    read_manifest,
)
from responder_ml.bundles.model_file import pack_models, unpack_models
from responder_ml.bundles.worth import Worth
from responder_ml.cohort.alignment import GeneShares
from responder_ml.cohort.covariates import Covariate
from responder_ml.errors import BundleError
from responder_ml.evaluation.applicability import TrainingProfile
from responder_ml.evaluation.batch_alignment import BatchReference
from responder_ml.evaluation.calibration import CalibrationScores
from responder_ml.evaluation.calibration_line import CalibrationLine
from responder_ml.evaluation.external_validation import Classes
from responder_ml.evaluation.fingerprints import Fingerprints
from responder_ml.evaluation.held_out_features import HeldOutClassifier, HeldOutFeatures
from responder_ml.evaluation.marker_check import MarkerCheck
from responder_ml.records.files import write_folder
from responder_ml.records.ownership import FolderKind
from responder_ml.records.run import CARD
from responder_ml.search.mean_model import MeanClassifier, ScoringModel

_Part = TypeVar("_Part", CalibrationScores, HeldOutFeatures, MarkerCheck, BatchReference, Fingerprints)
# Fields of `MarkerCheck` that files of bundles hold under the names they had in the first format.
_OLD_NAMES = {"background_genes": "ruler", "relative_ranks": "places"}
# Library versions may change the last digits of a sum, not more.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Bundle:
    """A frozen model and what is known about it.

    Attributes
    ----------
    model
        Fitted to all subjects; never evaluated itself.
    manifest
        What the model is, for people and programs.
    reference
        What the training samples were like.
    calibration_scores
        Decisions on training subjects by models that did not see them; None if not packed.
    outer_models
        Models of the outer folds of one repeat: a sample's score is the mean over them and ``model``, and their spread gives its
        interval; may be empty.
    held_out_features
        Features of the rows that the outer models of all repeats did not see, to estimate the performance with genes missing;
        None if not packed.
    held_out_classifiers
        The classifiers of these outer models; in the first format those of ``outer_models``.
    markers
        Marker genes of the training samples; None if too few are among the genes.
    batch
        Location and scale of each gene in training, for new batches to be aligned to; None if not packed.
    fingerprints
        By which training samples are recognised; None in the first format.
    """

    model: ScoringModel
    manifest: Manifest
    reference: TrainingProfile = field(repr=False)
    calibration_scores: CalibrationScores | None = field(default=None, repr=False)
    outer_models: tuple[ScoringModel, ...] = field(default=(), repr=False)
    held_out_features: HeldOutFeatures | None = field(default=None, repr=False)
    held_out_classifiers: tuple[HeldOutClassifier, ...] = field(default=(), repr=False)
    markers: MarkerCheck | None = field(default=None, repr=False)
    batch: BatchReference | None = field(default=None, repr=False)
    fingerprints: Fingerprints | None = field(default=None, repr=False)

    @property
    def calibration(self) -> CalibrationLine | None:
        """From decisions to log-odds; None where the bundle has no held-out decisions, or is of the first format."""
        line = self.manifest.calibration
        return None if line is None else CalibrationLine(**line.model_dump())

    @property
    def units(self) -> str:
        """Units the model was trained in."""
        return self.manifest.units

    @property
    def by_order(self) -> bool:
        """Whether all its models use only the order of genes within a sample."""
        return all(model.by_order for model in (self.model, *self.outer_models))

    @property
    def genes(self) -> list[str]:
        """Names of the training genes, in order."""
        return self.manifest.genes

    @property
    def classes(self) -> tuple[str, str]:
        """Names of the positive and of the negative class."""
        return self.manifest.endpoint.positive, self.manifest.endpoint.negative

    @property
    def worth(self) -> Worth:
        """What a score is worth by the verdict of the training."""
        return Worth.of(self.manifest.training)

    @property
    def labels(self) -> Classes:
        """The classes as a sample sheet holds them."""
        return Classes.of_endpoint(self.manifest.endpoint.model_dump())

    @property
    def covariates(self) -> tuple[Covariate, ...]:
        """What features are adjusted for, in the order of the model's covariates; empty where nothing is."""
        return tuple(described.covariate for described in self.manifest.covariates)

    @property
    def feature_weight(self) -> dict[str, float]:
        """Weight of each feature in the model; the weights add up to one."""
        return {feature.name: feature.weight for feature in self.manifest.features}

    def genes_of_features(self) -> GeneShares:
        """Return the genes of each feature and each gene's share of it."""
        return self.model.genes_of_features()

    def reference_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the content of the reference file."""
        parts = (
            ("", self.reference),
            ("held_out_", self.calibration_scores),
            ("outer_", self.held_out_features),
            ("marker_", self.markers),
            ("batch_", self.batch),
            ("fingerprint_", self.fingerprints),
        )
        return {
            _stored_name(prefix, part_field.name): getattr(part, part_field.name)
            for prefix, part in parts
            if part is not None
            for part_field in fields(part)
        }

    def check_values(self) -> dict[str, float]:
        """Return what the typical training sample gets, and the limits: numbers that together depend on every array."""
        typical = self.reference.typical[None]
        all_genes = np.ones(len(self.reference.typical), dtype=np.bool_)
        # A forged reference may hold values that have no logarithm; the comparison with the manifest then fails.
        with np.errstate(all="ignore"):
            models = (self.model, *self.outer_models)
            log_odds = np.concatenate([model.decision_function(typical, model.mean_covariates) for model in models])
            scores = self.calibration_scores
            values = {
                "log_odds": log_odds[0],
                "outer_log_odds": log_odds[1:].sum(),
                "correlation": np.nan_to_num(self.reference.correlate(typical, all_genes)[0]),
                "distance": self.reference.measure(self.model.standardised(typical, self.model.mean_covariates))[0],
                "distance_percentile": self.reference.percentile(np.array([self.reference.greatest_distance]))[0],
                "least_correlation": self.reference.least_correlation,
                "greatest_distance": self.reference.greatest_distance,
                "least_library": self.reference.least_library,
                "p_values": 0.0 if scores is None else float(np.sum(scores.p_values(log_odds[:1]))),
            }
            if self.held_out_features is not None:
                rows = self.held_out_features
                decisions = rows.decisions(self.held_out_classifiers, all_genes, "impute")
                values["outer_rows"] = np.sum(decisions * (1 + rows.label) * (1 + rows.subject))
                values["outer_auroc"] = rows.auroc(self.held_out_classifiers, all_genes, "impute")
            if self.markers is not None:
                values["markers"] = self.markers.checksum(typical)
            if self.batch is not None:
                values["batch"] = self.batch.checksum()
            if self.fingerprints is not None:
                values["fingerprints"] = self.fingerprints.checksum()
        return {name: float(value) for name, value in values.items()}


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle, or refuse it.

    Raises
    ------
    BundleError
        A file is missing, damaged, altered, from a newer version, or holds anything but our own classes and plain data.
    """
    check_folder(folder)
    manifest = read_manifest(folder)
    contents = {name: read_checked(folder / name, manifest.files[name]) for name in (MODEL, REFERENCE)}
    arrays = unpack_arrays(contents[REFERENCE])
    (model, *outer_models), classifiers = unpack_models(contents[MODEL])
    try:
        held_out_features, held_out_classifiers = _take_held_out(arrays, outer_models, classifiers)
        bundle = Bundle(
            model=model,
            manifest=manifest,
            calibration_scores=_take(CalibrationScores, "held_out_", arrays),
            outer_models=tuple(outer_models),
            held_out_features=held_out_features,
            held_out_classifiers=held_out_classifiers,
            markers=_take(MarkerCheck, "marker_", arrays),
            batch=_take(BatchReference, "batch_", arrays),
            fingerprints=_take(Fingerprints, "fingerprint_", arrays),
            # What is left belongs to it, or the file holds too much.
            reference=TrainingProfile(**arrays),
        )
        values = bundle.check_values()
        feature_weight = {feature.name: feature.weight for feature in describe_features(model)}
        known = (manifest.genes, sum(covariate.width for covariate in bundle.covariates))
        fits = [(fitted.genes_.tolist(), fitted.n_covariates) for fitted in (model, *outer_models)]
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as problem:
        raise BundleError(
            f"{folder}: model and reference do not fit together ({problem}). Use an intact copy."
        ) from problem
    if any(fit != known for fit in fits) or not _agree(feature_weight, bundle.feature_weight):
        raise BundleError(
            f"{folder}: the manifest describes other genes, covariates or features than the model has. Use an intact copy."
        )
    if not _agree(values, manifest.check):
        raise BundleError(
            f"{folder}: the model gives other numbers than when it was packed ({values} against {manifest.check}). "
            f"It was written with {manifest.versions}; use those versions, or train again."
        )
    return bundle


def write_bundle(bundle: Bundle, folder: Path, pages: Mapping[str, str] | None = None) -> None:
    """Write the folder under a temporary name first, then move it into place; only a bundle is ever replaced.

    Parameters
    ----------
    bundle
        The bundle.
    folder
        The folder to write.
    pages
        Texts to put beside its own files, such as its card, by file name.

    Raises
    ------
    BundleError
        The folder holds something that is not a bundle, or cannot be written.
    """
    contents = {
        MODEL: pack_models((bundle.model, *bundle.outer_models), bundle.held_out_classifiers),
        REFERENCE: pack_arrays(bundle.reference_arrays()),
    }
    files = {
        name: BundleFile(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        for name, content in contents.items()
    }
    manifest = bundle.manifest.model_copy(update={"files": files}).model_dump(exclude={"sha256"})
    manifest["sha256"] = manifest_digest(manifest)
    contents[MANIFEST] = (json.dumps(manifest, indent=1, allow_nan=False) + "\n").encode()
    contents |= {name: text.encode() for name, text in (pages or {}).items()}
    write_folder(folder, contents, BUNDLE_FOLDER)


def _former_files(folder: Path) -> frozenset[str]:
    """Return the files of a bundle that a version without lists of files wrote, told by its manifest."""
    try:
        read_manifest(folder)
    except BundleError:
        return frozenset()
    return frozenset(name for name in (MANIFEST, MODEL, REFERENCE, CARD) if (folder / name).is_file())


BUNDLE_FOLDER = FolderKind("bundle", _former_files, "--bundle", BundleError)
"""How a bundle's folder is recognised before it is written."""


def _stored_name(prefix: str, field_name: str) -> str:
    return f"{prefix}{_OLD_NAMES.get(field_name, field_name)}"


def _take(kind: type[_Part], prefix: str, arrays: dict[str, NDArray[Any]]) -> _Part | None:
    """Take the fields of one kind out of the reference arrays; None where they are not all there."""
    names = {part_field.name: _stored_name(prefix, part_field.name) for part_field in fields(kind)}
    if not all(name in arrays for name in names.values()):
        return None
    return kind(**{field_name: arrays.pop(name) for field_name, name in names.items()})


def _take_held_out(
    arrays: dict[str, NDArray[Any]], outer_models: Sequence[ScoringModel], classifiers: Sequence[MeanClassifier]
) -> tuple[HeldOutFeatures | None, tuple[HeldOutClassifier, ...]]:
    """Take the held-out rows and their classifiers; the first format has those of one repeat, in the outer models."""
    held_out = _take(HeldOutFeatures, "outer_", arrays)
    if held_out is not None or "outer_values" not in arrays:
        return held_out, tuple(classifiers)
    values, model, subject, label = (arrays.pop(f"outer_{name}") for name in ("values", "model", "subject", "label"))
    of_models = HeldOutFeatures.of_first_format(values, model, subject, label, outer_models)
    return of_models, tuple(fitted.classifier_ for fitted in outer_models)


def _agree(values: Mapping[str, float], expected: Mapping[str, Any]) -> bool:
    """Tell whether names and order agree, and numbers but for their last digits."""
    return list(values) == list(expected) and all(
        isinstance(expected[name], int | float) and abs(value - expected[name]) <= _TOLERANCE * (1.0 + abs(value))
        for name, value in values.items()
    )
