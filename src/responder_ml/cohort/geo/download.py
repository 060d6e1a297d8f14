"""Files fetched over HTTP into a cache: resumed, tried again, checked, and never incomplete.

A download is written to ``NAME.part`` with a note of what the server said about it (``ETag`` or ``Last-Modified``, size). A
broken download is resumed with ``Range`` and ``If-Range``; a server that cannot resume, or whose file has changed, sends the
whole file. Only a checked file gets its name, and a record next to it says where it came from.
"""

import errno
import hashlib
import http.client
import json
import re
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
from urllib.parse import urlsplit

from responder_ml.cohort.geo.integrity import check_intact
from responder_ml.errors import FetchError, NotInArchiveError, UnreachableError, door
from responder_ml.masking import hide_secrets
from responder_ml.progress import OnProgress, Progress

_PIECE = 1 << 16
_SCHEMES = ("http", "https")
_NAME = re.compile(r"[^./\\\0-\x1f][^/\\\0-\x1f]{0,180}")
# The largest archives of a series; a server that sends a byte now and then is given up, too.
_MOST_BYTES, _MOST_SECONDS = 2**36, 6 * 3600.0
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
        content = {"name": self.path.name, **{key: value for key, value in asdict(self).items() if key != "path"}}
        return {**content, "url": hide_secrets(self.url)}

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
        check_address(url, name)
        target = self.cache / name
        part = target.with_name(f"{name}.part")
        cached = self._cached(target, url, sha256)
        if cached is not None:
            _note_of(part).unlink(missing_ok=True)
            return cached
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
        if note and (note.get("url") != hide_secrets(url) or note.get("sha256") != digest):
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
        # The note first: a file without one counts as put there by hand.
        _write_note(target, fetched.record())
        part.replace(target)
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
        if note.get("url") != hide_secrets(url):
            note, n_bytes = {}, 0
        if n_bytes and note.get("size") == n_bytes:
            return True
        headers = {"User-Agent": "responder_ml"}
        if n_bytes:
            headers["Range"] = f"bytes={n_bytes}-"
            if note.get("validator"):
                headers["If-Range"] = note["validator"]
        request, begin = urllib.request.Request(url, headers=headers), time.monotonic()
        with _OPENER.open(request, timeout=self._patience.silence) as answer:
            n_bytes, size = _resume_at(answer, part, n_bytes, note)
            _write_note(part, {"url": hide_secrets(url), "validator": _validator(answer.headers), "size": size})
            with part.open("ab" if n_bytes else "wb") as file:
                while piece := answer.read(_PIECE):
                    file.write(piece)
                    n_bytes += len(piece)
                    _check_limits(url, n_bytes, begin)
                    on_progress(n_bytes, size or n_bytes, "")
        return size is None or n_bytes == size


class _PlainRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirections, to other web addresses only and never from an encrypted one to an open one."""

    max_redirections = 5

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """Return the request for the new address, or refuse it."""
        schemes = ("https",) if urlsplit(req.full_url).scheme == "https" else _SCHEMES
        if urlsplit(newurl).scheme not in schemes:
            raise FetchError(
                f"{req.full_url} leads to {newurl[:200]}, which is no {' or '.join(schemes)} address. Nothing was read."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_PlainRedirects)


def check_address(url: str, name: str) -> None:
    """Refuse an address that is not on the web, and a name that would not lie in the cache.

    Raises
    ------
    FetchError
        With the address or the name.
    """
    with door(FetchError, f"{url[:200]!r} is no address", "Give one that begins with https://."):
        parts = urlsplit(url)
        is_web = parts.scheme in _SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0
    if not is_web or not url.isprintable():
        raise FetchError(f"{url[:200]!r} is no address of the web. Give one that begins with https:// or http://.")
    if not _NAME.fullmatch(name) or ".." in name:
        raise FetchError(f"{url} is to be stored as {name[:100]!r}, which is no name of a file. Nothing was read.")


def _check_limits(url: str, n_bytes: int, begin: float) -> None:
    if n_bytes > _MOST_BYTES or time.monotonic() - begin > _MOST_SECONDS:
        raise FetchError(
            f"{url} has sent {n_bytes:,} bytes in {time.monotonic() - begin:,.0f} s and is not complete: more than any file of a "
            "series. Fetch it by hand if it is right."
        )


def _resume_at(answer: Any, part: Path, n_bytes: int, note: Mapping[str, Any]) -> tuple[int, int | None]:
    """Return the byte at which the answer continues, and the size of the whole file."""
    length = answer.headers.get("Content-Length")
    if answer.status != http.client.PARTIAL_CONTENT:
        if length is not None and not re.fullmatch(r"\d{1,15}", length.strip()):
            raise ConnectionError(f"the server gave '{length[:40]}' as the length of the file")
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


def _write_note(path: Path, note: Mapping[str, Any]) -> None:
    beside = _note_of(path).with_suffix(".partial")
    beside.write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    beside.replace(_note_of(path))
