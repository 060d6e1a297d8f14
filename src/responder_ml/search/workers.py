"""Run independent units of work in order, on one process or several, with one numerical thread each.

Results do not depend on how many workers there are: units are cut before workers are counted, and every unit's linear algebra
runs on a single thread.

Processes are started afresh, never forked from one that has numerical threads, and kept between calls. None is ever killed: whoever
stops listening leaves the few units under way to finish by themselves. What a dead process was at is done again.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController

from responder_ml.errors import WorkerError
from responder_ml.search.shared_memory import shared_file, unpack
from responder_ml.search.unit_store import UnitStore

Unit = TypeVar("Unit")
Result = TypeVar("Result")


def single_threaded(function: Callable[[Unit], Result], unit: Unit) -> Result:
    """Return ``function(unit)``, worked out by numerical libraries on one thread."""
    with _numerical_threads().limit(limits=1):
        return function(unit)


@cache
def _numerical_threads() -> ThreadpoolController:
    """Return the process's numerical libraries; looking for them takes longer than a small unit does."""
    return ThreadpoolController()


# Units under way or waiting, per worker: nobody idles, and little is in vain when a sequential test stops.
_AHEAD = 2
# A unit that took its process down so often will do it again.
_MOST_DEATHS = 3


class Workers:
    """A number of local processes.

    Parameters
    ----------
    count
        Processes; 1 stays in this one, -1 takes all cores.
    store
        Where finished units are kept, and found again.
    """

    def __init__(self, count: int = 1, store: UnitStore | None = None) -> None:
        self.count = int(effective_n_jobs(count))
        self._store = store

    def map(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        """Yield ``function(unit)`` in the order of the units; whoever stops listening stops the remaining work.

        Raises
        ------
        WorkerError
            Processes keep dying, or there is no room for the data they share.
        RunError
            A finished unit cannot be kept.
        """
        if self._store is None:
            return self._work_out(function, units)
        return self._store.complete(function, units, self._work_out)

    def _work_out(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        if self.count == 1 or len(units) == 1:
            for unit in units:
                yield single_threaded(function, unit)
        elif units:
            with shared_file(function) as path:
                yield from _Stream(self.count, path, units)


class _Stream:
    """The units of one call on their way through a pool, results in order."""

    def __init__(self, count: int, path: Path, units: Sequence[Any]) -> None:
        self._count = count
        self._work = partial(_unit_of, path)
        self._units = units
        self._ahead: deque[Future[Any]] = deque()

    def __iter__(self) -> Iterator[Any]:
        # Nothing is cancelled when the listener leaves: the executor's watcher can die of a cancelled future when a process
        # dies (CPython 3.11), and then nobody is ever told. Units not begun end at once, since their shared_file is gone.
        for number in range(len(self._units)):
            yield self._result(number)

    def _result(self, number: int) -> Any:
        for _ in range(_MOST_DEATHS):
            try:
                self._submit(number)
                found = self._ahead[0].result()
            except BrokenProcessPool:
                # All that was under way is lost with the pool, and is begun again on a new one.
                self._ahead.clear()
                _pool.cache_clear()
            else:
                self._ahead.popleft()
                return found
        raise WorkerError(
            f"A worker process died {_MOST_DEATHS} times at the same unit of work, most likely for lack of memory. "
            "Set compute.workers to a smaller number, or close what else needs memory. A script that trains must do so under "
            "`if __name__ == '__main__':`."
        )

    def _submit(self, number: int) -> None:
        """Keep the pool supplied, from the unit waited for."""
        last = min(number + _AHEAD * self._count, len(self._units))
        for index in range(number + len(self._ahead), last):
            self._ahead.append(_pool(self._count).submit(self._work, self._units[index]))


@cache
def _pool(count: int) -> ProcessPoolExecutor:
    """Return this process's pool; starting one costs seconds of imports."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_start_worker)


def _start_worker() -> None:
    """Leave interrupts to the parent, and leave with it, however it goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _unit_of(path: Path, unit: Any) -> Any:
    if not path.exists():
        return None
    return single_threaded(unpack(path), unit)
