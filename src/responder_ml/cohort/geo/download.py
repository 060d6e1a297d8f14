"""Files fetched over HTTP into a cache: resumed, tried again, checked, and never half there.

What arrives is kept as ``NAME.part`` with a note of what the server said it is (``ETag`` or ``Last-Modified``, size). A
connection that breaks is taken up where it broke with ``Range`` and ``If-Range``; a server that cannot, or whose file has
changed, sends it whole. Only a checked file gets its name, and a record beside it says where it came from.
"""

import errno
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

import pooch

from responder_ml.cohort.geo.intact import check_intact
from responder_ml.errors import FetchError, NotInArchiveError, UnreachableError
from responder_ml.progress import OnProgress, Progress

_PIECE = 1 << 16
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_ABSENT = frozenset({404, 410})
_NO_SUCH_RANGE = 416
# A machine without network is told so at once, not after every pause.
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ECONNREFUSED})
_NO_WAY_ATTEMPTS = 2
_BROKEN = (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError, urllib.error.URLError)


@dataclass(frozen=True)
class Patience:
    """How long to try: attempts in a row that bring nothing, seconds before the second, seconds of silence borne."""

    attempts: int = 4
    pause: float = 1.0
    silence: float = 30.0


@dataclass(frozen=True)
class Fetched:
    """A file in the cache, and where it came from.

    Attributes
    ----------
    path
        Where it lies.
    url, size, sha256, date
        Address, bytes, digest, and the day it was fetched (``by hand`` in ``url`` where a person put it there).
    """

    path: Path
    url: str
    size: int
    sha256: str
    date: str

    def record(self) -> dict[str, Any]:
        """Return what a reader of the files needs to know."""
        return {"name": self.path.name, **{key: value for key, value in asdict(self).items() if key != "path"}}

    def text(self) -> str:
        """Return its content, for pages and lists."""
        return self.path.read_text(encoding="utf-8", errors="replace")


