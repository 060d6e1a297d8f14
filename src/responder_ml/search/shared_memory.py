"""Hand one object with big arrays to many processes: written once to a file, mapped by all who open it.

Arrays are stored apart from the object that holds them (pickle's protocol 5, PEP 574), so a process that opens the file shares its
pages with every other and copies nothing. The file lives as long as the work it was written for, in this user's temporary folder;
it is never read back in another run.
"""

import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from responder_ml.errors import WorkerError

# Arrays start at multiples of this, as numpy's own do, so that vector instructions may read them.
_ALIGNMENT = 64


@contextmanager
def shared_file(content: Any) -> Iterator[Path]:
    """Write ``content`` to a file that `unpack` reads, and remove it when the work is done.

    Processes that have it open keep it until they open another.

    Raises
    ------
    WorkerError
        The temporary folder has no room for it.
    """
    buffers: list[Any] = []
    head = BytesIO()
    ForkingPickler(head, 5, True, buffers.append).dump(content)
    with tempfile.TemporaryDirectory(prefix="responder-ml-") as folder:
        path = Path(folder) / "shared_file"
        try:
            with path.open("wb") as file:
                starts = [_append(file, part) for part in (head.getbuffer(), *(each.raw() for each in buffers))]
                index = ForkingPickler.dumps(starts)
                file.write(index)
                file.write(len(index).to_bytes(8, "little"))
        except OSError as problem:
            raise WorkerError(
                f"The data could not be written to {folder} for the worker processes: {problem}. Free space there, set "
                "TMPDIR to a folder with room, or set compute.workers to 1."
            ) from problem
        yield path


# One is enough: a process works for one shared_file at a time.
@lru_cache(maxsize=1)
def unpack(path: Path) -> Any:
    """Return the content of a shared_file; its arrays are read-only and shared with every process that opened it."""
    with path.open("rb") as file:
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    length = int.from_bytes(whole[-8:], "little")
    starts = ForkingPickler.loads(whole[-8 - length : -8])
    head, *buffers = (whole[start : start + size] for start, size in starts)
    return ForkingPickler.loads(head, buffers=buffers)


def _append(file: Any, part: Any) -> tuple[int, int]:
    file.write(b"\0" * (-file.tell() % _ALIGNMENT))
    start = file.tell()
    file.write(part)
    return start, len(part)
