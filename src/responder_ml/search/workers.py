"""Run independent units of work in order, on one process or several, with one numerical thread each.

Results do not depend on the number of workers: the work is cut into units without regard to it, and every unit's linear algebra
runs on a single thread.

Processes are started afresh, never forked from one that has numerical threads, and are reused between calls. None is ever killed:
when the caller stops iterating, the few units under way finish by themselves. The unit of a process that died is computed again.
"""

import gc
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController

from responder_ml.errors import WorkerError
from responder_ml.search.shared_memory import read_shared_file, shared_file
from responder_ml.search.unit_store import Result, Unit, UnitStore

AHEAD = 2
"""Units under way or waiting, per worker: no worker is idle, and little is computed in vain when a sequential test stops."""
# A unit whose process died so often will most likely end the next one too.
_MOST_DEATHS = 3


class Workers:
    """A number of local processes.

    Parameters
    ----------
    count
        Processes; 1 stays in this one, -1 takes all cores.
    store
        Where finished units are stored and looked up.
    """

    def __init__(self, count: int = 1, store: UnitStore | None = None) -> None:
        self.count = int(effective_n_jobs(count))
        self._store = store

    def map(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        """Yield ``function(unit)`` in the order of the units; to stop iterating stops the remaining work.

        Raises
        ------
        WorkerError
            Processes die repeatedly, or there is no room for the data they share.
        RunError
            A finished unit cannot be written.
        """
        if self._store is None:
            return self._compute(function, units)
        return self._store.complete(function, units, self._compute)

    def _compute(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        if self.count == 1 or len(units) == 1:
            for unit in units:
                yield single_threaded(function, unit)
        elif units:
            with shared_file(function) as path:
                yield from _Stream(self.count, path, units, of_script=_is_of_script(function))


def single_threaded(function: Callable[[Unit], Result], unit: Unit) -> Result:
    """Return ``function(unit)``, computed with the numerical libraries on one thread."""
    with _spared_collector(), _numerical_threads().limit(limits=1):
        return function(unit)


@contextmanager
def _spared_collector() -> Iterator[None]:
    """Keep the garbage collector from walking, during a unit, through all that was there before.

    Imported libraries are hundreds of thousands of objects; a unit of a null makes enough small ones to have them all walked
    through, which can take as long as the unit does.
    """
    is_frozen = gc.get_freeze_count() > 0
    gc.freeze()
    try:
        yield
    finally:
        if not is_frozen:
            gc.unfreeze()


@cache
def _numerical_threads() -> ThreadpoolController:
    """Return the process's numerical libraries; looking for them takes longer than a small unit does."""
    return ThreadpoolController()


class _Stream:
    """The units of one call, computed by a pool of processes, with results in order.

    Parameters
    ----------
    count
        Processes.
    path
        File of the function.
    units
        What to call it with.
    of_script
        Whether the function is one of the script that is run, which processes must then read.
    """

    def __init__(self, count: int, path: Path, units: Sequence[Any], *, of_script: bool) -> None:
        self._count = count
        self._of_script = of_script
        self._work = partial(_unit_of, path)
        self._units = units
        self._ahead: deque[Future[Any]] = deque()

    def __iter__(self) -> Iterator[Any]:
        # Nothing is cancelled when the caller stops: a cancelled future can end the executor's own thread when a process dies
        # (CPython 3.11), and the caller would wait forever. Units not begun end at once, since their shared file is gone.
        for number in range(len(self._units)):
            yield self._result(number)

    def _result(self, number: int) -> Any:
        for _ in range(_MOST_DEATHS):
            try:
                self._submit(number)
                result = self._ahead[0].result()
            except BrokenProcessPool:
                # All units under way are lost with the pool, and start again on a new one.
                self._ahead.clear()
                _pool.cache_clear()
            else:
                self._ahead.popleft()
                return result
        raise WorkerError(
            f"A worker process died {_MOST_DEATHS} times at the same unit of work, most likely for lack of memory. "
            "Set compute.workers to a smaller number, or close other programs that need memory. A script whose own functions "
            "are run must call them under `if __name__ == '__main__':`."
        )

    def _submit(self, number: int) -> None:
        """Submit units to the pool, from the one waited for, up to the limit of units ahead."""
        last = min(number + AHEAD * self._count, len(self._units))
        with nullcontext() if self._of_script else _script_hidden():
            for index in range(number + len(self._ahead), last):
                self._ahead.append(_pool(self._count, self._of_script).submit(self._work, self._units[index]))


@cache
def _pool(count: int, of_script: bool) -> ProcessPoolExecutor:
    """Return this process's pool, which knows the script's functions or does not; to start one takes seconds of imports."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_start_worker)


def _is_of_script(function: Callable[..., Any]) -> bool:
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__module__", None) == "__main__"


@contextmanager
def _script_hidden() -> Iterator[None]:
    """Keep processes that start from running the script again that started them.

    A new process runs the script for the functions in it. Ours are in modules, so that a script of a few lines needs no guard.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _start_worker() -> None:
    """Ignore interrupts, which the parent handles, and end when the parent ends, however it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _unit_of(path: Path, unit: Any) -> Any:
    if not path.exists():
        return None
    return single_threaded(read_shared_file(path), unit)
