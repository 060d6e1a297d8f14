"""A bundle: the frozen model with everything needed to score a stranger's sample, and the knowledge of when not to.

A folder of three files: ``manifest.json`` for people and programs, ``model.skops`` with the fitted model and,
optionally, the outer models whose spread gives an interval, and ``reference.npz`` with what the training samples were
like. ``card.md`` may stand beside them. The folder appears whole or not at all, and is read whole or not at all:
checksums, format version and the classes in the model file are looked at before anything is built, and the model must
then give the log-odds it gave when it was packed. No code is taken from the folder.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray

from responder_ml.array_archive import pack_arrays, unpack_arrays
from responder_ml.bundles.manifest import (
    FORMAT_VERSION,
    MANIFEST,
    MODEL,
    REFERENCE,
    check_values,
    describe_features,
    describe_training,
    manifest_digest,
    read_manifest,
    same_values,
)
from responder_ml.bundles.model_file import pack_models, unpack_models
from responder_ml.cohort.alignment import LEAST_GENES, LEAST_WEIGHT, Behind
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.gene_ids import kind_of
from responder_ml.errors import BundleError
from responder_ml.evaluation.applicability import TrainingProfile
from responder_ml.evaluation.batch_alignment import BatchReference
from responder_ml.evaluation.calibration import CalibrationScores
from responder_ml.evaluation.held_out_features import HeldOutFeatures
from responder_ml.evaluation.marker_check import MarkerCheck
from responder_ml.evaluation.metrics import OutOfFold
from responder_ml.records.files import replace_folder
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import SearchData

_Part = TypeVar("_Part", MarkerCheck, BatchReference)
_BESIDE = (".md", ".html", ".txt")


@dataclass(frozen=True)
class Bundle:
    """A frozen model and what is known about it.

    Attributes
    ----------
    model
        Fitted to all subjects; never evaluated itself.
    manifest
        What ``manifest.json`` holds; its keys are described in `manifest.KEYS`.
    reference
        What the training samples were like.
    held_out
        Decisions on training subjects by models that did not see them; None if none were packed.
    models
        Outer models, whose spread gives an interval; may be empty.
    outer
        What the outer models did not see, to tell what the model is worth with genes missing; None if not packed.
    markers
        Where the marker genes of training samples stood; None if too few are among the genes.
    batch
        Location and scale of each gene in training, for new batches to be aligned to; None if not packed.
    """

    model: PrefixModel
    manifest: dict[str, Any]
    reference: TrainingProfile = field(repr=False)
    held_out: CalibrationScores | None = field(default=None, repr=False)
    models: tuple[PrefixModel, ...] = field(default=(), repr=False)
    outer: HeldOutFeatures | None = field(default=None, repr=False)
    markers: MarkerCheck | None = field(default=None, repr=False)
    batch: BatchReference | None = field(default=None, repr=False)

    @property
    def units(self) -> str:
        """Units the model was trained in."""
        return str(self.manifest["units"])

    @property
    def by_order(self) -> bool:
        """Whether every model in it asks only for the order of genes within a sample."""
        return all(model.builder_.by_order for model in (self.model, *self.models))

    @property
    def genes(self) -> list[str]:
        """Names of the training genes, in order."""
        return list(self.manifest["genes"])

    @property
    def classes(self) -> tuple[str, str]:
        """Names of the positive and of the negative class."""
        return str(self.manifest["endpoint"]["positive"]), str(self.manifest["endpoint"]["negative"])

    @property
    def feature_weight(self) -> dict[str, float]:
        """What each feature weighs in the model; the weights add up to one."""
        return {str(feature["name"]): float(feature["weight"]) for feature in self.manifest["features"]}

    def genes_of_features(self) -> Behind:
        """Return the genes of each feature and each gene's share of it."""
        return self.model.genes_of_features()


