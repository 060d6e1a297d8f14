"""What a job leaves beside its run folder while it is under way: finished units of work, and a lock.

The folder ``.NAME.units`` is made when the work begins and removed when the run has been written and recorded. Until then, the same
command continues from what the folder holds. The operating system frees the lock of a process that has died.
"""

import glob
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from responder_ml.errors import RunError
from responder_ml.search.unit_store import UnitStore

_LOCK = "lock"
_WRITTEN = "written"


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
        self._lock: IO[str] | None = None

    def unit_store(self) -> UnitStore:
        """Lock the run folder for this process, and return its finished units.

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
            for partial in self.folder.glob("*.partial"):
                partial.unlink(missing_ok=True)
            for discarded in self.folder.parent.glob(f"{glob.escape(self.folder.name)}.*.gone"):
                shutil.rmtree(discarded, ignore_errors=True)
        return UnitStore(self.folder)

    def is_written(self, key: str) -> bool:
        """Tell whether the run of this key was written completely before, so that only later steps remain."""
        path = self.folder / _WRITTEN
        return path.is_file() and path.read_text(encoding="utf-8") == key

    def mark_written(self, key: str) -> None:
        """Record that the run of this key is written."""
        (self.folder / _WRITTEN).write_text(key, encoding="utf-8")

    def close(self, *, completed: bool) -> None:
        """Unlock the run folder; remove the units if the run is complete or there are none."""
        if self._lock is None:
            return
        if completed or not any(self.folder.glob("*.unit")):
            discarded = self.folder.with_name(f"{self.folder.name}.{os.getpid()}.gone")
            # Moved before it is removed: a worker that finishes a unit nobody waits for then finds no folder to write it to.
            self.folder.rename(discarded)
            shutil.rmtree(discarded, ignore_errors=True)
        self._lock.close()
        self._lock = None

    def _acquire_lock(self) -> IO[str]:
        import fcntl

        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / _LOCK
            lock = path.open("a+", encoding="utf-8")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip() or "another process"
                lock.close()
                raise RunError(
                    f"{self._run_folder} is being written by {holder}. Wait for it, end it, or choose another folder with "
                    "--out."
                ) from None
            if path.exists() and os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                break
            # The process that held the lock has just finished and removed the folder.
            lock.close()
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}")
        lock.flush()
        return lock
