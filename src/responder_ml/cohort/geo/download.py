"""Files fetched over HTTP into a cache: resumed, tried again, checked, and never incomplete.

A download is written to ``NAME.part`` with a note of what the server said about it (``ETag`` or ``Last-Modified``, size). A
broken download is resumed with ``Range`` and ``If-Range``; a server that cannot resume, or whose file has changed, sends the
whole file. Only a checked file gets its name, and a record next to it says where it came from.
"""

import errno
import hashlib
import http.client
import json
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from responder_ml.cohort.geo.integrity import check_intact
from responder_ml.errors import FetchError, NotInArchiveError, UnreachableError
from responder_ml.progress import OnProgress, Progress

_PIECE = 1 << 16
_RETRY = frozenset({408, 425, 429, 500, 502, 503, 504})
_ABSENT = frozenset({404, 410})
_RANGE_NOT_SATISFIABLE = 416
# A machine without network fails after two attempts, not after every pause.
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ECONNREFUSED})
_NO_ROUTE_ATTEMPTS = 2
_CONNECTION_ERRORS = (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError, urllib.error.URLError)


@dataclass(frozen=True)
class Patience:
    """How long to try: attempts in a row without new data, seconds before the second attempt, seconds without an answer."""

    attempts: int = 4
    pause: float = 1.0
    silence: float = 30.0


@dataclass(frozen=True)
class Fetched:
    """A file in the cache, and where it came from.

    Attributes
    ----------
    path
        The file.
    url, size, sha256, date
        Address, bytes, digest, and the day it was fetched (``url`` says ``by hand`` where a person put it there).
    """

    path: Path
    url: str
    size: int
    sha256: str
    date: str

    def record(self) -> dict[str, Any]:
        """Return name, address, size, digest and day, for the provenance."""
        return {"name": self.path.name, **{key: value for key, value in asdict(self).items() if key != "path"}}

    def text(self) -> str:
        """Return the content as text, for pages and lists."""
        return self.path.read_text(encoding="utf-8", errors="replace")


