"""Wait for what several processes write: a lock file beside it is held, and that of a process that has died is free."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from responder_ml.errors import ResponderError

_PAUSE_S = 0.02


@contextmanager
def locked(lock: Path, patience_s: float, too_long: ResponderError) -> Iterator[None]:
    """Hold a lock file for this process while the block lasts.

    Parameters
    ----------
    lock
        The file; it is made where it is missing, and stays.
    patience_s
        Seconds to wait for another process: one that stands still must not hold up every other for ever.
    too_long
        What to raise then.

    Raises
    ------
    ResponderError
        ``too_long``.
    OSError
        The file cannot be made.
    """
    from filelock import FileLock, Timeout

    try:
        hold = FileLock(lock).acquire(timeout=patience_s, poll_interval=_PAUSE_S)
    except Timeout:
        raise too_long from None
    with hold:
        yield
