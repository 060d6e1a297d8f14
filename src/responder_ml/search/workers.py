"""Run independent units of work in order, on one process or several, with one numerical thread each.

Results do not depend on how many workers there are: units are cut before workers are counted, and every unit's linear algebra
runs on a single thread.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TypeVar

from joblib import Parallel, delayed, effective_n_jobs
from threadpoolctl import ThreadpoolController

Unit = TypeVar("Unit")
Result = TypeVar("Result")


class Workers:
    """A number of local processes.

    Parameters
    ----------
    count
        Processes; 1 stays in this one, -1 takes all cores.
    """

    def __init__(self, count: int = 1) -> None:
        self.count = int(effective_n_jobs(count))

    def map(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        """Yield ``function(unit)`` in the order of the units; whoever stops listening stops the remaining work."""
        if self.count == 1 or len(units) == 1:
            for unit in units:
                yield _single_threaded(function, unit)
            return
        # Arrays above this size are handed over as memory maps, once for all units.
        pool = Parallel(
            n_jobs=self.count,
            return_as="generator",
            max_nbytes="100K",
            inner_max_num_threads=1,
            pre_dispatch="2*n_jobs",
        )
        results = pool(delayed(_single_threaded)(function, unit) for unit in units)
        try:
            # `yield from` would hand the early end on to joblib before the warning below is silenced.
            for result in results:  # noqa: UP028
                yield result
        finally:
            with warnings.catch_warnings():
                # Stopping early is the point of a sequential test; joblib advises against it.
                warnings.simplefilter("ignore", UserWarning)
                results.close()


def _single_threaded(function: Callable[[Unit], Result], unit: Unit) -> Result:
    with _numerical_threads().limit(limits=1):
        return function(unit)


@cache
def _numerical_threads() -> ThreadpoolController:
    """Return the process's numerical libraries; looking for them takes longer than a small unit does."""
    return ThreadpoolController()