class Downloader:
    """Fetches into one folder.

    Parameters
    ----------
    cache
        The folder; made where it is missing.
    progress
        Is told about every file.
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
            What to call it.
        sha256
            Digest it must have, if one is known.

        Raises
        ------
        NotInArchiveError
            The server does not have it.
        UnreachableError
            There is no way to the server, or it stopped answering.
        FetchError
            It arrived damaged, as a web page, or with another digest; nothing is kept of it.
        """
        target = self.cache / name
        kept = self._kept(target, url, sha256)
        if kept is not None:
            return kept
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
        """Return a file that lies in the cache, whatever put it there.

        Raises
        ------
        FetchError
            It is damaged.
        """
        target = self.cache / name
        url = str(_read_note(_note_of(target)).get("url", "unknown"))
        kept = self._kept(target, url, None)
        if kept is None:
            raise FetchError(f"{target} is not what was fetched from {url}. Delete it and run again.")
        return kept

    def _kept(self, target: Path, url: str, sha256: str | None) -> Fetched | None:
        """Return the file if it is there, unchanged, from this address or put there by hand."""
        if not target.is_file():
            return None
        note = _read_note(_note_of(target))
        digest = pooch.file_hash(str(target))
        if note and (note.get("url") != url or note.get("sha256") != digest):
            return None
        if sha256 is not None and digest != sha256.lower():
            if note:
                return None
            raise FetchError(
                f"{target} was put there by hand, but its SHA-256 is {digest} and {sha256} was expected. Take it away or "
                "put the right file there."
            )
        if not note:
            check_intact(target, target.name, str(target))
        date = note.get("date") or datetime.fromtimestamp(target.stat().st_mtime, UTC).date().isoformat()
        return Fetched(target, url if note else f"by hand (expected: {url})", target.stat().st_size, digest, date)

    def _accept(self, part: Path, target: Path, url: str, sha256: str | None) -> Fetched:
        digest = pooch.file_hash(str(part))
        try:
            check_intact(part, target.name, url)
            if sha256 is not None and digest != sha256.lower():
                raise FetchError(
                    f"{url} has SHA-256 {digest}, but {sha256} was expected. Either the archive's file has changed or "
                    "something on the way altered it; correct the checksum only if you know which."
                )
        except FetchError:
            part.unlink()
            _note_of(part).unlink(missing_ok=True)
            raise
        found = Fetched(target, url, part.stat().st_size, digest, datetime.now(UTC).date().isoformat())
        part.replace(target)
        _note_of(target).write_text(json.dumps(found.record(), indent=1) + "\n", encoding="utf-8")
        _note_of(part).unlink(missing_ok=True)
        return found

    def _download(self, url: str, part: Path, target: Path, on_progress: OnProgress) -> None:
        fruitless = 0
        while True:
            before, no_way = _size(part), False
            try:
                if self._transfer(url, part, on_progress):
                    return
                reason = "the connection ended early"
            except urllib.error.HTTPError as problem:
                reason = _status(problem, url, part)
            except _BROKEN as problem:
                cause = getattr(problem, "reason", problem)
                reason, no_way = str(cause) or type(cause).__name__, _is_no_way(cause)
            fruitless = 0 if _size(part) > before else fruitless + 1
            if fruitless >= (_NO_WAY_ATTEMPTS if no_way else self._patience.attempts):
                raise UnreachableError(
                    f"{url} could not be fetched: {reason}. Check the network and run again, which goes on from where it "
                    f"stopped; or fetch it on another machine and put it at {target}."
                )
            time.sleep(self._patience.pause * 2.0 ** max(fruitless - 1, 0) if fruitless else 0.0)

    def _transfer(self, url: str, part: Path, on_progress: OnProgress) -> bool:
        """Read what is still missing; tell whether the file is whole."""
        note, have = _read_note(_note_of(part)), _size(part)
        if note.get("url") != url:
            note, have = {}, 0
        if have and note.get("size") == have:
            return True
        headers = {"User-Agent": "responder_ml"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if note.get("validator"):
                headers["If-Range"] = note["validator"]
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=self._patience.silence) as answer:
            have, size = _agreed(answer, part, have, note)
            _write_note(part, {"url": url, "validator": _validator(answer.headers), "size": size})
            with part.open("ab" if have else "wb") as file:
                while piece := answer.read(_PIECE):
                    file.write(piece)
                    have += len(piece)
                    on_progress(have, size or have, "")
        return size is None or have == size


def _agreed(answer: Any, part: Path, have: int, note: Mapping[str, Any]) -> tuple[int, int | None]:
    """Return from which byte on the answer continues, and the size of the whole."""
    length = answer.headers.get("Content-Length")
    if answer.status != http.client.PARTIAL_CONTENT:
        return 0, None if length is None else int(length)
    span = answer.headers.get("Content-Range", "").removeprefix("bytes ")
    first, _, rest = span.partition("-")
    size = rest.partition("/")[2]
    if first != str(have) or (note.get("size") is not None and size != str(note["size"])):
        part.unlink()
        raise ConnectionError("the server sent another part than the one asked for")
    return have, int(size) if size.isdigit() else None


def _status(problem: urllib.error.HTTPError, url: str, part: Path) -> str:
    """Return why to try again, or raise where that is of no use."""
    with problem:
        if problem.code in _ABSENT:
            raise NotInArchiveError(f"{url} does not exist (HTTP {problem.code}).") from problem
        if problem.code == _NO_SUCH_RANGE:
            part.unlink(missing_ok=True)
        elif problem.code not in _AGAIN:
            raise FetchError(
                f"{url} was refused (HTTP {problem.code} {problem.reason}). Open it in a browser to see why."
            ) from problem
        return f"the server answered HTTP {problem.code}"


def _is_no_way(cause: object) -> bool:
    return isinstance(cause, socket.gaierror) or (isinstance(cause, OSError) and cause.errno in _NO_WAY)


def _validator(headers: Mapping[str, str]) -> str | None:
    etag = headers.get("ETag")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


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
