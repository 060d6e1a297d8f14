"""Wait for a file that several processes write; the operating system frees the lock of one that has died."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from responder_ml.errors import ResponderError

_PAUSE_S = 0.02


@contextmanager
def locked(file: IO[bytes], patience_s: float, too_long: ResponderError) -> Iterator[None]:
    """Hold an open file for this process while the block lasts.

    Parameters
    ----------
    file
        The file.
    patience_s
        Seconds to wait for another process: one that stands still must not hold up every other for ever.
    too_long
        What to raise then.

    Raises
    ------
    ResponderError
        ``too_long``.
    """
    end = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > end:
                raise too_long from None
            time.sleep(_PAUSE_S)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