class Downloader:
    """Fetches into one folder.

    Parameters
    ----------
    cache
        The folder; created where it is missing.
    progress
        Shows the progress of every file.
    patience
        When to give up.
    """

    def __init__(self, cache: Path, progress: Progress | None = None, patience: Patience | None = None) -> None:
        self.cache = cache
        self._progress = progress or Progress()
        self._patience = patience or Patience()

    def fetch(self, url: str, name: str, sha256: str | None = None) -> Fetched:
        """Return a file from the cache, or fetch it.

        Parameters
        ----------
        url
            Its address.
        name
            Its name in the cache.
        sha256
            Digest it must have, if one is known.

        Raises
        ------
        NotInArchiveError
            The server does not have it.
        UnreachableError
            The server cannot be reached, or it stopped answering.
        FetchError
            The file is damaged, a web page, or has another digest; it is deleted.
        """
        target = self.cache / name
        cached = self._cached(target, url, sha256)
        if cached is not None:
            return cached
        part = target.with_name(f"{name}.part")
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            with self._progress.stage(name) as on_progress:
                self._download(url, part, target, on_progress)
        except OSError as problem:
            raise FetchError(
                f"{target} could not be written: {problem}. Free space or choose another --cache."
            ) from problem
        return self._accept(part, target, url, sha256)

    def cached(self, name: str) -> Fetched:
        """Return a file in the cache, fetched or put there by hand.

        Raises
        ------
        FetchError
            It is damaged.
        """
        target = self.cache / name
        url = str(_read_note(_note_of(target)).get("url", "unknown"))
        cached = self._cached(target, url, None)
        if cached is None:
            raise FetchError(f"{target} is not what was fetched from {url}. Delete it and run again.")
        return cached

    def _cached(self, target: Path, url: str, sha256: str | None) -> Fetched | None:
        """Return the file if it exists, is unchanged, and comes from this address or was put there by hand."""
        if not target.is_file():
            return None
        note = _read_note(_note_of(target))
        digest = _sha256(target)
        if note and (note.get("url") != url or note.get("sha256") != digest):
            return None
        if sha256 is not None and digest != sha256.lower():
            if note:
                return None
            raise FetchError(
                f"{target} was put there by hand, but its SHA-256 is {digest} and {sha256} was expected. Remove it or "
                "put the right file there."
            )
        if not note:
            check_intact(target, target.name, str(target))
        date = note.get("date") or datetime.fromtimestamp(target.stat().st_mtime, UTC).date().isoformat()
        return Fetched(target, url if note else f"by hand (expected: {url})", target.stat().st_size, digest, date)

    def _accept(self, part: Path, target: Path, url: str, sha256: str | None) -> Fetched:
        digest = _sha256(part)
        try:
            check_intact(part, target.name, url)
            if sha256 is not None and digest != sha256.lower():
                raise FetchError(
                    f"{url} has SHA-256 {digest}, but {sha256} was expected. Either the archive's file has changed or "
                    "something altered it on the way; correct the checksum only if you know which."
                )
        except FetchError:
            part.unlink()
            _note_of(part).unlink(missing_ok=True)
            raise
        fetched = Fetched(target, url, part.stat().st_size, digest, datetime.now(UTC).date().isoformat())
        part.replace(target)
        _note_of(target).write_text(json.dumps(fetched.record(), indent=1) + "\n", encoding="utf-8")
        _note_of(part).unlink(missing_ok=True)
        return fetched

    def _download(self, url: str, part: Path, target: Path, on_progress: OnProgress) -> None:
        fruitless = 0
        while True:
            before, no_route = _size(part), False
            try:
                if self._transfer(url, part, on_progress):
                    return
                reason = "the connection ended early"
            except urllib.error.HTTPError as problem:
                reason = _status(problem, url, part)
            except _CONNECTION_ERRORS as problem:
                cause = getattr(problem, "reason", problem)
                reason, no_route = str(cause) or type(cause).__name__, _has_no_route(cause)
            fruitless = 0 if _size(part) > before else fruitless + 1
            if fruitless >= (_NO_ROUTE_ATTEMPTS if no_route else self._patience.attempts):
                raise UnreachableError(
                    f"{url} could not be fetched: {reason}. Check the network and run again, which resumes the "
                    f"download; or fetch it on another machine and put it at {target}."
                )
            time.sleep(self._patience.pause * 2.0 ** max(fruitless - 1, 0) if fruitless else 0.0)

    def _transfer(self, url: str, part: Path, on_progress: OnProgress) -> bool:
        """Read the missing part; tell whether the file is complete."""
        note, n_bytes = _read_note(_note_of(part)), _size(part)
        if note.get("url") != url:
            note, n_bytes = {}, 0
        if n_bytes and note.get("size") == n_bytes:
            return True
        headers = {"User-Agent": "responder_ml"}
        if n_bytes:
            headers["Range"] = f"bytes={n_bytes}-"
            if note.get("validator"):
                headers["If-Range"] = note["validator"]
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=self._patience.silence) as answer:
            n_bytes, size = _resume_at(answer, part, n_bytes, note)
            _write_note(part, {"url": url, "validator": _validator(answer.headers), "size": size})
            with part.open("ab" if n_bytes else "wb") as file:
                while piece := answer.read(_PIECE):
                    file.write(piece)
                    n_bytes += len(piece)
                    on_progress(n_bytes, size or n_bytes, "")
        return size is None or n_bytes == size


def _resume_at(answer: Any, part: Path, n_bytes: int, note: Mapping[str, Any]) -> tuple[int, int | None]:
    """Return the byte at which the answer continues, and the size of the whole file."""
    length = answer.headers.get("Content-Length")
    if answer.status != http.client.PARTIAL_CONTENT:
        return 0, None if length is None else int(length)
    span = answer.headers.get("Content-Range", "").removeprefix("bytes ")
    first, _, rest = span.partition("-")
    size = rest.partition("/")[2]
    if first != str(n_bytes) or (note.get("size") is not None and size != str(note["size"])):
        part.unlink()
        raise ConnectionError("the server sent another part than the one requested")
    return n_bytes, int(size) if size.isdigit() else None


def _status(problem: urllib.error.HTTPError, url: str, part: Path) -> str:
    """Return why to try again, or raise where another attempt cannot help."""
    with problem:
        if problem.code in _ABSENT:
            raise NotInArchiveError(f"{url} does not exist (HTTP {problem.code}).") from problem
        if problem.code == _RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
        elif problem.code not in _RETRY:
            raise FetchError(
                f"{url} was refused (HTTP {problem.code} {problem.reason}). Open it in a browser to see why."
            ) from problem
        return f"the server answered HTTP {problem.code}"


def _has_no_route(cause: object) -> bool:
    return isinstance(cause, socket.gaierror) or (isinstance(cause, OSError) and cause.errno in _NO_ROUTE)


def _validator(headers: Mapping[str, str]) -> str | None:
    etag = headers.get("ETag")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.json")


def _read_note(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _write_note(part: Path, note: Mapping[str, Any]) -> None:
    _note_of(part).write_text(json.dumps(note), encoding="utf-8")
