"""One finished unit of work as a file: a checksum, then its result.

A result holds fitted models of every kind, arrays and plain values. It is pickled, unlike a bundle: the file is a cache, written
by the same code that reads it, into the user's own folder, and removed when the run is done; it is not meant to be passed on.
If a file of another origin gets there all the same, reading it builds only classes of this package, numpy arrays and sparse
tables, and calls no function that the file names. A file that is damaged, cut short or of another unit is ignored, and the unit
is computed again.
"""

import hashlib
import importlib
import io
import os
import pickle
from pathlib import Path
from typing import Any

from responder_ml.array_archive import DAMAGE

_MAGIC = b"responder_ml unit 1\n"
_OURS = "responder_ml."
# The functions that numpy and scipy call to rebuild an array; they all take data only.
_REBUILD = {
    ("builtins", "slice"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("scipy.sparse._csr", "csr_array"),
}


def write_unit(path: Path, key: str, result: Any) -> None:
    """Write a result to a temporary file, then move it into place.

    Raises
    ------
    OSError
        The disk is full, or the folder no longer exists.
    """
    content = pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(_MAGIC + _checksum(key, content) + content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_unit(path: Path, key: str) -> tuple[Any] | None:
    """Return the result in a tuple of one, or None where the file is missing or cannot be trusted."""
    try:
        stored = path.read_bytes()
        begin = len(_MAGIC) + hashlib.sha256().digest_size
        content = stored[begin:]
        if stored[:begin] != _MAGIC + _checksum(key, content):
            return None
        return (_PlainUnpickler(io.BytesIO(content)).load(),)
    except (*DAMAGE, pickle.UnpicklingError):
        return None


def _checksum(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + content).digest()


class _PlainUnpickler(pickle.Unpickler):
    """Builds classes of this package and arrays, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _REBUILD:
            return super().find_class(module, name)
        if module.startswith(_OURS) and "." not in name:
            member = getattr(importlib.import_module(module), name)
            if isinstance(member, type) and member.__module__ == module:
                return member
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a unit")
