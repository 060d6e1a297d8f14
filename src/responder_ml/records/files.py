"""Write a folder of results: whole or not at all, in the place of the one that was there, and nothing else touched."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from responder_ml.errors import RunError
from responder_ml.records.ownership import FILE_LIST, FileList, FolderKind, digest, read_file_list
from responder_ml.temporary_folder import is_running

# The list of a folder while its files are being replaced one by one.
_BOTH = ".former_and_new.json"


def named_folder(parent: str, name: str, settings: Any) -> Path:
    """Return ``parent/name-DIGEST``, with the first digits of a digest of everything the result depends on.

    Parameters
    ----------
    parent
        Folder of all results of this kind.
    name
        Of the job or study.
    settings
        What the result depends on, as plain values.
    """
    settings_digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
    return Path(parent) / f"{name}-{settings_digest}"


def write_folder(folder: Path, contents: Mapping[str, bytes | str], kind: FolderKind) -> None:
    """Write files beside ``folder`` first, with their list, then move them there.

    A folder that holds nothing but what this program wrote is replaced in one move, and stays until the new one is whole. Where
    somebody's files are beside ours, or the folder is shared, ours are replaced one by one, the list first. What a process that was
    killed left behind is cleared away.

    Parameters
    ----------
    folder
        Where the result belongs; missing parents are made.
    contents
        What each file holds, by name; in a shared folder they appear in this order.
    kind
        Kind of folder.

    Raises
    ------
    ResponderError
        Of the kind's own class: the folder is not ours, or cannot be written; what was there before is there still.
    """
    kind.check(folder)
    files = {name: text.encode() if isinstance(text, str) else text for name, text in contents.items()}
    file_list = FileList(kind.noun, {name: digest(content) for name, content in files.items()})
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    former = folder.with_name(f".{folder.name}.{os.getpid()}.former")
    try:
        _clear_remains(folder, kind)
        own, present = _own_and_present(folder, kind)
        try:
            beside.mkdir(parents=True)
            for name, content in {FILE_LIST: file_list.text().encode(), **files}.items():
                write_synced(beside / name, content)
            if kind.shared or present - own:
                _move_one_by_one(beside, folder, file_list, own)
            else:
                _move_whole(beside, folder, former)
        finally:
            if former.exists() and not folder.exists():
                former.rename(folder)
            _remove_own(beside, frozenset({FILE_LIST, _BOTH, *files}))
            _remove_own(former, own)
    except OSError as problem:
        raise kind.error(
            f"The {kind.noun} could not be written to {folder}: {problem}. Free space, or choose another folder with "
            f"{kind.option}."
        ) from problem


def replace_listed_file(path: Path, text: str, kind: FolderKind) -> None:
    """Write one file of a folder anew, and its checksum into the folder's list, where it is on that.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    write_text(path, text)
    file_list = read_file_list(path.parent)
    if file_list is not None and file_list.kind == kind.noun and path.name in file_list.digests:
        digests = {**file_list.digests, path.name: digest(text.encode())}
        write_text(path.parent / FILE_LIST, FileList(kind.noun, digests).text())


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write ``text`` beside ``path`` first, then move it there; missing folders are made.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    try:
        with moved_when_whole(path) as beside:
            write_synced(beside, text.encode())
    except OSError as problem:
        raise RunError(f"{path} could not be written: {problem}. Free space or choose another --out.") from problem


@contextmanager
def moved_when_whole(path: Path, replace: bool = True) -> Iterator[Path]:
    """Give a path beside ``path`` to write a file to, which is moved there when the block has ended without an error.

    Missing folders are made, and what a killed process left of the file is cleared away.

    Parameters
    ----------
    path
        Where the file belongs.
    replace
        Whether a file that is there already is replaced.

    Raises
    ------
    FileExistsError
        A file is there, even one that appeared meanwhile, and is not to be replaced.
    OSError
        The file cannot be written or moved.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover, _ in _remains(path, "partial"):
        leftover.unlink(missing_ok=True)
    try:
        yield beside
        if replace:
            beside.replace(path)
        else:
            # A link fails where the file has appeared meanwhile; a rename would overwrite it.
            os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _own_and_present(folder: Path, kind: FolderKind) -> tuple[frozenset[str], set[str]]:
    """Return the names of our files in a folder, and of everything in it."""
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return kind.own_files(folder) or frozenset(), present


def _move_whole(beside: Path, folder: Path, former: Path) -> None:
    if folder.exists():
        folder.rename(former)
    beside.rename(folder)


def _move_one_by_one(beside: Path, folder: Path, file_list: FileList, own: frozenset[str]) -> None:
    """Move files into a folder that holds others too; a name that is taken by a file of somebody else is refused."""
    taken = [name for name in file_list.digests if name not in own and os.path.lexists(folder / name)]
    if taken:
        raise FileExistsError(f"{', '.join(taken)} was not written by this program")
    folder.mkdir(parents=True, exist_ok=True)
    former = read_file_list(folder)
    former_digests = dict.fromkeys(own - {FILE_LIST}, "") if former is None else former.digests
    # Until all have been moved, the list also names what was there before: none of it becomes nobody's.
    both = FileList(file_list.kind, {**former_digests, **file_list.digests})
    write_synced(beside / _BOTH, both.text().encode())
    (beside / _BOTH).replace(folder / FILE_LIST)
    for name in file_list.digests:
        (beside / name).replace(folder / name)
    for name in own - {FILE_LIST, *file_list.digests}:
        (folder / name).unlink(missing_ok=True)
    (beside / FILE_LIST).replace(folder / FILE_LIST)


def _remains(path: Path, states: str) -> list[tuple[Path, str]]:
    """Return what killed processes left beside a file or folder, each with its state: of those in ``states``, split by ``|``."""
    if not path.parent.is_dir():
        return []
    remains = re.compile(rf"\.{re.escape(path.name)}\.(\d+)\.({states})")
    matches = [(beside, remains.fullmatch(beside.name)) for beside in path.parent.iterdir()]
    return [(beside, match[2]) for beside, match in matches if match is not None and not is_running(int(match[1]))]


def _clear_remains(folder: Path, kind: FolderKind) -> None:
    for path, state in _remains(folder, "partial|former"):
        if path.is_symlink() or not path.is_dir():
            continue
        if state == "former" and not folder.exists():
            path.rename(folder)
        else:
            # The list may be torn; nothing else was written then.
            _remove_own(path, (kind.own_files(path) or frozenset()) | {FILE_LIST, _BOTH})


def _remove_own(folder: Path, own: frozenset[str]) -> None:
    """Remove our files from a folder, the list last, and the folder where it is empty then."""
    if not folder.is_dir():
        return
    for name in (*(own - {FILE_LIST}), *({FILE_LIST} & own)):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
