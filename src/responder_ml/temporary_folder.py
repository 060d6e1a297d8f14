"""Temporary folders that a killed process cannot leave for ever: each is named after its process, and the next one clears it.

A process that is ended by SIGKILL, or with the machine, removes nothing, and what workers share can be gigabytes.
"""

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_NAMESPACE = Path("/proc/self/ns/pid")


def is_running(process: int) -> bool:
    """Tell whether a process of this machine exists."""
    # Signal 0 asks the same on Linux, but on Windows it ends the process.
    from psutil import pid_exists

    return bool(pid_exists(process))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder in the user's temporary folder, and remove it when the block ends; first clear those of dead processes.

    Raises
    ------
    OSError
        The folder cannot be made.
    """
    clear_of_the_dead()
    with tempfile.TemporaryDirectory(prefix=f"{_prefix()}{os.getpid()}-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def clear_of_the_dead() -> None:
    """Remove the temporary folders of this program whose process, of this machine and user, has ended."""
    own_name = re.compile(rf"{_prefix()}(\d{{1,9}})-[a-z0-9_]+")
    for path in Path(tempfile.gettempdir()).glob(f"{_prefix()}*"):
        name = own_name.fullmatch(path.name)
        if name is None or is_running(int(name[1])):
            continue
        try:
            is_own = not path.is_symlink() and path.is_dir() and path.stat().st_uid == _user()
        except OSError:  # another process has just cleared it
            continue
        if is_own:
            shutil.rmtree(path, ignore_errors=True)


def _user() -> int:
    """Return who runs this process; Windows gives every file and every user the number 0, and each user a folder of his own."""
    return os.getuid() if hasattr(os, "getuid") else 0


@cache
def _prefix() -> str:
    """Return how names of these folders begin: numbers of processes are those of one machine, or of one container on it."""
    host = re.sub(r"[^A-Za-z0-9]", "", socket.gethostname())
    space = re.sub(r"\D", "", str(_NAMESPACE.readlink())) if _NAMESPACE.is_symlink() else "0"
    return f"responder-ml-{host}-{space}-"
