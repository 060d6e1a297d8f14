"""Write a folder of results: whole or not at all, in the place of the one that was there."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from responder_ml.errors import RunError


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
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
    return Path(parent) / f"{name}-{digest}"


def replace_folder(folder: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a folder beside ``folder``, then move it there.

    The folder that was there stays until the new one is whole. What a process that was killed left behind is cleared away.

    Parameters
    ----------
    folder
        Where the result belongs; missing parents are made.
    write
        Fills the folder it is given.

    Raises
    ------
    OSError
        It cannot be written; what was there before is there still.
    """
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    former = folder.with_name(f".{folder.name}.{os.getpid()}.former")
    _clear_remains(folder)
    try:
        beside.mkdir(parents=True)
        write(beside)
        if folder.exists():
            folder.rename(former)
        beside.rename(folder)
    finally:
        if former.exists() and not folder.exists():
            former.rename(folder)
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


def is_running(process: int) -> bool:
    """Tell whether a process of this machine exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _clear_remains(folder: Path) -> None:
    if not folder.parent.is_dir():
        return
    remains = re.compile(rf"\.{re.escape(folder.name)}\.(\d+)\.(partial|former)")
    for path in folder.parent.iterdir():
        leftover = remains.fullmatch(path.name)
        if leftover and not is_running(int(leftover[1])):
            if leftover[2] == "former" and not folder.exists():
                path.rename(folder)
            else:
                shutil.rmtree(path, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` beside ``path`` first, then move it there; missing folders are made.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_text(text, encoding="utf-8", newline="\n")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as problem:
        raise RunError(f"{path} could not be written: {problem}. Free space or choose another --out.") from problem
