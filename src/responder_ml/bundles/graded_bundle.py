"""A bundle that predicts a graded outcome: the frozen model, what its training samples were like, and what a prediction is worth.

The same three files as those of a bundle for two classes (`bundle`), with a card beside them, read by the same rules: checksums,
format version and the classes in the model file are checked before anything is built, and the model must then give the predictions
it gave when it was packed. No code is taken from the folder. The fourth format, which versions that know two classes only refuse.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from responder_ml.array_archive import pack_arrays, unpack_arrays
from responder_ml.bundles.bundle import BUNDLE_FOLDER
from responder_ml.bundles.intact_files import check_folder, read_checked
from responder_ml.bundles.manifest import (
    GRADED_VERSION,
    MANIFEST,
    MODEL,
    REFERENCE,
    BundleFile,
    CovariateDescription,
    FeatureDescription,
    LeastCoverage,
    describe_features,
    manifest_digest,
    read_content,
)
from responder_ml.bundles.model_file import pack_models, unpack_outcome_model
from responder_ml.cohort.alignment import GeneShares
from responder_ml.cohort.covariates import Covariate
from responder_ml.cohort.units import Units
from responder_ml.errors import BundleError
from responder_ml.evaluation.applicability import TrainingProfile
from responder_ml.records.files import write_folder
from responder_ml.records.graded import GradedNull, GradedPerformance, GradedVerdict, OutcomeRecord
from responder_ml.search.outcome_model import OutcomeModel

KIND = "score"
# Library versions may change the last digits of a sum, not more.
_TOLERANCE = 1e-6


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class GradedManifest(_Part):
    """The content of ``manifest.json``."""

    format_version: int = Field(description="version of this layout")
    kind: str = Field(description="score: a graded outcome is predicted")
    name: str = Field(description="the job's name")
    simulated: bool = Field(description="true where the model was trained on a simulated cohort")
    versions: dict[str, Any] = Field(description="library versions it was written with")
    outcome: dict[str, Any] = Field(description="the outcome of the training subjects, as in graded.json")
    units: Units = Field(description="units of the training values")
    genes: list[str] = Field(description="training genes, in the model's order")
    gene_ids: str = Field(description="kind of identifiers the genes look like")
    features: list[FeatureDescription] = Field(description="the features of the model")
    coverage: LeastCoverage = Field(description="coverage below which a table is refused")
    training: dict[str, Any] = Field(description="n, headline, null and verdict of the run, as in graded.json")
    limits: list[str] = Field(description="what the model is not for")
    columns: dict[str, str] = Field({}, description="canonical name: the name it had in the job's sample sheet")
    covariates: list[CovariateDescription] = Field([], description="what features are adjusted for")
    check: dict[str, Any] = Field(
        description="what a typical training sample gets, computed again and compared whenever the bundle is read"
    )
    files: dict[str, BundleFile] = Field({}, description="SHA-256 and size of every other file; empty before writing")
    sha256: str = Field("", description="SHA-256 of everything else in the manifest")


@dataclass(frozen=True)
class GradedBundle:
    """A frozen model of a graded outcome and what is known about it.

    Attributes
    ----------
    model
        Fitted to all subjects; never evaluated itself.
    manifest
        What the model is, for people and programs.
    reference
        What the training samples were like.
    """

    model: OutcomeModel
    manifest: GradedManifest
    reference: TrainingProfile = field(repr=False)

    @property
    def units(self) -> str:
        """Units the model was trained in."""
        return self.manifest.units

    @property
    def genes(self) -> list[str]:
        """Names of the training genes, in order."""
        return self.manifest.genes

    @property
    def outcome(self) -> OutcomeRecord:
        """The outcome of the training subjects."""
        return OutcomeRecord.model_validate(self.manifest.outcome)

    @property
    def covariates(self) -> tuple[Covariate, ...]:
        """What features are adjusted for, in the order of the model's covariates; empty where nothing is."""
        return tuple(described.covariate for described in self.manifest.covariates)

    @property
    def feature_weight(self) -> dict[str, float]:
        """Weight of each feature in the model; the weights add up to one."""
        return {feature.name: feature.weight for feature in self.manifest.features}

    @property
    def verdict(self) -> GradedVerdict:
        """The verdict of the training."""
        return GradedVerdict.model_validate(self.manifest.training["verdict"])

    @property
    def performance(self) -> GradedPerformance:
        """How held-out predictions of the training agreed with the outcome."""
        return GradedPerformance.model_validate(self.manifest.training["headline"])

    @property
    def null(self) -> GradedNull | None:
        """The null of the training; None where none was run."""
        content = self.manifest.training["null"]
        return None if content is None else GradedNull.model_validate(content)

    def genes_of_features(self) -> GeneShares:
        """Return the genes of each feature and each gene's share of it."""
        return self.model.genes_of_features()

    def require_evidence(self, name: str, *, anyway: bool) -> None:
        """Refuse a bundle whose training gave no evidence, unless it is used all the same.

        Raises
        ------
        BundleError
            There is no evidence and the user did not insist.
        """
        if not anyway and self.verdict.level != "evidence":
            raise BundleError(
                f"The verdict of {name} is '{self.verdict.level}': {self.verdict.sentence} Only a model with evidence is used "
                "without asking. To score with it all the same, add --anyway; every answer then says so."
            )

    def check_values(self) -> dict[str, float]:
        """Return what the typical training sample gets, and the limits."""
        typical = self.reference.typical[None]
        with np.errstate(all="ignore"):
            values = {
                "prediction": self.model.predict(typical, self.model.mean_covariates)[0],
                "distance": self.reference.measure(self.model.standardised(typical, self.model.mean_covariates))[0],
                "least_correlation": self.reference.least_correlation,
                "greatest_distance": self.reference.greatest_distance,
                "least_library": self.reference.least_library,
            }
        return {name: float(value) for name, value in values.items()}


