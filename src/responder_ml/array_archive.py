"""Zip archives of numpy arrays of plain numbers and text, checked before numpy reads them.

An array's header is compared as bytes with the one form allowed here: nothing of the file is evaluated, and an array of objects,
which numpy stores as a pickle, is refused.
"""

import io
import math
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from responder_ml.errors import BundleError

DAMAGE = (
    BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What damaged or forged content can raise inside zipfile, json, numpy, skops and our own classes."""

_NAME = re.compile(r"[A-Za-z0-9_]+\.npy")
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '[<|]([biufU])(\d{1,6})', 'fortran_order': (?:True|False), 'shape': \(([\d, ]{0,60})\), \} *\n"
)
_BYTES_PER_CHARACTER = 4
# A bundle of 50 models over 60,000 genes is far smaller; a larger archive was made to fill the memory.
_MOST_BYTES = 2**31


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return named arrays as the content of an npz file.

    Raises
    ------
    BundleError
        An array is not of plain numbers or text.
    """
    for name, values in arrays.items():
        if values.dtype.hasobject:
            raise BundleError(f"Array '{name}' holds objects; only plain numbers and text can be written.")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz file.

    Raises
    ------
    BundleError
        Damage, or an array of anything but plain numbers and text.
    """
    try:
        open_archive(content)
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except DAMAGE as problem:
        raise BundleError(
            f"The reference file is damaged ({describe_problem(problem)}). Use an intact copy."
        ) from problem


def open_archive(content: bytes, others: Sequence[str] = ()) -> ZipFile:
    """Open an archive that holds arrays of plain numbers or text and exactly the other members named.

    Raises
    ------
    BundleError
        It holds anything else, or is larger than any bundle.
    """
    archive = ZipFile(io.BytesIO(content))
    members = archive.infolist()
    names = [member.filename for member in members]
    unexpected = [name for name in names if name not in others and not _NAME.fullmatch(name)]
    if unexpected or len(set(names)) != len(names) or not set(others) <= set(names):
        raise BundleError(f"The archive has members it should not have, or lacks some: {', '.join(sorted(names)[:5])}.")
    if any(member.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for member in members):
        raise BundleError("The archive is compressed in a way bundles never are. Use an intact copy.")
    if sum(member.file_size for member in members) > _MOST_BYTES:
        raise BundleError(f"The archive holds more than {_MOST_BYTES // 2**20} MiB; no bundle is that large.")
    for member in members:
        if member.filename not in others:
            _check_array(archive, member)
    return archive


def describe_problem(problem: BaseException) -> str:
    """Return the message of an exception, or its type where it has none."""
    return str(problem).strip().rstrip(".") or type(problem).__name__


def _check_array(archive: ZipFile, member: ZipInfo) -> None:
    """Check that a header declares plain numbers or text, and exactly the bytes that follow it."""
    with archive.open(member) as stream:
        start = stream.read(len(_MAGIC) + 2)
        header = stream.read(int.from_bytes(start[-2:], "little"))
    fields = _HEADER.fullmatch(header)
    if not start.startswith(_MAGIC) or fields is None:
        raise BundleError(
            f"Array {member.filename} is not of plain numbers or text; nothing else is read, and never a pickle."
        )
    kind, width, shape = fields.groups()
    itemsize = int(width) * (_BYTES_PER_CHARACTER if kind == b"U" else 1)
    size = math.prod(int(length) for length in re.findall(rb"\d+", shape)) * itemsize
    if size != member.file_size - len(start) - len(header):
        raise BundleError(f"Array {member.filename} does not have the size its header declares. Use an intact copy.")
