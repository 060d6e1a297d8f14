"""A bundle's manifest: what the model is, readable by a person, and checked before the other files are opened."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from responder_ml.cohort.covariates import Covariate
from responder_ml.cohort.nuisance_kind import Kind
from responder_ml.cohort.units import Units
from responder_ml.errors import BundleError
from responder_ml.search.mean_model import MeanClassifier, ScoringModel
from responder_ml.search.outcome_model import OutcomeModel

FORMAT_VERSION = 3
"""The first format had no verdict to act on, no names of columns, and scored with the final model alone; the second no covariates,
and models without them are written in it still: a program that knows no covariates must not score as if there were none."""
PLAIN_VERSION = 2
GRADED_VERSION = 4
"""Of models that predict a graded outcome (`graded_bundle`)."""
CLASSES = "classes"
"""The key ``kind`` of a manifest of several classes; that of two has none."""
MANIFEST, MODEL, REFERENCE = "manifest.json", "model.skops", "reference.npz"
_LARGEST_BYTES = 2**26
# Keys of the second format.
_SINCE_SECOND = ("columns", "calibration")

Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """Part of a manifest."""

    # Strict: JSON's true is not a number, and a number is not a text.
    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class EndpointDescription(Part):
    """The endpoint of the run, with any further keys of the run's result: strata, nuisance, rows (where), units."""

    model_config = ConfigDict(extra="allow")

    column: str = Field(description="column of the sample sheet that holds the classes")
    positive: str = Field(description="name of the positive class")
    negative: str = Field(description="name of the negative class")


class FeatureDescription(Part):
    """One feature of the model."""

    name: str = Field(description="name of the feature")
    genes: list[str] = Field(description="the genes it is made of")
    shares: list[float] = Field(description="each gene's share of the feature")
    weight: Share = Field(description="weight of the feature in the model; the weights add up to one")


class LeastCoverage(Part):
    """Shares below which a table is refused."""

    weight: Share = Field(description="share of the weight of the features' genes")
    genes: Share = Field(description="share of the training genes")


class CalibrationDescription(Part):
    """The line from decisions to log-odds, learnt from held-out decisions; see `evaluation.calibration_line`."""

    intercept: float = Field(description="log-odds at a decision of 0")
    slope: float = Field(gt=0, description="log-odds per unit of the decision")
    intercept_variance: float = Field(ge=0, description="squared standard error of the intercept")
    covariance: float = Field(description="covariance of the errors of intercept and slope")
    slope_variance: float = Field(ge=0, description="squared standard error of the slope")


class CovariateDescription(Part):
    """A covariate that features are adjusted for."""

    name: str = Field(description="column of the sample sheet, or a class of cells")
    kind: Kind = Field(description="category or measurement")
    levels: list[str] = Field([], description="values of a category; the first has no column of its own")
    least: float = Field(0.0, description="smallest value of a measurement in training")
    greatest: float = Field(0.0, description="largest value of a measurement in training")
    markers: list[str] = Field([], description="genes whose mean log2 expression it is; no sheet is needed then")

    @property
    def covariate(self) -> Covariate:
        """The covariate it describes."""
        return Covariate(self.name, self.kind, tuple(self.levels), self.least, self.greatest, tuple(self.markers))


class BundleFile(Part):
    """One of the other files of the bundle."""

    sha256: str = Field(description="its SHA-256")
    bytes: int = Field(description="its size")


class Manifest(Part):
    """The content of ``manifest.json``."""

    format_version: int = Field(description="version of this layout")
    name: str = Field(description="the job's name")
    simulated: bool = Field(description="true where the model was trained on a simulated cohort")
    versions: dict[str, Any] = Field(description="library versions it was written with")
    endpoint: EndpointDescription = Field(description="what the model tells apart")
    units: Units = Field(description="units of the training values")
    genes: list[str] = Field(description="training genes, in the model's order")
    gene_ids: str = Field(description="kind of identifiers the genes look like")
    features: list[FeatureDescription] = Field(description="the features of the model")
    coverage: LeastCoverage = Field(description="coverage below which a table is refused")
    training: dict[str, Any] = Field(description="n, headline, null, verdict, seed and data digest of the run")
    limits: list[str] = Field(description="what the model is not for")
    threshold: float = Field(description="decision above which a sample is called positive")
    prevalence: float = Field(gt=0, lt=1, description="share of positives among the training subjects")
    calibration: CalibrationDescription | None = Field(
        None, description="from decisions to log-odds; null where there are no held-out decisions"
    )
    columns: dict[str, str] = Field(
        {}, description="canonical name: the name it had in the job's sample sheet; empty in the first format"
    )
    covariates: list[CovariateDescription] = Field(
        [], description="what features are adjusted for, in the order of the model's covariates; since the third format"
    )
    reference: dict[str, Any] = Field(
        description="number of training samples, and the limits of similarity, distance and library size they set"
    )
    check: dict[str, Any] = Field(
        description="what a typical training sample gets, computed again and compared whenever the bundle is read"
    )
    files: dict[str, BundleFile] = Field({}, description="SHA-256 and size of every other file; empty before writing")
    sha256: str = Field(
        "", description="SHA-256 of everything else in the manifest, as JSON with sorted keys and no blanks"
    )