def pack_bundle(
    model: PrefixModel,
    labelled: LabelledCohort,
    result: Mapping[str, Any],
    *,
    limits: Sequence[str] = (),
    threshold: float = 0.0,
    models: Sequence[PrefixModel] = (),
    outer: HeldOutFeatures | None = None,
    out_of_fold: OutOfFold | None = None,
    least_weight: float = LEAST_WEIGHT,
    least_genes: float = LEAST_GENES,
) -> Bundle:
    """Gather what a bundle holds; nothing is written.

    Parameters
    ----------
    model
        Fitted to all samples of ``labelled``.
    labelled
        Training samples.
    result
        A run's result: name, simulated, endpoint, n, headline, null, verdict and versions are kept.
    limits
        What the model is not for, one sentence each (species, region, platform).
    threshold
        Log-odds above which a sample is called positive.
    models
        Outer models for intervals.
    outer
        Rows they did not see.
    out_of_fold
        Held-out decisions on the training subjects, for prediction sets.
    least_weight, least_genes
        Coverage below which a table is refused.
    """
    units = str(labelled.cohort.uns["units"])
    reference = TrainingProfile.learn(model, SearchData.of(labelled), units, labelled.sample_labels)
    markers = MarkerCheck.learn(
        labelled.expression, model.genes_.tolist(), reference.profile_genes, len(labelled.subjects)
    )
    held_out = (
        None if out_of_fold is None else CalibrationScores.of(out_of_fold.decisions.mean(axis=0), out_of_fold.labels)
    )
    batch = BatchReference.learn(labelled.expression, units)
    manifest = {
        "format_version": FORMAT_VERSION,
        "name": str(result["name"]),
        "simulated": bool(result["simulated"]),
        "versions": dict(result["versions"]),
        "endpoint": {**result["endpoint"], **_name_classes(labelled)},
        "units": units,
        "genes": model.genes_.tolist(),
        "gene_ids": kind_of(model.genes_.tolist()),
        "features": describe_features(model),
        "coverage": {"weight": float(least_weight), "genes": float(least_genes)},
        "training": describe_training(result),
        "limits": [str(limit) for limit in limits],
        "threshold": float(threshold),
        "prevalence": float(labelled.labels.mean()),
        "reference": {
            "samples": len(labelled.subject_of),
            "subjects": len(labelled.subjects),
            "least_correlation": reference.least_correlation,
            "greatest_distance": reference.greatest_distance,
            "least_library": reference.least_library,
            "held_out_subjects": 0 if held_out is None else len(held_out.positive) + len(held_out.negative),
            "outer_models": len(models),
        },
        "check": check_values((model, *models), reference, held_out, outer, markers, batch),
    }
    return Bundle(model, manifest, reference, held_out, tuple(models), outer, markers, batch)


def write_bundle(bundle: Bundle, folder: Path, pages: Mapping[str, str] | None = None) -> None:
    """Write the folder beside its place first, then move it there; a bundle that was there before is replaced.

    Parameters
    ----------
    bundle
        The bundle.
    folder
        Where to.
    pages
        Texts to stand beside it, such as its card, by file name.

    Raises
    ------
    BundleError
        The folder holds something that is not a bundle, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MANIFEST).is_file())):
        raise BundleError(f"{folder} is there already and is not a bundle. Choose another place with --bundle.")
    arrays = dict(bundle.reference.arrays())
    if bundle.held_out is not None:
        arrays |= {"held_out_positive": bundle.held_out.positive, "held_out_negative": bundle.held_out.negative}
    if bundle.outer is not None:
        arrays |= bundle.outer.arrays()
    if bundle.markers is not None:
        arrays |= {f"marker_{name}": values for name, values in bundle.markers.arrays().items()}
    if bundle.batch is not None:
        arrays |= {f"batch_{name}": values for name, values in bundle.batch.arrays().items()}
    contents = {MODEL: pack_models((bundle.model, *bundle.models)), REFERENCE: pack_arrays(arrays)}
    files = {name: {"sha256": _digest(content), "bytes": len(content)} for name, content in contents.items()}
    manifest = {**bundle.manifest, "files": files}
    manifest["sha256"] = manifest_digest(manifest)
    contents[MANIFEST] = (json.dumps(manifest, indent=1, allow_nan=False) + "\n").encode()
    contents |= {name: text.encode() for name, text in (pages or {}).items()}
    try:
        replace_folder(folder, partial(_write_files, contents))
    except OSError as problem:
        raise BundleError(
            f"The bundle could not be written to {folder}: {problem}. Free space or choose --bundle."
        ) from problem


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle, or refuse it.

    Raises
    ------
    BundleError
        A file is missing, damaged, altered, from a newer version, or holds anything but our own classes and plain data.
    """
    _check_folder(folder)
    manifest = read_manifest(folder)
    contents = {name: _read_file(folder, name, manifest["files"]) for name in (MODEL, REFERENCE)}
    arrays = unpack_arrays(contents[REFERENCE])
    held_out, outer = _take_held_out(arrays), _take_outer(arrays)
    markers, batch = _take(MarkerCheck, "marker_", arrays), _take(BatchReference, "batch_", arrays)
    model, *models = unpack_models(contents[MODEL])
    try:
        reference = TrainingProfile(**arrays)
        found = check_values((model, *models), reference, held_out, outer, markers, batch)
        described = {each["name"]: each["weight"] for each in manifest["features"]}
        features = {each["name"]: each["weight"] for each in describe_features(model)}
        same_genes = all(each.genes_.tolist() == manifest["genes"] for each in (model, *models))
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as problem:
        raise BundleError(
            f"{folder}: model and reference do not fit together ({problem}). Use an intact copy."
        ) from problem
    if not same_genes or not same_values(features, described):
        raise BundleError(
            f"{folder}: the manifest describes other genes or features than the model has. Use an intact copy."
        )
    if not same_values(found, manifest["check"]):
        raise BundleError(
            f"{folder}: the model gives other numbers than when it was packed ({found} against {manifest['check']}). "
            f"It was written with {manifest['versions']}; use those versions, or train again."
        )
    return Bundle(model, manifest, reference, held_out, tuple(models), outer, markers, batch)


