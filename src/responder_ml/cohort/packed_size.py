"""What a packed file unpacks to, told before it is unpacked: a few kilobytes can stand for more than any memory holds."""

import gzip
import io
import re
import zipfile
from pathlib import Path
from typing import IO, Any

from responder_ml.errors import CohortError

LEAST_BYTES = 2**28
# A table of counts takes a tenth to a thirtieth of its size; ten thousand equal bytes take ten.
MOST_RATIO = 400
# The most that the algorithm of gzip can do; more is a file that was cut short.
_GREATEST_RATIO = 1032
_MOST_CELLS = 5 * 10**8
_PIECE = 2**20
_BYTES_PER_CELL = 8
_QUICKLY_UNPACKED = 2**22
_BEGINNING = 2**22
_ROW = re.compile(rb"<row\b[^>]{0,200}?\br=[\"'](\d{1,9})[\"']")
_COLUMN = re.compile(rb"<c\b[^>]{0,200}?\br=[\"']([A-Z]{1,3})\d")
_GZIP = b"\x1f\x8b"


class LimitedReader(io.RawIOBase):
    """A stream that ends in a message once it has given far more than a packed file of a table unpacks to.

    What a gzip file says of its size need not be true, and a second part of it says it of that part alone.

    Parameters
    ----------
    path
        The packed file.
    unpacked
        Its stream, closed with this one.
    """

    def __init__(self, path: Path, unpacked: Any) -> None:
        super().__init__()
        self._path = path
        self._packed = path.stat().st_size
        self._unpacked = unpacked
        self._size = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer and return how many bytes were read.

        Raises
        ------
        CohortError
            They are too many by now.
        """
        with memoryview(buffer) as view, view.cast("B") as cells:
            piece = self._unpacked.read(len(cells))
            cells[: len(piece)] = piece
        self._size += len(piece)
        check_ratio(self._path, self._size, self._packed)
        return len(piece)

    def close(self) -> None:
        """Close both streams."""
        self._unpacked.close()
        super().close()


def check_packed_size(path: Path) -> None:
    """Refuse a file that says it unpacks to far more than tables do, and a sheet with a cell too far out.

    Raises
    ------
    CohortError
        With the size.
    OSError, zipfile.BadZipFile
        The file is broken.
    """
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith(_GZIP):
            packed = path.stat().st_size
            check_ratio(path, _size_in_trailer(file), packed)
            if packed <= _QUICKLY_UNPACKED:
                _unpack(path)
            return
    if start == b"PAR1":
        _check_parquet(path)
    if start == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            for member in members:
                check_ratio(path, member.file_size, member.compress_size)
            # Members may share their bytes.
            check_ratio(path, sum(member.file_size for member in members), path.stat().st_size)
            for member in members:
                if member.filename.startswith("xl/worksheets/"):
                    with archive.open(member) as sheet:
                        _check_cells(path, sheet)


def unpacked_size(path: Path) -> int:
    """Return about how many bytes a gzip file unpacks to, by how far its first megabytes do.

    What it says itself is of its last part alone, and begins again at 4 GiB.
    """
    with path.open("rb", buffering=0) as file, gzip.GzipFile(fileobj=file) as unpacked:
        size = len(unpacked.read(_BEGINNING))
        return size if size < _BEGINNING else round(size * path.stat().st_size / file.tell())


def _size_in_trailer(file: IO[bytes]) -> int:
    """Return the size a gzip file ends with, which counts up to 4 GiB; 0 where no file so short unpacks to that much."""
    packed = file.seek(-4, 2)
    size = int.from_bytes(file.read(4), "little")
    return size if size <= _GREATEST_RATIO * packed else 0


def _unpack(path: Path) -> None:
    """Unpack a small file to its end, or to the size at which it is refused: sooner told than while its cells are parsed."""
    with LimitedReader(path, gzip.open(path)) as unpacked:
        while unpacked.read(_PIECE):
            pass


def check_ratio(path: Path, unpacked: int, packed: int) -> None:
    """Refuse a file, or a part of one, that unpacks to far more bytes than its packed ones can mean.

    Raises
    ------
    CohortError
        With both sizes.
    """
    if unpacked > LEAST_BYTES and unpacked > MOST_RATIO * max(packed, 1):
        raise CohortError(
            f"{path} has {packed:,} bytes and unpacks to {unpacked / 2**20:,.0f} MiB, far more than a table of its size. If it "
            "is a table all the same, unpack it and name the unpacked file."
        )


def _check_parquet(path: Path) -> None:
    """Refuse a file of lists or records, and one of many equal values in few bytes, before its columns are read."""
    from pyarrow import parquet, types

    metadata, schema = parquet.read_metadata(path), parquet.read_schema(path)
    nested = [field.name for field in schema if types.is_nested(field.type)]
    if nested:
        raise TypeError(f"column '{nested[0]}' holds {schema.field(nested[0]).type}, which is neither text nor numbers")
    check_ratio(path, metadata.num_rows * metadata.num_columns * _BYTES_PER_CELL, path.stat().st_size)


def _check_cells(path: Path, sheet: IO[bytes]) -> None:
    """Refuse a sheet whose rows times columns are too many: they are all made, however few of them are filled."""
    rows = columns = 1
    rest = b""
    while piece := sheet.read(_PIECE):
        text = rest + piece
        rows = max(rows, *map(int, _ROW.findall(text)), 1)
        columns = max(columns, *map(_number_of, set(_COLUMN.findall(text))), 1)
        rest = text[-512:]
    if rows * columns > _MOST_CELLS:
        raise CohortError(
            f"{path} has a sheet of {rows:,} x {columns:,} cells, too many to be read. Delete the empty rows and columns after the "
            "table, or save the table as .tsv."
        )


def _number_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
