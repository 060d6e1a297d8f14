"""One finished unit of work as a file: a checksum, then its result.

A result holds fitted models of every family, arrays and plain values. It is pickled, unlike a bundle: the file is a cache, written
by the very code that reads it, into the user's own folder, and gone when the run is done; nobody is meant to pass it on.
Should a stranger's file get there all the same, reading builds nothing but classes of this package, numpy arrays
and sparse tables; it calls no function that a file names. Whatever is damaged, cut short or of another unit is worth nothing,
and the unit is worked out again.
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
# What numpy and scipy call to rebuild an array; all of it takes data only.
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
    """Write a result in one move.

    Raises
    ------
    OSError
        There is no room, or the folder is gone.
    """
    content = pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL)
    beside = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        beside.write_bytes(_MAGIC + _checksum(key, content) + content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_unit(path: Path, key: str) -> tuple[Any] | None:
    """Return the result in a tuple of its own, or None where the file is not there or not to be trusted."""
    try:
        whole = path.read_bytes()
        begin = len(_MAGIC) + hashlib.sha256().digest_size
        content = whole[begin:]
        if whole[:begin] != _MAGIC + _checksum(key, content):
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
            found = getattr(importlib.import_module(module), name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a unit")
