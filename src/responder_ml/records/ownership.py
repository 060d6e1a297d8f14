"""Whose a folder is, told by what is in it and never by what a file is called.

Every folder of results holds a list of the files that this program wrote into it, with their checksums. Only a folder that is new,
empty or has such a list is written into, and only files on the list are ever replaced or removed. Folders of former versions, which
have no list, are recognised by the content of their answer. The checksums tell damage and editing from what was written; they are
no signature, since whoever changes a file can change the list.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from responder_ml.errors import ResponderError, RunError, list_names

FILE_LIST = ".responder_ml.json"
"""Name of the list in every folder of results."""
_PROGRAM, _FORMAT = "responder_ml", 1
_LARGEST_LIST = 2**22
# Names of the folders beside a result, made while it is written, are longer than its own by at most this.
_LONGEST_ADDITION = len(".") + len(".4194304.partial") + len(".units") + len(".gone")
_LONGEST_NAME, _LONGEST_PATH = 255, 4000


@dataclass(frozen=True)
class FolderKind:
    """A kind of folder that this program writes.

    Attributes
    ----------
    noun
        What the folder is, as in "is not a run".
    former_files
        Returns the names of the files of a folder that a version without lists wrote, none where it did not write it.
    option
        Command-line option that names another folder.
    error
        What is raised where the folder may not be used.
    shared
        Whether other commands write into the same folder; their files, and anybody's, are then left where they are.
    """

    noun: str
    former_files: Callable[[Path], frozenset[str]] = lambda folder: frozenset()
    option: str = "--out"
    error: type[ResponderError] = RunError
    shared: bool = False

    def own_files(self, folder: Path) -> frozenset[str] | None:
        """Return the names of the files that are provably this program's, None where the folder itself is not."""
        file_list = read_file_list(folder)
        if file_list is not None:
            return frozenset({FILE_LIST, *file_list.digests}) if file_list.kind == self.noun else None
        return self.former_files(folder) or None

    def check(self, folder: Path) -> None:
        """Refuse a folder that may not be written, before anything is computed.

        Raises
        ------
        ResponderError
            Of the kind's own class: the name cannot be used, or the folder holds what this program did not write.
        """
        self._check_name(folder)
        if folder.is_symlink():
            raise self.error(f"{folder} is a link. Name the folder it leads to with {self.option}.")
        if not folder.exists():
            self._check_parent(folder)
            return
        if not folder.is_dir():
            raise self.error(f"{folder} is a file and no folder. Choose another folder with {self.option}.")
        present = {path.name for path in folder.iterdir()}
        own = self.own_files(folder)
        if present and own is None:
            raise self.error(
                f"{folder} is not empty and is not a {self.noun} that this program wrote: it holds "
                f"{list_names(sorted(present))}. Choose another folder with {self.option}."
            )

    def _check_name(self, folder: Path) -> None:
        absolute = Path(os.path.abspath(folder))  # noqa: PTH100  (`resolve` follows links, which are refused below)
        if not absolute.name:
            raise self.error(f"{folder} is no folder that can be replaced. Name a new folder with {self.option}.")
        if Path.cwd().is_relative_to(absolute):
            raise self.error(
                f"{folder} is the folder in which the program runs, or holds it. Name a new folder with {self.option}."
            )
        too_long = len(os.fsencode(absolute.name)) + _LONGEST_ADDITION > _LONGEST_NAME
        if too_long or len(os.fsencode(absolute)) > _LONGEST_PATH:
            raise self.error(
                f"The name '{folder.name[:40]}...' has {len(folder.name)} characters, too many for a folder. Choose a shorter "
                f"one with {self.option}."
            )

    def _check_parent(self, folder: Path) -> None:
        parent = next(path for path in Path(os.path.abspath(folder)).parents if path.exists())  # noqa: PTH100
        if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
            raise self.error(
                f"{folder} cannot be made: {parent} is no folder that can be written. Choose {self.option}."
            )


@dataclass(frozen=True)
class FileList:
    """The list of a folder: the kind of folder, and the SHA-256 of each file by name."""

    kind: str
    digests: Mapping[str, str]

    def text(self) -> str:
        """Return the list as it is written."""
        content = {
            "program": _PROGRAM,
            "format": _FORMAT,
            "kind": self.kind,
            "files": dict(sorted(self.digests.items())),
        }
        return json.dumps(content, indent=1) + "\n"


