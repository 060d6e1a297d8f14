"""What a job leaves beside its run folder while it is under way: finished units of work, and a lock.

The folder ``.NAME.units`` appears when work begins and goes when the run is written and recorded. Until then, the same command
takes up what is there. The system itself frees the lock of a process that has died.
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


class RunCheckpoint:
    """The units of one run folder; nothing is on disk until `open`.

    Parameters
    ----------
    out
        The run folder.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self.folder = out.with_name(f".{out.name}.units")
        self._lock: IO[str] | None = None

    def open(self) -> UnitStore:
        """Take the run folder for this process, and return its finished units.

        Raises
        ------
        RunError
            Another process has it, or nothing can be written there.
        """
        if self._lock is None:
            try:
                self._lock = self._take()
            except OSError as problem:
                raise RunError(
                    f"Nothing can be written beside {self._out}: {problem}. Free space, mend the permissions or choose "
                    "another place with --out."
                ) from problem
            for left in self.folder.glob("*.partial"):
                left.unlink(missing_ok=True)
            for gone in self.folder.parent.glob(f"{glob.escape(self.folder.name)}.*.gone"):
                shutil.rmtree(gone, ignore_errors=True)
        return UnitStore(self.folder)

    def is_written(self, key: str) -> bool:
        """Tell whether the run of this key was written whole before, and only what comes after is to be done."""
        path = self.folder / _WRITTEN
        return path.is_file() and path.read_text(encoding="utf-8") == key

    def mark_written(self, key: str) -> None:
        """Remember that the run is written."""
        (self.folder / _WRITTEN).write_text(key, encoding="utf-8")

    def close(self, *, done: bool) -> None:
        """Give the run folder back; when all is done, or nothing was kept, leave no trace."""
        if self._lock is None:
            return
        if done or not any(self.folder.glob("*.unit")):
            gone = self.folder.with_name(f"{self.folder.name}.{os.getpid()}.gone")
            # Moved first: a worker that finishes something nobody waits for finds no place to put it.
            self.folder.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
        self._lock.close()
        self._lock = None

    def _take(self) -> IO[str]:
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
                    f"{self._out} is being written by {holder}. Wait for it, end it, or choose another folder with --out."
                ) from None
            if path.exists() and os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                break
            # Whoever had it has just finished and taken the folder away.
            lock.close()
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}")
        lock.flush()
        return lock


@contextmanager
def run_checkpoint(out: Path) -> Iterator[RunCheckpoint]:
    """Keep the units of a run while the block lasts, and clear them away if it ends well.

    Parameters
    ----------
    out
        The run folder.
    """
    kept = RunCheckpoint(out)
    done = False
    try:
        yield kept
        done = True
    finally:
        kept.close(done=done)