def _name_classes(labelled: LabelledCohort) -> dict[str, str]:
    endpoint = labelled.endpoint
    return {"column": endpoint.column, "positive": endpoint.positive, "negative": endpoint.negative}


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise BundleError(f"There is no bundle folder {folder}. Give the folder that `train` wrote.")
    missing = [name for name in (MANIFEST, MODEL, REFERENCE) if not (folder / name).is_file()]
    if missing:
        raise BundleError(f"{folder} is not a whole bundle: {', '.join(missing)} not found. Use an intact copy.")
    known = {MANIFEST, MODEL, REFERENCE}
    strange = [
        each.name
        for each in sorted(folder.iterdir())
        if each.is_symlink()
        or (each.name not in known and each.suffix not in _BESIDE and not each.name.startswith("."))
    ]
    if strange:
        raise BundleError(
            f"{folder} holds what no bundle holds: {', '.join(strange[:5])}. Links are not followed, and only text may "
            "stand beside the bundle's own files. Use the folder as `train` wrote it."
        )


def _read_file(folder: Path, name: str, files: Mapping[str, Any]) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as problem:
        raise BundleError(f"{folder / name} could not be read: {problem}.") from problem
    expected = files[name].get("sha256") if isinstance(files[name], dict) else None
    if _digest(content) != expected:
        raise BundleError(f"{folder / name} is damaged or altered: its checksum does not match. Use an intact copy.")
    return content


def _take_held_out(arrays: dict[str, NDArray[Any]]) -> CalibrationScores | None:
    """Take the held-out decisions out of the reference arrays."""
    positive, negative = arrays.pop("held_out_positive", None), arrays.pop("held_out_negative", None)
    return None if positive is None or negative is None else CalibrationScores(positive, negative)


def _take_outer(arrays: dict[str, NDArray[Any]]) -> HeldOutFeatures | None:
    """Take the outer models' held-out rows out of the reference arrays."""
    names = [f"outer_{each.name}" for each in fields(HeldOutFeatures)]
    if not all(name in arrays for name in names):
        return None
    return HeldOutFeatures(*(arrays.pop(name) for name in names))


def _take(kind: type[_Part], prefix: str, arrays: dict[str, NDArray[Any]]) -> _Part | None:
    """Take the fields of one kind out of the reference arrays."""
    names = {each.name: f"{prefix}{each.name}" for each in fields(kind)}
    if not all(name in arrays for name in names.values()):
        return None
    return kind(**{field_name: arrays.pop(name) for field_name, name in names.items()})


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write_files(contents: Mapping[str, bytes], folder: Path) -> None:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