def by_answer(answer: str, keys: tuple[str, ...], files: tuple[str, ...]) -> Callable[[Path], frozenset[str]]:
    """Return how a folder without a list is told by its JSON file.

    Parameters
    ----------
    answer
        Name of the JSON file.
    keys
        Keys that it has where this program wrote it.
    files
        Names of all files that belong to such a folder.
    """

    def former_files(folder: Path) -> frozenset[str]:
        try:
            content = json.loads((folder / answer).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return frozenset()
        if not isinstance(content, dict) or not set(keys) <= set(content):
            return frozenset()
        return frozenset(name for name in files if (folder / name).is_file())

    return former_files


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def read_file_list(folder: Path) -> FileList | None:
    """Return a folder's list, None where it has none that this program wrote."""
    path = folder / FILE_LIST
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST_LIST:
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("program") != _PROGRAM or content.get("format") != _FORMAT:
        return None
    files, kind = content.get("files"), content.get("kind")
    if not isinstance(kind, str) or not isinstance(files, dict):
        return None
    plain = all(is_plain_name(name) and isinstance(value, str) for name, value in files.items())
    return FileList(kind, files) if plain else None


def is_plain_name(name: str) -> bool:
    """Tell whether a name is that of a file in the folder itself."""
    return bool(name) and name not in (".", "..", FILE_LIST) and not re.search(r"[/\\\0]", name)


def damaged_files(folder: Path) -> list[str]:
    """Return the files on a folder's list that are missing, or whose content is not what was written.

    A folder without a list has nothing to be compared with.
    """
    file_list = read_file_list(folder)
    if file_list is None:
        return []
    return [name for name, expected in file_list.digests.items() if _digest_of(folder / name) != expected]


def digest_of_folder(folder: Path) -> str | None:
    """Return a digest of everything on a folder's list, None where it has no list, or a file is missing or altered."""
    file_list = read_file_list(folder)
    return None if file_list is None or damaged_files(folder) else digest(file_list.text().encode())


def check_apart(folders: Mapping[str, Path]) -> None:
    """Refuse folders of which one is, or lies in, another.

    Parameters
    ----------
    folders
        Folders to write, by the option that names them.

    Raises
    ------
    RunError
        Two of them overlap.
    """
    items = [(option, folder.resolve()) for option, folder in folders.items()]
    for index, (option, folder) in enumerate(items):
        for other_option, other in items[:index]:
            if folder.is_relative_to(other) or other.is_relative_to(folder):
                raise RunError(
                    f"{other_option} {folders[other_option]} and {option} {folders[option]} overlap, and each is written as a "
                    "whole. Choose two folders side by side."
                )


def refuse_inside(path: Path, kinds: Sequence[FolderKind] = (), apart_from: Path | None = None) -> None:
    """Refuse a file that would lie in a folder of results: such a folder is written, moved and proved as a whole.

    Parameters
    ----------
    path
        The file to write.
    kinds
        Kinds whose folders are recognised also where a former version wrote them, without a list.
    apart_from
        A folder of results that the file may lie in.

    Raises
    ------
    RunError
        With the folder.
    """
    for folder in path.resolve().parents:
        file_list = read_file_list(folder)
        nouns = [kind.noun for kind in kinds if kind.former_files(folder)] if file_list is None else [file_list.kind]
        if nouns and (apart_from is None or apart_from.resolve() != folder):
            raise RunError(
                f"{path} would lie in {folder}, a {nouns[0]} that this program wrote and proves by the list of its files. Choose "
                "a file elsewhere."
            )


def check_output_file(
    path: Path, inputs: Mapping[str, Path | None], is_ours: Callable[[bytes], bool], option: str = "--out"
) -> None:
    """Refuse to write a file over one that is read, or over one that this program did not write.

    Parameters
    ----------
    path
        The file to write.
    inputs
        What is read, by what it is called in the message; a folder stands for all of its files.
    is_ours
        Tells from the content of the file that is there whether this program wrote it.
    option
        Command-line option that names the file.

    Raises
    ------
    RunError
        With the file in question, before any work.
    """
    resolved = path.resolve()
    for noun, source in inputs.items():
        if source is None:
            continue
        original = source.resolve()
        if resolved == original or (original.is_dir() and resolved.is_relative_to(original)):
            raise RunError(f"{path} would be written over {noun} {source}. Choose another file with {option}.")
    if len(os.fsencode(path.name)) + _LONGEST_ADDITION > _LONGEST_NAME:
        raise RunError(f"The name '{path.name[:40]}...' is too long for a file. Choose a shorter one with {option}.")
    if path.is_dir():
        raise RunError(f"{path} is a folder. Name a file with {option}.")
    if path.exists() and not (path.is_file() and is_ours(path.read_bytes())):
        raise RunError(f"{path} exists and was not written by this command. Choose another file with {option}.")


def _digest_of(path: Path) -> str | None:
    try:
        return digest(path.read_bytes()) if path.is_file() and not path.is_symlink() else None
    except OSError:
        return None
