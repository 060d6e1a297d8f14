"""Run independent units of work in order, on one process or several, with one numerical thread each.

Results do not depend on how many workers there are: units are cut before workers are counted, and every unit's linear algebra
runs on a single thread.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from joblib import Parallel, delayed, effective_n_jobs
from threadpoolctl import threadpool_limits

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
        """Yield ``function(unit)`` in the order of the units; an abandoned iteration stops the remaining work."""
        if self.count == 1 or len(units) == 1:
            for unit in units:
                yield _single_threaded(function, unit)
            return
        for start in range(0, len(units), self.count):
            wave = units[start : start + self.count]
            yield from self._pool()(delayed(_single_threaded)(function, unit) for unit in wave)

    def _pool(self) -> Any:
        return Parallel(n_jobs=self.count, backend="loky", max_nbytes="1M", inner_max_num_threads=1)


def _single_threaded(function: Callable[[Unit], Result], unit: Unit) -> Result:
    with threadpool_limits(1):
        return function(unit)
