"""The same units of work on a Dask cluster: as many machines as its scheduler knows.

The function and its data are sent to every worker once. If a worker dies, Dask gives its units to another one; if all of them die
at once, the data are sent again. If the scheduler is lost, it is waited for, and the work ends in one message where it does not
come back; units that were finished are stored.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from responder_ml.errors import WorkerError
from responder_ml.search.unit_store import Result, Unit, UnitStore
from responder_ml.search.workers import AHEAD, Workers, single_threaded

_PATIENCE_SECONDS = 30
_CLOSING_SECONDS = 2
_LOGGERS = ("distributed.client", "distributed.utils")
_CONNECTED = "running"
# Losses of the whole cluster, or deaths of workers at one unit by Dask's own count, after which the job fails.
_MOST_LOSSES = 3


class DaskWorkers(Workers):
    """The workers of a cluster.

    Parameters
    ----------
    scheduler
        Address of the scheduler, such as ``tcp://head:8786``.
    store
        Where finished units are stored, by this process: the workers need not see its folder.

    Raises
    ------
    WorkerError
        No scheduler answers, or it has no workers.
    """

    def __init__(self, scheduler: str, store: UnitStore | None = None) -> None:
        self._client = _connect(scheduler)
        self._scheduler = scheduler
        self._store = store
        self.count = self._threads()

    def map(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        """Yield ``function(unit)`` in the order of the units; to stop iterating stops the remaining work.

        Raises
        ------
        WorkerError
            The cluster is lost, or a unit repeatedly ends its worker.
        RunError
            A finished unit cannot be written.
        """
        if self._store is None:
            return self._compute(function, units)
        return self._store.complete_here(function, units, self._compute)

    def _compute(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        from distributed import KilledWorker
        from distributed.client import ClosedClientError, FutureCancelledError

        losses, number = 0, 0
        while number < len(units):
            client, ahead, sent = self._client, deque[Any](), None
            try:
                sent = client.scatter(function, broadcast=True, hash=False)
                while number < len(units):
                    last = min(number + AHEAD * self._threads(), len(units))
                    for unit in units[number + len(ahead) : last]:
                        ahead.append(client.submit(single_threaded, sent, unit, pure=False))
                    result = ahead[0].result()
                    ahead.popleft()
                    number += 1
                    yield result
            except (FutureCancelledError, KilledWorker, ClosedClientError, OSError) as problem:
                if isinstance(problem, OSError) and ahead and ahead[0].status == "error":
                    raise  # by the unit itself
                losses += 1
                if losses == _MOST_LOSSES:
                    raise WorkerError(
                        f"The workers of {self._scheduler} were lost {losses} times at the same work ({problem}), most likely for "
                        "lack of memory. Give each worker more memory, or fewer threads."
                    ) from problem
                self._connect_again()
            finally:
                # A scheduler that was lost has forgotten what it was asked for.
                if client is self._client and client.status == _CONNECTED and sent is not None:
                    client.cancel([*ahead, sent])

    def _connect_again(self) -> None:
        """Wait for the scheduler, which may have been lost, and connect to it.

        Raises
        ------
        WorkerError
            It does not come back.
        """
        with suppress(OSError):  # closing waits for an answer, too
            self._client.close(timeout=_CLOSING_SECONDS)
        _connect.cache_clear()
        try:
            self._client = _connect(self._scheduler)
        except WorkerError as problem:
            raise WorkerError(
                f"The Dask scheduler at {self._scheduler} was lost during the work and did not come back within "
                f"{_PATIENCE_SECONDS} s. Start it and its workers again (`dask scheduler`, `dask worker`) and run the same "
                "command: units that were finished are stored, and it continues from there."
            ) from problem

    def _threads(self) -> int:
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE_SECONDS)
            return max(1, sum(int(threads) for threads in self._client.nthreads().values()))
        except AttributeError as problem:
            # A client that has closed in the meantime has no scheduler to ask.
            raise ConnectionError(f"the connection to {self._scheduler} was closed") from problem
        except TimeoutError as problem:
            raise WorkerError(
                f"The scheduler at {self._scheduler} has no workers. Start some (`dask worker`)."
            ) from problem


@cache
def _connect(scheduler: str) -> Any:
    """Return this process's connection to a scheduler."""
    from distributed import Client

    # A connection that is lost is reported by us; the traceback that the client also logs of it helps nobody.
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return Client(scheduler, timeout=_PATIENCE_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as problem:
        raise WorkerError(
            f"No Dask scheduler answers at {scheduler} ({problem}). Start one (`dask scheduler`), or correct compute.scheduler."
        ) from problem
