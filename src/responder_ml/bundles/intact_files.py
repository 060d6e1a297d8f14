"""The files of a bundle's folder: all there, no others, and as they were written."""

import hashlib
from collections.abc import Collection
from pathlib import Path

from responder_ml.bundles.manifest import MANIFEST, MODEL, REFERENCE, BundleFile
from responder_ml.errors import BundleError

_TEXT_SUFFIXES = (".md", ".html", ".txt")


def check_folder(folder: Path) -> None:
    """Refuse a folder that lacks a bundle's files, or holds others than text beside them.

    Raises
    ------
    BundleError
        Naming them.
    """
    if not folder.is_dir():
        raise BundleError(f"There is no bundle folder {folder}. Give the folder that `train` wrote.")
    own = (MANIFEST, MODEL, REFERENCE)
    missing = [name for name in own if not (folder / name).is_file()]
    if missing:
        raise BundleError(f"{folder} is not a complete bundle: {', '.join(missing)} not found. Use an intact copy.")
    foreign = foreign_names(folder, own)
    if foreign:
        raise BundleError(
            f"{folder} holds files that no bundle holds: {', '.join(foreign[:5])}. Links are not followed, and only text may "
            "be beside the bundle's own files. Use the folder as `train` wrote it."
        )


def foreign_names(folder: Path, own: Collection[str]) -> list[str]:
    """Return what lies in a bundle's folder and does not belong there: links, and whatever is neither its own nor text.

    Parameters
    ----------
    folder
        The folder.
    own
        Names of the bundle's own files and folders.
    """
    return [
        path.name
        for path in sorted(folder.iterdir())
        if path.is_symlink()
        or (
            path.name not in own
            and not path.name.startswith(".")
            and not (path.is_file() and path.suffix in _TEXT_SUFFIXES)
        )
    ]


def read_checked(path: Path, expected: BundleFile) -> bytes:
    """Return the content of a file whose checksum is as the manifest says."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise BundleError(f"{path} could not be read: {problem}.") from problem
    if hashlib.sha256(content).hexdigest() != expected.sha256:
        raise BundleError(f"{path} is damaged or altered: its checksum does not match. Use an intact copy.")
    return content