def is_graded(folder: Path) -> bool:
    """Tell whether a folder's manifest is of a model that predicts a graded outcome; nothing else is checked."""
    try:
        return read_content(folder).get("format_version") == GRADED_VERSION
    except BundleError:
        return False


def read_graded_bundle(folder: Path) -> GradedBundle:
    """Read a bundle of a graded outcome, or refuse it.

    Raises
    ------
    BundleError
        A file is missing, damaged, altered, of another format, or holds anything but our own classes and plain data.
    """
    check_folder(folder)
    content = read_content(folder)
    try:
        manifest = GradedManifest(**content)
    except ValidationError as problem:
        keys = ", ".join(dict.fromkeys(str(error["loc"][0]) for error in problem.errors(include_input=False)))
        raise BundleError(
            f"{folder / MANIFEST} is damaged: missing or not as expected: {keys}. Use an intact copy."
        ) from problem
    if manifest.format_version != GRADED_VERSION or manifest.kind != KIND or set(manifest.files) != {MODEL, REFERENCE}:
        raise BundleError(
            f"{folder} is no bundle of a graded outcome that this program knows. Use one that `train` wrote."
        )
    if manifest.sha256 != manifest_digest(content):
        raise BundleError(
            f"{folder / MANIFEST} was altered after it was written: its checksum does not match. Use an intact copy."
        )
    contents = {name: read_checked(folder / name, manifest.files[name]) for name in (MODEL, REFERENCE)}
    arrays = unpack_arrays(contents[REFERENCE])
    model = unpack_outcome_model(contents[MODEL])
    try:
        bundle = GradedBundle(model, manifest, TrainingProfile(**arrays))
        values = bundle.check_values()
        weights = {feature.name: feature.weight for feature in describe_features(model)}
        known = (manifest.genes, sum(covariate.width for covariate in bundle.covariates))
        fits = (model.genes_.tolist(), model.n_covariates) == known
        # Whatever a program will read of the training must be there.
        _ = bundle.outcome, bundle.verdict, bundle.performance, bundle.null
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as problem:
        raise BundleError(
            f"{folder}: model and reference do not fit together ({problem}). Use an intact copy."
        ) from problem
    if not fits or not _agree(weights, bundle.feature_weight) or not _agree(values, manifest.check):
        raise BundleError(
            f"{folder}: the model gives other numbers than when it was packed, or the manifest describes another model. It was "
            f"written with {manifest.versions}; use those versions, or train again."
        )
    return bundle


def write_graded_bundle(bundle: GradedBundle, folder: Path, pages: Mapping[str, str] | None = None) -> None:
    """Write the folder under a temporary name first, then move it into place; only a bundle is ever replaced.

    Parameters
    ----------
    bundle, folder
        The bundle, and where to write it.
    pages
        Texts to put beside its own files, such as its card, by file name.

    Raises
    ------
    BundleError
        The folder holds something that is not a bundle, or cannot be written.
    """
    contents: dict[str, bytes] = {
        MODEL: pack_models((bundle.model,)),
        REFERENCE: pack_arrays(reference_arrays(bundle.reference)),
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


def reference_arrays(reference: TrainingProfile) -> dict[str, NDArray[Any]]:
    """Return the content of the reference file."""
    return {part.name: getattr(reference, part.name) for part in fields(reference)}


def _agree(values: Mapping[str, float], expected: Mapping[str, Any]) -> bool:
    return list(values) == list(expected) and all(
        isinstance(expected[name], int | float) and abs(value - expected[name]) <= _TOLERANCE * (1.0 + abs(value))
        for name, value in values.items()
    )
