"""The bundle of several classes: one folder with an ordinary bundle for every two, and a manifest that names them.

``manifest.json`` holds what concerns all classes and the checksum of each pair's manifest, which holds those of its files; the
bundle of a pair is a folder of its own inside and can be used alone. The manifest is written last, so that a folder whose pairs
are not all of one training is refused.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from responder_ml.bundles.intact_files import foreign_names
from responder_ml.bundles.manifest import (
    CLASSES,
    MANIFEST,
    Manifest,
    Part,
    damaged,
    manifest_digest,
    read_content,
    read_manifest,
    require_unaltered,
    require_version,
)
from responder_ml.bundles.worth import Worth
from responder_ml.cohort.covariates import Covariate
from responder_ml.errors import BundleError, list_names
from responder_ml.records.files import write_folder
from responder_ml.records.ownership import FolderKind

FORMAT_VERSION = 4
"""Programs that know no several classes read formats up to 3."""

CLASS_BUNDLE_FOLDER = FolderKind("bundle of several classes", option="--bundle", error=BundleError)
"""How such a folder is recognised before it is written."""


class PairBundle(Part):
    """The bundle of two of the classes."""

    positive: str = Field(description="its positive class")
    negative: str = Field(description="its negative class")
    folder: str = Field(description="its folder in this one")
    sha256: str = Field(description="checksum of its manifest, which holds those of its files")


class ClassesManifest(Part):
    """The content of ``manifest.json``."""

    format_version: int = Field(ge=FORMAT_VERSION, description="version of this layout")
    kind: Literal["classes"] = Field(description="tells it from a bundle of two classes")
    name: str = Field(description="the job's name")
    simulated: bool = Field(description="true where the models were trained on a simulated cohort")
    versions: dict[str, Any] = Field(description="library versions it was written with")
    column: str = Field(description="column of the sample sheet that holds the classes")
    classes: list[str] = Field(min_length=3, description="the classes")
    training: dict[str, Any] = Field(description="n, headline, null, verdict and seed of the training of all classes")
    limits: list[str] = Field(description="what the models are not for")
    pairs: list[PairBundle] = Field(description="the bundle of every two classes, the first class the positive one")
    sha256: str = Field("", description="SHA-256 of everything else in the manifest")


@dataclass(frozen=True)
class ClassBundle:
    """A bundle of several classes whose manifests fit together; the models of its pairs are not read yet.

    Attributes
    ----------
    folder
        Where it is.
    manifest
        What concerns all classes.
    pairs
        The manifest of every two classes, in the order of ``manifest.pairs``.
    """

    folder: Path
    manifest: ClassesManifest
    pairs: tuple[Manifest, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(self.manifest.classes)

    @property
    def genes(self) -> list[str]:
        """Names of the training genes, in order."""
        return self.pairs[0].genes

    @property
    def units(self) -> str:
        """Units the models were trained in."""
        return self.pairs[0].units

    @property
    def covariates(self) -> tuple[Covariate, ...]:
        """What features are adjusted for; empty where nothing is."""
        return tuple(described.covariate for described in self.pairs[0].covariates)

    @property
    def worth(self) -> Worth:
        """What a score is worth by the verdict on all classes."""
        return Worth.of_classes(self.manifest.training)

    @property
    def folders(self) -> dict[tuple[int, int], Path]:
        """The bundle of every two classes, by their codes, of which the first is positive."""
        pairs = combinations(range(len(self.classes)), 2)
        return {pair: self.folder / own.folder for pair, own in zip(pairs, self.manifest.pairs, strict=True)}


def is_class_bundle(folder: Path) -> bool:
    """Tell whether a folder's manifest says that it is a bundle of several classes; nothing else is checked."""
    if not (folder / MANIFEST).is_file():
        return False
    return read_content(folder).get("kind") == CLASSES


