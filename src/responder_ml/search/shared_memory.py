"""Share one object with large arrays between many processes: one writes it to a file, the others map the file into memory.

Arrays are stored apart from the object that holds them (pickle's protocol 5, PEP 574), so all processes that open the file share
its pages and copy nothing. The file is in the user's temporary folder and is removed when the work is done, or by the next run
where this one was killed; no other run reads it.
"""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from responder_ml.errors import WorkerError
from responder_ml.temporary_folder import temporary_folder

# Arrays start at multiples of this, as numpy's own do, so that vector instructions may read them.
_ALIGNMENT = 64


@contextmanager
def shared_file(content: Any) -> Iterator[Path]:
    """Write ``content`` to a file that `read_shared_file` reads, and remove it when the block ends.

    A process that has it open keeps its content until it opens another.

    Raises
    ------
    WorkerError
        The temporary folder has no room for it.
    """
    buffers: list[Any] = []
    head = BytesIO()
    ForkingPickler(head, 5, True, buffers.append).dump(content)
    with temporary_folder() as folder:
        path = folder / "shared_file"
        try:
            with path.open("wb") as file:
                starts = [_append(file, part) for part in (head.getbuffer(), *(buffer.raw() for buffer in buffers))]
                index = ForkingPickler.dumps(starts)
                file.write(index)
                file.write(len(index).to_bytes(8, "little"))
        except OSError as problem:
            raise WorkerError(
                f"The data could not be written to {folder} for the worker processes: {problem}. Free space there, set "
                "TMPDIR to a folder with room, or set compute.workers to 1."
            ) from problem
        yield path


# One is enough: a process works on one shared file at a time.
@lru_cache(maxsize=1)
def read_shared_file(path: Path) -> Any:
    """Return the content of a shared file; its arrays are read-only and shared with every process that opened it."""
    with path.open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    length = int.from_bytes(view[-8:], "little")
    starts = ForkingPickler.loads(view[-8 - length : -8])
    head, *buffers = (view[start : start + size] for start, size in starts)
    return ForkingPickler.loads(head, buffers=buffers)


def _append(file: Any, part: Any) -> tuple[int, int]:
    file.write(b"\0" * (-file.tell() % _ALIGNMENT))
    start = file.tell()
    file.write(part)
    return start, len(part)
