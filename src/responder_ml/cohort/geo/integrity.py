"""Checks that a downloaded file is complete and of the kind its name says."""

import gzip
import tarfile
import zipfile
import zlib
from pathlib import Path

from responder_ml.cohort.packed_size import LEAST_BYTES, MOST_RATIO
from responder_ml.errors import FetchError

_PIECE = 1 << 20


def check_intact(path: Path, name: str, address: str) -> None:
    """Refuse a web page in place of a file, and a compressed file that cannot be unpacked to its end.

    Parameters
    ----------
    path
        The file on disk.
    name
        The name it will have; the ending says what it must hold.
    address
        Where it came from, for the message.

    Raises
    ------
    FetchError
        With what was found and what to do.
    """
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise FetchError(f"{address} is empty. Try again later.")
    if _is_page(start) and not name.endswith((".html", ".htm")):
        raise FetchError(
            f"{address} answered with a web page where the file {name} was expected: an error of the server, a login page "
            "of the network, or a wrong address. Open it in a browser to see which."
        )
    damage = _damage(path, name, start)
    if damage:
        raise FetchError(f"{address} is damaged or cut short: {damage}. Run again to fetch it once more.")


def _is_page(start: bytes) -> bool:
    text = start.lstrip().lower()
    return text.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml version"))


def _damage(path: Path, name: str, start: bytes) -> str:
    if name.endswith((".gz", ".tgz")):
        return _gzip_damage(path) if start.startswith(b"\x1f\x8b") else "it is not gzip"
    if name.endswith(".tar") and not tarfile.is_tarfile(path):
        return "it is not a tar archive"
    if name.endswith(".xlsx") and not zipfile.is_zipfile(path):
        return "it is not an Excel workbook"
    return ""


def _gzip_damage(path: Path) -> str:
    try:
        with gzip.open(path) as unpacked:
            size = 0
            while piece := unpacked.read(_PIECE):
                size += len(piece)
                if size > LEAST_BYTES and size > MOST_RATIO * path.stat().st_size:
                    return "it unpacks to far more than any table of its size"
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        return str(problem) or "it cannot be unpacked"
    return ""