def read_manifest(folder: Path) -> Manifest:
    """Read and check a bundle's manifest; no other file is opened.

    Raises
    ------
    BundleError
        It is missing, damaged, altered or from a newer version.
    """
    path, content = folder / MANIFEST, read_content(folder)
    if content.get("kind") == CLASSES:
        raise BundleError(f"{folder} is a bundle of several classes. Name the folder of two of them, which lies in it.")
    if content.get("format_version") == GRADED_VERSION:
        raise BundleError(
            f"{folder} predicts a graded outcome, and what was asked for needs a model of two classes. `score` reads it."
        )
    if content.get("format_version") not in range(FORMAT_VERSION + 1):
        require_version(folder, content, GRADED_VERSION)
    try:
        manifest = Manifest(**content)
    except ValidationError as problem:
        raise damaged(path, [str(error["loc"][0]) for error in problem.errors(include_input=False)]) from problem
    if manifest.format_version < 1:
        raise damaged(path, ["format_version"])
    missing = [key for key in _SINCE_SECOND if key not in content]
    if manifest.format_version > 1 and missing:
        raise damaged(path, missing)
    if set(manifest.files) != {MODEL, REFERENCE}:
        raise damaged(path, ["files"])
    require_unaltered(path, content)
    return manifest


def require_unaltered(path: Path, content: Mapping[str, Any]) -> None:
    """Refuse a manifest whose own checksum is not that of its keys.

    Raises
    ------
    BundleError
        With the file.
    """
    if content.get("sha256") != manifest_digest(content):
        raise BundleError(f"{path} was altered after it was written: its checksum does not match. Use an intact copy.")


def read_content(folder: Path) -> dict[str, Any]:
    """Return the keys of a bundle's manifest, whatever they are.

    Raises
    ------
    BundleError
        The file is missing or damaged.
    """
    path = folder / MANIFEST
    # What is no file, such as a pipe, may be waited for without end.
    if not path.is_file():
        raise BundleError(f"{path} is damaged: it is missing, or no file. Use an intact copy.")
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise BundleError(f"{path} is larger than any manifest. Use an intact copy.")
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError, OSError) as problem:
        raise BundleError(f"{path} is damaged: {problem}. Use an intact copy.") from problem
    if not isinstance(content, dict):
        raise BundleError(f"{path} is not a manifest: it holds no keys. Use an intact copy.")
    return content


def require_version(folder: Path, content: Mapping[str, Any], newest: int) -> None:
    """Refuse a manifest of a version of its format above the newest that is understood.

    Raises
    ------
    BundleError
        With both versions.
    """
    version = content.get("format_version")
    if type(version) is int and version > newest:
        raise BundleError(
            f"{folder} has format version {version}, this program reads up to {newest}. Update responder_ml."
        )


def manifest_digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest's content without its own ``sha256``."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def describe_features(model: ScoringModel | OutcomeModel) -> list[FeatureDescription]:
    """Return each feature of a model with its genes, each gene's share of it, and its weight in the model.

    The weight of a feature of a linear model is its share of the absolute coefficients; of trees all weights are equal, and of a
    mean with trees in it they are the mean of the members' weights.
    """
    classifier = model.classifier_
    if isinstance(classifier, MeanClassifier):
        size = classifier.importance()
    else:
        size = np.abs(np.asarray(getattr(classifier, "coef_", np.ones(len(model.features_))), dtype=np.float64))
    if not size.sum() > 0:
        size = np.ones(len(size))
    return [
        FeatureDescription(
            name=name,
            genes=[str(gene) for gene in genes],
            shares=[float(share) for share in shares],
            weight=float(weight),
        )
        for (name, (genes, shares)), weight in zip(model.genes_of_features().items(), size / size.sum(), strict=True)
    ]


def describe_training(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a run's result that belongs to every use of its model."""
    training = {
        name: result.get(name) for name in ("n", "headline", "null", "verdict", "seed", "data_sha256", "gene_map")
    }
    if training["null"]:
        training["null"] = {
            name: training["null"].get(name) for name in ("p_value", "permutations", "null_mean", "exact")
        }
    return training


def damaged(path: Path, keys: list[str]) -> BundleError:
    """Return what is raised where keys of a manifest are missing or not as expected."""
    names = ", ".join(dict.fromkeys(keys))
    return BundleError(f"{path} is damaged: missing or not as expected: {names}. Use an intact copy.")


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number a manifest may hold")