def read_class_bundle(folder: Path) -> ClassBundle:
    """Read the manifests of a bundle of several classes, or refuse it.

    Raises
    ------
    BundleError
        A manifest is missing, damaged, altered or from a newer version, or a pair is of another training.
    """
    path, content = folder / MANIFEST, read_content(folder)
    require_version(folder, content, FORMAT_VERSION)
    try:
        manifest = ClassesManifest(**content)
    except ValidationError as problem:
        raise damaged(path, [str(error["loc"][0]) for error in problem.errors(include_input=False)]) from problem
    require_unaltered(path, content)
    expected = list(combinations(manifest.classes, 2))
    if [(pair.positive, pair.negative) for pair in manifest.pairs] != expected or any(
        Path(pair.folder).name != pair.folder for pair in manifest.pairs
    ):
        raise damaged(path, ["pairs"])
    _refuse_foreign(folder, {MANIFEST, *(pair.folder for pair in manifest.pairs)})
    pairs = []
    for pair in manifest.pairs:
        own = read_manifest(folder / pair.folder)
        words = own.endpoint.positive, own.endpoint.negative
        if own.sha256 != pair.sha256 or words != (pair.positive, pair.negative):
            raise BundleError(
                f"{folder / pair.folder} is not the bundle that {path} names: it was replaced, or a training did not come to its "
                "end. Run `train` again, or use an intact copy."
            )
        pairs.append(own)
    return ClassBundle(folder, manifest, tuple(pairs))


def _refuse_foreign(folder: Path, own: Collection[str]) -> None:
    foreign = foreign_names(folder, own)
    if foreign:
        raise BundleError(
            f"{folder} holds what no bundle of several classes holds: {list_names(foreign)}. Links are not followed, and only text "
            "may be beside the manifest and the pairs. Use the folder as `train` wrote it."
        )


def check_class_bundle(folder: Path, pairs: Collection[str]) -> None:
    """Refuse a folder that may not become such a bundle, before anything is computed.

    Parameters
    ----------
    folder
        The folder.
    pairs
        Names of the folders of its pairs.

    Raises
    ------
    BundleError
        It holds something else, or the pairs of other classes.
    """
    CLASS_BUNDLE_FOLDER.check(folder)
    others = [path.name for path in sorted(folder.glob("[!.]*")) if path.is_dir() and path.name not in pairs]
    if others:
        raise BundleError(
            f"{folder} holds the pairs of other classes: {list_names(others)}. Remove it, or choose another folder with --bundle."
        )


def claim_folder(folder: Path) -> None:
    """Make an empty folder that is known for one of ours, for the pairs to be written into; one that is there stays as it is.

    Raises
    ------
    BundleError
        It cannot be made.
    """
    if not folder.exists():
        write_folder(folder, {}, CLASS_BUNDLE_FOLDER)


def write_class_bundle(
    folder: Path,
    pairs: Sequence[str],
    *,
    name: str,
    simulated: bool,
    versions: Mapping[str, Any],
    training: Mapping[str, Any],
    pages: Mapping[str, str] | None = None,
) -> None:
    """Write the manifest of all classes beside the bundles of their pairs, which are there.

    Parameters
    ----------
    folder
        The folder that holds the pairs.
    pairs
        Folders of the pairs, in the order of the classes.
    name, simulated, versions, training
        As in `ClassesManifest`.
    pages
        Texts to put beside it, such as the card, by file name.

    Raises
    ------
    BundleError
        A pair is missing or damaged, or nothing can be written.
    """
    manifests = [read_manifest(folder / pair) for pair in pairs]
    of_pairs = [
        PairBundle(positive=own.endpoint.positive, negative=own.endpoint.negative, folder=pair, sha256=own.sha256)
        for pair, own in zip(pairs, manifests, strict=True)
    ]
    first = of_pairs[0].positive
    manifest = ClassesManifest(
        format_version=FORMAT_VERSION,
        kind="classes",
        name=name,
        simulated=simulated,
        versions=dict(versions),
        column=manifests[0].endpoint.column,
        # The first class is in as many pairs as there are others, which come in their order.
        classes=[first, *(pair.negative for pair in of_pairs if pair.positive == first)],
        training=dict(training),
        limits=manifests[0].limits,
        pairs=of_pairs,
    )
    content = manifest.model_dump(exclude={"sha256"})
    content["sha256"] = manifest_digest(content)
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    write_folder(folder, {**(pages or {}), MANIFEST: text}, CLASS_BUNDLE_FOLDER)
