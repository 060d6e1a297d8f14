"""What a job leaves beside its run folder while it is under way: finished units of work, and a lock.

The folder ``.NAME.units`` is made when the work begins and removed when the run has been written and recorded. Until then, the same
command continues from what the folder holds. The operating system frees the lock of a process that has died. Nothing is removed
but files that are named as a checkpoint names its own, in a folder that holds nothing else.
"""

import json
import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from responder_ml.errors import RunError, list_names
from responder_ml.search.unit_store import UnitStore
from responder_ml.temporary_folder import clear_of_the_dead

_IS_WINDOWS = os.name == "nt"
_LOCK = "lock"
_HOLDER = "holder"
_WRITTEN = "written"
_OWN_NAME = re.compile(rf"{_LOCK}|{_HOLDER}|{_WRITTEN}(?:\.\d+\.partial)?|[0-9a-f]{{32}}\.unit(?:\.\d+\.partial)?")


@contextmanager
def run_checkpoint(run_folder: Path) -> Iterator["RunCheckpoint"]:
    """Store the finished units of a run while the block lasts; remove them if it ends without an error.

    Parameters
    ----------
    run_folder
        The run folder.
    """
    checkpoint = RunCheckpoint(run_folder)
    completed = False
    try:
        yield checkpoint
        completed = True
    finally:
        checkpoint.close(completed=completed)


class RunCheckpoint:
    """The finished units of one run folder; nothing is on disk before `unit_store` is called.

    Parameters
    ----------
    run_folder
        The run folder.

    Attributes
    ----------
    folder
        The folder of units, beside the run folder.
    """

    def __init__(self, run_folder: Path) -> None:
        self._run_folder = run_folder
        self.folder = run_folder.with_name(f".{run_folder.name}.units")
        self._lock: Any = None

    def unit_store(self) -> UnitStore:
        """Lock the run folder for this process, clear what killed ones left, and return its finished units.

        Raises
        ------
        RunError
            Another process has locked it, or nothing can be written there.
        """
        if self._lock is None:
            try:
                self._lock = self._acquire_lock()
            except OSError as problem:
                raise RunError(
                    f"Nothing can be written beside {self._run_folder}: {problem}. Free space, correct the permissions or "
                    "choose another folder with --out."
                ) from problem
            clear_of_the_dead()
            for partial in self.folder.glob("*.partial"):
                partial.unlink(missing_ok=True)
            for discarded in self.folder.parent.iterdir():
                if re.fullmatch(rf"{re.escape(self.folder.name)}\.\d+\.gone", discarded.name):
                    _remove_own(discarded)
        return UnitStore(self.folder)

    def is_written(self, key: str, digests: Mapping[str, str | None]) -> bool:
        """Tell whether the run of this key was written completely before and is there still, so that only later steps remain.

        Parameters
        ----------
        key
            What identifies the run.
        digests
            Digest of everything each of its folders holds now, by path; None where files are missing or altered.
        """
        path = self.folder / _WRITTEN
        try:
            marker = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return None not in digests.values() and marker == {"key": key, "folders": dict(digests)}

    def mark_written(self, key: str, digests: Mapping[str, str | None]) -> None:
        """Record that the run of this key is written, and what its folders hold.

        Raises
        ------
        RunError
            The folder of units is gone, or the disk is full.
        """
        partial = self.folder / f"{_WRITTEN}.{os.getpid()}.partial"
        try:
            partial.write_text(json.dumps({"key": key, "folders": dict(digests)}), encoding="utf-8")
            partial.replace(self.folder / _WRITTEN)
        except OSError as problem:
            raise RunError(
                f"The run is written to {self._run_folder}, but that cannot be noted in {self.folder}: {problem}. Free space and "
                "start the same command again."
            ) from problem

    def close(self, *, completed: bool) -> None:
        """Unlock the run folder; remove the units if the run is complete or there are none."""
        if self._lock is None:
            return
        if self.folder.is_dir() and (completed or not any(self.folder.glob("*.unit"))):
            self._remove_units()
        self._lock.release()
        if _IS_WINDOWS and self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()
        self._lock = None

    def _remove_units(self) -> None:
        if _IS_WINDOWS:
            # No folder with an open file can be moved there; the lock file goes when it is let go of.
            _remove_own(self.folder, all_but=_LOCK)
            return
        discarded = self.folder.with_name(f"{self.folder.name}.{os.getpid()}.gone")
        # Moved before it is removed: a worker that finishes a unit nobody waits for then finds no folder to write it to.
        self.folder.rename(discarded)
        _remove_own(discarded)

    def _check_own(self) -> None:
        if self.folder.is_symlink() or (self.folder.exists() and not self.folder.is_dir()):
            foreign = [self.folder.name]
        else:
            foreign = sorted(path.name for path in self.folder.iterdir() if not _OWN_NAME.fullmatch(path.name))
        if foreign:
            raise RunError(
                f"{self.folder} is where finished units of {self._run_folder} belong, but it holds {list_names(foreign)}, which "
                "this program did not write. Move that away, or choose another folder with --out."
            )

    def _acquire_lock(self) -> Any:
        from filelock import FileLock, Timeout

        while True:
            if not self.folder.is_symlink() and not self.folder.exists():
                self.folder.mkdir(parents=True, exist_ok=True)
            self._check_own()
            # It may be let go of by another thread than the one that took it.
            lock = FileLock(self.folder / _LOCK, timeout=0, thread_local=False)
            try:
                lock.acquire()
            except Timeout:
                if not (self.folder / _LOCK).exists():
                    # The process that held the lock has just finished and removed the folder.
                    continue
                raise RunError(
                    f"{self._run_folder} is being written by {self._holder()}. Wait for it, end it, or choose another folder "
                    "with --out."
                ) from None
            except FileNotFoundError:
                # Removed before the lock was made in it.
                if self.folder.exists():
                    raise
                continue
            (self.folder / _HOLDER).write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
            return lock

    def _holder(self) -> str:
        try:
            return (self.folder / _HOLDER).read_text(encoding="utf-8") or "another process"
        except OSError:
            return "another process"


def _remove_own(folder: Path, all_but: str = "") -> None:
    """Remove what a checkpoint wrote, and the folder where nothing else is in it."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in folder.iterdir():
        if _OWN_NAME.fullmatch(path.name) and path.name != all_but:
            path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
