"""Locks of jobs: what was going to be asked of which data, written down before it was.

A lock is a line in a file beside the register of jobs: the digest of a job's data and settings and of the program, and the time.
`train` finds the lock of the job it runs and says whether it is older than the job's first run. Whoever can write the file can
forge a line; the digest convinces others once it stands where its owner cannot change it, in a preregistration or an e-mail.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from responder_ml.errors import RunError
from responder_ml.records.file_lock import locked
from responder_ml.records.job_register import AskedJob, was_asked

LOCKS = ".locks.jsonl"
"""Name of the file; hidden, so that ``compare runs/*`` sees run folders only."""
# They decide p beside what `AskedJob` knows.
_DECIDING_P = "null"
_WAITING = ".locks.lock"
_PATIENCE_S = 10.0


class JobLock(BaseModel):
    """The lock of a job: a digest of data, settings and program that was written down."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    digest: str
    """SHA-256 of data, question, settings, seed and program, as `lock` printed it."""
    time: str
    """When it was locked, UTC, by the clock of that computer."""
    before_first_run: bool
    """Whether the register had no run of this job then."""
    same_code: bool
    """Whether the program is still the one with which it was locked."""

    @property
    def sentence(self) -> str:
        """What the verdict says of it."""
        when = "before it first ran" if self.before_first_run else "after it had first run"
        changed = "" if self.same_code else ", with another version of the program"
        return f"Locked on {self.time[:10]}, {when}{changed}."


def lock_job(folder: Path, job: AskedJob, config: Mapping[str, Any], code: str, name: str) -> JobLock:
    """Write the lock of a job, or return the one it has under this program.

    Parameters
    ----------
    folder
        Where the register of jobs is.
    job
        The job.
    config
        Its configuration, as far as it differs from the defaults.
    code
        Version of the program, `code_version`.
    name
        Of the job, for people.

    Raises
    ------
    RunError
        The file cannot be read or written, or another process holds it for too long.
    """
    path = folder / LOCKS
    too_long = RunError(f"{path} has been locked by another process for {_PATIENCE_S:g} s. End that process.")
    settings = _settings(job, config)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / _WAITING, _PATIENCE_S, too_long), path.open("a+b") as file:
            file.seek(0)
            content = file.read()
            for entry in _entries(content):
                if entry["settings"] == settings and entry["code"] == code:
                    return _lock(entry, code)
            entry = {
                "name": name,
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "digest": hashlib.sha256(f"{settings} {code}".encode()).hexdigest(),
                "settings": settings,
                "code": code,
                "before_first_run": not was_asked(folder, job),
            }
            separator = b"" if not content or content.endswith(b"\n") else b"\n"
            file.write(separator + json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        raise RunError(f"{path} cannot be used: {problem}. Free space or correct the permissions.") from problem
    return _lock(entry, code)


def find_lock(folder: Path, job: AskedJob, config: Mapping[str, Any], code: str) -> JobLock | None:
    """Return the first lock of a job, one under this program before others; None where it has none.

    Parameters
    ----------
    folder, job, config, code
        As for `lock_job`.
    """
    path = folder / LOCKS
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError:
        return None
    settings = _settings(job, config)
    locks = [_lock(entry, code) for entry in _entries(content) if entry["settings"] == settings]
    return min(locks, key=lambda lock: not lock.same_code, default=None)


def _settings(job: AskedJob, config: Mapping[str, Any]) -> str:
    parts = {"job": job.key, _DECIDING_P: config.get(_DECIDING_P, {})}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _lock(entry: Mapping[str, Any], code: str) -> JobLock:
    return JobLock(
        digest=str(entry["digest"]),
        time=str(entry["time"]),
        before_first_run=bool(entry["before_first_run"]),
        same_code=entry["code"] == code,
    )


def _entries(content: bytes) -> list[dict[str, Any]]:
    """Return the lines that hold a lock, in their order."""
    entries = []
    for line in content.split(b"\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and {"digest", "time", "settings", "code", "before_first_run"} <= set(entry):
            entries.append(entry)
    return entries
